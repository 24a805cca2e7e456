/* args.c - see args.h. */
#include "config/args.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct reader {
    const mp_args_rules *rules;
    mp_args *out;
    int argc, at;
    char **argv;
    mp_why *why;
} reader;

static const mp_option *nth_option(const void *rules, size_t i)
{
    const mp_args_rules *r = rules;
    for (size_t t = 0; t < r->n_tables; t++) {
        if (i < r->tables[t].n)
            return &r->tables[t].row[i];
        i -= r->tables[t].n;
    }
    return NULL;
}

static const char *nth_name(const void *rules, size_t i)
{
    const mp_option *o = nth_option(rules, i);
    return o ? o->name : NULL;
}

static const mp_option *by_name(const mp_args_rules *rules, const char *name, size_t n)
{
    const mp_option *o;
    for (size_t i = 0; (o = nth_option(rules, i)); i++)
        if (strlen(o->name) == n && memcmp(o->name, name, n) == 0)
            return o;
    return NULL;
}

static const mp_option *by_letter(const mp_args_rules *rules, char letter)
{
    const mp_option *o;
    for (size_t i = 0; (o = nth_option(rules, i)); i++)
        if (o->letter && o->letter == letter)
            return o;
    return NULL;
}

void mp_args_add(mp_args *a, const mp_option *o, mp_value value, mp_value_source source)
{
    a->arg = mp_xrealloc(a->arg, (a->n + 1) * sizeof *a->arg);
    a->arg[a->n++] = (mp_arg){.option = o, .value = value, .source = source};
}

static mp_err keep(reader *r, const mp_option *option, const char *said, const char *text)
{
    mp_value value = {.text = text};
    if (option) {
        mp_why inner = {0};
        mp_err err = mp_option_parse(option, text, &value, &inner);
        if (err)
            return mp_fail(r->why, err, "%s: %s", said, inner.text);
    }
    mp_args_add(r->out, option, value, (mp_value_source){.origin = MP_FROM_FLAG});
    return MP_OK;
}

static mp_err missing(reader *r, const mp_option *o, const char *said)
{
    return mp_fail(r->why, MP_INVALID, "%s needs a value (%s)", said, o->value ? o->value : "TEXT");
}

static mp_err unknown(reader *r, const char *name)
{
    const char *near = mp_suggest(name, nth_name, r->rules);
    if (near)
        return mp_fail(r->why, MP_INVALID, "no option --%.60s here; did you mean --%s?", name,
                       near);
    return mp_fail(r->why, MP_INVALID, "no option --%.60s here", name);
}

static mp_err read_long(reader *r)
{
    const char *word = r->argv[r->at++], *name = word + 2, *equals = strchr(name, '=');
    size_t n = equals ? (size_t)(equals - name) : strlen(name);
    char said[64];
    snprintf(said, sizeof said, "--%.*s", (int)MP_MIN(n, (size_t)50), name);
    const mp_option *o = by_name(r->rules, name, n);
    if (!o)
        return unknown(r, said + 2);
    if (!mp_option_takes_value(o))
        return equals ? mp_fail(r->why, MP_INVALID, "%s takes no value", said)
                      : keep(r, o, said, "yes");
    if (equals)
        return keep(r, o, said, equals + 1);
    if (r->at >= r->argc)
        return missing(r, o, said);
    return keep(r, o, said, r->argv[r->at++]);
}

static mp_err read_letters(reader *r)
{
    const char *word = r->argv[r->at++];
    for (const char *p = word + 1; *p; p++) {
        char said[3] = {'-', *p, '\0'};
        const mp_option *o = by_letter(r->rules, *p);
        mp_err err;
        if (!o)
            return mp_fail(r->why, MP_INVALID, "no option '%.40s' here%s", word,
                           strlen(word) > 2 ? " (long ones begin with two dashes)" : "");
        if (!mp_option_takes_value(o)) {
            err = keep(r, o, said, "yes");
            if (err)
                return err;
            continue;
        }
        if (p[1])
            return keep(r, o, said, p + 1 + (p[1] == '='));
        if (r->at >= r->argc)
            return missing(r, o, said);
        return keep(r, o, said, r->argv[r->at++]);
    }
    return MP_OK;
}

mp_err mp_args_parse(mp_args *out, const mp_args_rules *rules, int argc, char **argv, int from,
                     int *stopped, mp_why *why)
{
    reader r = {.rules = rules, .out = out, .argc = argc, .at = from, .argv = argv, .why = why};
    bool options_ended = false, had_operand = false;
    mp_err err = MP_OK;
    *out = (mp_args){0};
    while (!err && r.at < argc) {
        const char *word = argv[r.at];
        bool dashed = word[0] == '-' && word[1] && !options_ended;
        bool two = dashed && word[1] == '-';
        if (two && !word[2]) {
            options_ended = true;
            r.at++;
        } else if (two) {
            err = read_long(&r);
        } else if (dashed && !(had_operand && rules->dash_operands)) {
            err = read_letters(&r);
        } else if (rules->stop_at_operand) {
            break;
        } else {
            had_operand = true;
            err = keep(&r, NULL, NULL, argv[r.at++]);
        }
    }
    if (stopped)
        *stopped = r.at;
    return err;
}

void mp_args_free(mp_args *a)
{
    free(a->arg);
    *a = (mp_args){0};
}

static const mp_arg *last_of(const mp_args *a, const char *name)
{
    for (size_t i = a->n; i-- > 0;)
        if (a->arg[i].option && strcmp(a->arg[i].option->name, name) == 0)
            return &a->arg[i];
    return NULL;
}

const mp_value *mp_args_get(const mp_args *a, const char *name)
{
    const mp_arg *arg = last_of(a, name);
    return arg ? &arg->value : NULL;
}

bool mp_args_said(const mp_args *a, const char *name)
{
    const mp_arg *arg = last_of(a, name);
    return arg && arg->source.origin != MP_FROM_DEFAULT;
}

bool mp_args_flag(const mp_args *a, const char *name)
{
    const mp_value *v = mp_args_get(a, name);
    return v && v->flag;
}

const char *mp_args_text(const mp_args *a, const char *name, const char *otherwise)
{
    const mp_value *v = mp_args_get(a, name);
    return v ? v->text : otherwise;
}

int64_t mp_args_int(const mp_args *a, const char *name, int64_t otherwise)
{
    const mp_value *v = mp_args_get(a, name);
    return v ? v->integer : otherwise;
}

double mp_args_number(const mp_args *a, const char *name, double otherwise)
{
    const mp_value *v = mp_args_get(a, name);
    return v ? v->number : otherwise;
}

size_t mp_args_list(const mp_args *a, const char *name, const char ***out)
{
    size_t n = 0;
    const char **list = mp_xcalloc(a->n + 1, sizeof *list);
    for (size_t i = 0; i < a->n; i++) {
        const mp_option *o = a->arg[i].option;
        if (name ? o && strcmp(o->name, name) == 0 : !o)
            list[n++] = a->arg[i].value.text;
    }
    *out = list;
    return n;
}

size_t mp_args_operands(const mp_args *a)
{
    size_t n = 0;
    for (size_t i = 0; i < a->n; i++)
        n += !a->arg[i].option;
    return n;
}
