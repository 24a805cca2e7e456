/* settings_file.c - settings and options from the configuration file. See settings.h. */
#include "config/loader.h"
#include "config/toml.h"

#include "base/os.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Where a member of the file belongs: to the settings (service NULL), or to a service's table. */
typedef struct place {
    mp_loader *l;
    const mp_command *service;
    mp_option_table options;
    bool *secret; /* becomes true where one is set */
} place;

static mp_err wrong(const place *at, const mp_toml *node, mp_err err, const char *text)
{
    return mp_fail(at->l->why, err, "%.300s:%d: %.200s", at->l->s->file, node->line, text);
}

/* ---- names ---- */

static const mp_command *nth_service(const mp_loader *l, size_t i)
{
    const mp_program *p = l->from->program;
    for (size_t c = 0; p && c < p->n_commands; c++)
        if (p->commands[c]->configured && i-- == 0)
            return p->commands[c];
    return NULL;
}

static const mp_command *find_service(const mp_loader *l, const char *name)
{
    const mp_command *c;
    for (size_t i = 0; (c = nth_service(l, i)); i++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

static const mp_option *find_row(mp_option_table t, const char *name)
{
    for (size_t i = 0; i < t.n; i++)
        if (strcmp(t.row[i].name, name) == 0 && !t.row[i].flag_only)
            return &t.row[i];
    return NULL;
}

static const char *nth_option(const void *context, size_t i)
{
    const place *at = context;
    return i < at->options.n ? at->options.row[i].name : NULL;
}

static const char *nth_table(const void *context, size_t i)
{
    const mp_command *c = nth_service(((const place *)context)->l, i);
    return c ? c->name : NULL;
}

/* A name that is known in another part of the file, or nearly known. */
static mp_err unknown(const place *at, const mp_toml *node)
{
    char text[200], word[41];
    const mp_command *c;
    snprintf(word, sizeof word, "%s", node->key);
    for (char *p = word; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
    bool table = node->type == MP_TOML_TABLE;
    const char *near = mp_suggest(node->key, table ? nth_table : nth_option, at);
    if (at->service && find_row((mp_option_table){mp_setting_rows, MP_SETTINGS}, node->key)) {
        snprintf(text, sizeof text, "'%s' is a setting: it stands above the first [table]", word);
        return wrong(at, node, MP_INVALID, text);
    }
    for (size_t i = 0; !at->service && !near && (c = nth_service(at->l, i)); i++) {
        if (find_row((mp_option_table){c->options, c->n_options}, node->key)) {
            snprintf(text, sizeof text, "'%s' stands in the table of a service: [%s]", word,
                     c->name);
            return wrong(at, node, MP_INVALID, text);
        }
    }
    snprintf(text, sizeof text, "no %s%s is called '%s'%s%s%s",
             table         ? "table"
             : at->service ? "option of "
                           : "setting",
             !table && at->service ? at->service->name : "", word, near ? "; did you mean '" : "",
             near ? near : "", near ? "'?" : "");
    return wrong(at, node, MP_INVALID, text);
}

/* ---- values ---- */

/* The shell does this for flags and the environment, nobody for the file. */
static const char *expanded(const place *at, const mp_option *o, const char *text)
{
    const char *home = at->l->env("HOME");
    mp_buf b = {0};
    if (o->type != MP_OPT_PATH || !home || strncmp(text, "~/", 2) != 0)
        return text;
    mp_buf_printf(&b, "%s%s", home, text + 1);
    text = mp_arena_strdup(at->l->s->arena, (mp_str){b.p, b.n});
    mp_buf_free(&b);
    return text;
}

/* What the type of the row wants to see in the file; NULL: this is it. */
static const char *mistyped(const mp_option *o, const mp_toml *value)
{
    bool string = value->type == MP_TOML_STRING;
    bool number = value->type == MP_TOML_INTEGER || value->type == MP_TOML_FLOAT;
    switch (o->type) {
    case MP_OPT_FLAG:
    case MP_OPT_SWITCH:
        return value->type == MP_TOML_BOOLEAN ? NULL : "true or false";
    case MP_OPT_INT:
    case MP_OPT_NUMBER:
        return string || number ? NULL : "a number";
    case MP_OPT_SIZE:
        return string || number ? NULL : "a number of bytes, or a string such as \"25MiB\"";
    case MP_OPT_DURATION:
        return string || number ? NULL : "a number of seconds, or a string such as \"10s\"";
    case MP_OPT_TEXT:
    case MP_OPT_PATH:
    case MP_OPT_CHOICE:
    case MP_OPT_URL:
        break;
    }
    return string ? NULL : "a string, in quotes";
}

/* One value's text, as the row's own reader takes it. */
static mp_err collect(const place *at, const mp_option *o, const mp_toml *value, const char **out)
{
    char text[160];
    const char *wanted = mistyped(o, value);
    if (wanted) {
        snprintf(text, sizeof text, "%s: its value is %s", o->name, wanted);
        return wrong(at, value, MP_INVALID, text);
    }
    *out = expanded(at, o, value->text);
    return *out ? MP_OK : wrong(at, value, MP_NOMEM, "the file is too large");
}

static mp_err take_texts(const place *at, const mp_option *o, const mp_toml *node,
                         const char *const *texts, size_t n)
{
    char text[240];
    mp_why inner = {0};
    mp_value_source source = {.origin = MP_FROM_FILE, .line = node->line};
    bool wanted = !at->service || at->service == at->l->from->command;
    mp_err err = mp_loader_take(at->l, o, texts, n, source, wanted, &inner);
    *at->secret = *at->secret || (n > 0 && !mp_option_may_show(o, texts[0]));
    if (!err)
        return MP_OK;
    snprintf(text, sizeof text, "%s: %.200s", o->name, inner.text);
    return wrong(at, node, err, text);
}

static mp_err take_option(const place *at, const mp_toml *node)
{
    const mp_option *o = find_row(at->options, node->key);
    bool array = node->type == MP_TOML_ARRAY;
    size_t n = 0, most = 1;
    mp_err err = MP_OK;
    if (!o)
        return unknown(at, node);
    if (array && !o->many)
        return wrong(at, node, MP_INVALID, "one value is wanted here and no array");
    for (const mp_toml *v = node->first; array && v; v = v->next)
        most++;
    const char **texts = mp_xcalloc(most, sizeof *texts);
    for (const mp_toml *v = array ? node->first : node; !err && v; v = array ? v->next : NULL)
        err = collect(at, o, v, &texts[n++]);
    if (!err)
        err = take_texts(at, o, node, texts, n);
    free(texts);
    return err;
}

static mp_err take_service(const place *top, const mp_toml *table)
{
    const mp_command *c = find_service(top->l, table->key);
    place at = {top->l, c, {c->options, c->n_options}, top->secret};
    mp_err err = MP_OK;
    if (table->type != MP_TOML_TABLE)
        return wrong(top, table, MP_INVALID, "this is a table, [name], with options of its own");
    for (const mp_toml *node = table->first; !err && node; node = node->next)
        err = take_option(&at, node);
    return err;
}

static mp_err take_document(const place *top, const mp_toml *root)
{
    mp_err err = MP_OK;
    for (const mp_toml *node = root->first; !err && node; node = node->next) {
        if (find_service(top->l, node->key))
            err = take_service(top, node);
        else
            err = take_option(top, node);
    }
    return err;
}

/* ---- the file ---- */

/* Is it named, so that it must be there? */
static bool find_file(mp_loader *l)
{
    const mp_value *flag = l->from->args ? mp_args_get(l->from->args, "config") : NULL;
    const char *named = flag ? flag->text : l->env("MAGPIE_CONFIG");
    const char *config = l->env("XDG_CONFIG_HOME"), *home = l->env("HOME");
    char *out = l->s->file;
    size_t cap = sizeof l->s->file;
    if (named && *named)
        snprintf(out, cap, "%s", named);
    else if (config && *config == '/')
        snprintf(out, cap, "%s/magpie/magpie.toml", config);
    else if (home && *home == '/')
        snprintf(out, cap, "%s/.config/magpie/magpie.toml", home);
    return named && *named;
}

static void warn_of_readers(mp_loader *l)
{
    struct stat st;
    if (stat(l->s->file, &st) == 0 && (st.st_mode & (S_IRGRP | S_IROTH)))
        (void)mp_fail(&l->s->warning, MP_INVALID,
                      "%.300s holds a secret and others can read it; chmod 600 keeps them out",
                      l->s->file);
}

mp_err mp_loader_file(mp_loader *l)
{
    uint8_t *data = NULL;
    size_t n = 0;
    int line = 0;
    bool secret = false, named = find_file(l);
    mp_toml *root;
    mp_why inner = {0};
    place top = {l, NULL, {mp_setting_rows, MP_SETTINGS}, &secret};
    if (!*l->s->file)
        return MP_OK;
    mp_err err = mp_file_read(l->s->file, MP_CONFIG_BYTES, &data, &n, l->why);
    if (err == MP_NOT_FOUND && !named)
        return MP_OK;
    if (err)
        return err;
    l->s->file_read = true;
    err = mp_toml_parse(&root, (mp_str){(const char *)data, n}, l->s->arena, &line, &inner);
    free(data); /* the tree has copies */
    if (err)
        return mp_fail(l->why, err, "%.300s:%d: %.180s", l->s->file, line, inner.text);
    err = take_document(&top, root);
    if (secret)
        warn_of_readers(l);
    return err;
}
