/* toml_read.h - what the two halves of the TOML reader share: toml.c has keys and tables,
 * toml_value.c values and strings. */
#ifndef MP_TOML_READ_H
#define MP_TOML_READ_H

#include "config/toml.h"

typedef struct toml_reader {
    const char *p, *end; /* what is left; valid UTF-8 without stray control characters */
    int line;
    size_t nodes;
    mp_arena *arena;
    mp_why *why;
} toml_reader;

/* A new member or element at the end of `parent`. TOO_BIG, NOMEM. */
MP_CHECK mp_err toml_add(toml_reader *r, mp_toml *parent, const char *key, mp_toml **out);
bool toml_at(const toml_reader *r, char c); /* false at the end */
void toml_skip_blanks(toml_reader *r);      /* blanks and tabs */
void toml_skip_lines(toml_reader *r);       /* line ends and comments, too */

/* From the quote that begins it to behind the one that ends it; `lines`: it may be a multi-line
 * string. *out lies in the arena. */
MP_CHECK mp_err toml_string(toml_reader *r, bool lines, const char **out);
/* Fills type, text and, of an array, the elements. */
MP_CHECK mp_err toml_value(toml_reader *r, int depth, mp_toml *out);

#endif
