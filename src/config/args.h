/* args.h - the words of one command line, sorted into options and operands, in their order.
 *
 * Long options: --name VALUE, --name=VALUE; letters: -k 5, -k5, -qv. Options and operands mix
 * freely; `--` ends the options. Values are checked against their rows here. Pure; any thread. */
#ifndef MP_ARGS_H
#define MP_ARGS_H

#include "config/options.h"

typedef struct mp_arg {
    const mp_option *option; /* NULL: an operand, whose word is value.text */
    mp_value value;
    mp_value_source source; /* a flag, unless mp_settings_load added it */
} mp_arg;

typedef struct mp_args {
    mp_arg *arg;
    size_t n;
} mp_args;

typedef struct mp_option_table {
    const mp_option *row;
    size_t n;
} mp_option_table;

typedef struct mp_args_rules {
    const mp_option_table *tables; /* searched in order */
    size_t n_tables;
    /* After the first operand, a word with one dash is an operand: `tag 12 +red -blue`. */
    bool dash_operands;
    bool stop_at_operand; /* ends before the first operand: what stands before a command's name */
} mp_args_rules;

/* Reads argv[from .. argc). *out: mp_args_free, also after a failure; its texts point into argv.
 * *stopped (NULL allowed): the first word not read. Errors: INVALID, with a suggestion for a
 * mistyped option. */
MP_CHECK mp_err mp_args_parse(mp_args *out, const mp_args_rules *rules, int argc, char **argv,
                              int from, int *stopped, mp_why *why);
void mp_args_free(mp_args *a); /* leaves it empty */
/* One more occurrence, behind all others. */
void mp_args_add(mp_args *a, const mp_option *o, mp_value value, mp_value_source source);

/* The last occurrence of an option, or NULL. */
const mp_value *mp_args_get(const mp_args *a, const char *name);
/* Somebody said it: a flag, the environment or the file; not the default. */
bool mp_args_said(const mp_args *a, const char *name);
bool mp_args_flag(const mp_args *a, const char *name);
const char *mp_args_text(const mp_args *a, const char *name, const char *otherwise);
int64_t mp_args_int(const mp_args *a, const char *name, int64_t otherwise);
double mp_args_number(const mp_args *a, const char *name, double otherwise);
/* The texts of an option's occurrences (name NULL: the operands), in order. Returns how many; *out
 * (NULL-terminated) is freed by the caller with free(). */
size_t mp_args_list(const mp_args *a, const char *name, const char ***out);
size_t mp_args_operands(const mp_args *a);

#endif
