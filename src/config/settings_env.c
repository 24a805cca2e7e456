/* settings_env.c - settings and options from the environment. See settings.h.
 *
 * An empty variable is one that is not set. */
#include "config/loader.h"

#include <stdlib.h>
#include <string.h>

/* The parts of a list, between commas, in `text`, which is cut up. Caller frees with free(). */
static size_t split(char *text, const char ***out)
{
    size_t n = 0, most = 2;
    for (const char *p = text; *p; p++)
        most += *p == ',';
    const char **list = mp_xcalloc(most, sizeof *list);
    for (char *rest = text, *word; (word = strsep(&rest, ","));) {
        word += strspn(word, " \t");
        for (size_t end = strlen(word); end && strchr(" \t", word[end - 1]);)
            word[--end] = '\0';
        if (*word)
            list[n++] = word;
    }
    *out = list;
    return n;
}

static mp_err take(mp_loader *l, const mp_option *o, const char *name, const char *text,
                   mp_value_source source)
{
    mp_why inner = {0};
    const char **list = NULL;
    size_t n = 1;
    if (o->many) {
        char *copy = mp_arena_strdup(l->s->arena, mp_str_of(text));
        if (!copy)
            return mp_fail(l->why, MP_TOO_BIG, "%s is too long", name);
        n = split(copy, &list);
    }
    mp_err err = mp_loader_take(l, o, list ? list : &text, n, source, true, &inner);
    free(list);
    return err ? mp_fail(l->why, err, "%s: %s", name, inner.text) : MP_OK;
}

/* A base URL and a path behind it, with one slash between them. */
static const char *join(mp_loader *l, const char *base, const char *path)
{
    mp_buf b = {0};
    size_t n = strlen(base);
    mp_buf_printf(&b, "%s%s%s", base, base[n - 1] == '/' ? "" : "/", path);
    const char *text = mp_arena_strdup(l->s->arena, (mp_str){b.p, b.n});
    mp_buf_free(&b);
    return text;
}

static mp_err read_aliases(mp_loader *l, const mp_option *o)
{
    for (size_t i = 0; i < MP_ALIASES && o->alias[i].name; i++) {
        const mp_alias *a = &o->alias[i];
        const char *text = l->env(a->name);
        if (!text || !*text)
            continue;
        if (a->path && !(text = join(l, text, a->path)))
            return mp_fail(l->why, MP_TOO_BIG, "%s is too long", a->name);
        return take(l, o, a->name, text,
                    (mp_value_source){.origin = MP_FROM_ALIAS, .alias = a->name});
    }
    return MP_OK;
}

static mp_err read_table(mp_loader *l, mp_option_table t, bool aliases)
{
    mp_err err = MP_OK;
    for (size_t i = 0; !err && i < t.n; i++) {
        const mp_option *o = &t.row[i];
        char name[64];
        if (o->flag_only)
            continue;
        mp_option_env(o, name, sizeof name);
        const char *text = l->env(name);
        if (text && *text)
            err = take(l, o, name, text, (mp_value_source){.origin = MP_FROM_ENV});
        else if (aliases && !mp_loader_has(l, o))
            err = read_aliases(l, o);
    }
    return err;
}

mp_err mp_loader_env(mp_loader *l)
{
    bool service = l->from->command && l->from->command->configured;
    mp_err err = read_table(l, (mp_option_table){mp_setting_rows, MP_SETTINGS}, service);
    return err ? err : read_table(l, mp_loader_options(l), service);
}
