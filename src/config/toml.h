/* toml.h - reads TOML 1.0 (toml.io) into a tree, for the configuration file.
 *
 * What no setting can take is refused with a text that says so: dates and times, inline tables,
 * arrays of tables, and U+0000, which no C string holds. Texts are UTF-8 without control
 * characters, as TOML wants it. The input is hostile: how deep it nests and how many names it has
 * are bounded, and an error never repeats a value, which may be a secret. Pure; any thread. */
#ifndef MP_TOML_H
#define MP_TOML_H

#include "base/base.h"

typedef enum mp_toml_type {
    MP_TOML_TABLE,
    MP_TOML_STRING,
    MP_TOML_INTEGER,
    MP_TOML_FLOAT,
    MP_TOML_BOOLEAN,
    MP_TOML_ARRAY
} mp_toml_type;

typedef struct mp_toml {
    mp_toml_type type;
    const char *key; /* NULL: the root, or an element of an array */
    /* A string's bytes; "true" or "false"; a whole number in decimal; a float as written, without
     * underscores and a plus. NULL of tables and arrays. */
    const char *text;
    int line;
    struct mp_toml *first, *last, *next; /* members in the order of the file; the next sibling */
    int defined_in; /* inside: the section that said what is in this table; -1: none did */
} mp_toml;

enum { MP_TOML_NODES = 5000, MP_TOML_DEPTH = 16 };

/* The whole tree lies in `arena`. After an error *line says where. Errors: INVALID; TOO_BIG (more
 * than MP_TOML_NODES names and values, or arrays deeper than MP_TOML_DEPTH); NOMEM (the arena). */
MP_CHECK mp_err mp_toml_parse(mp_toml **out, mp_str text, mp_arena *arena, int *line, mp_why *why);

/* The member of this name, or NULL. */
const mp_toml *mp_toml_get(const mp_toml *table, const char *key);

/* Appends `text` as a basic string, in quotes. False, and nothing is written, where it is not UTF-8
 * and TOML cannot say it. */
bool mp_toml_quote(mp_buf *out, const char *text);

/* One character of strict UTF-8 from p[0 .. n): its length, or 0. */
size_t mp_toml_utf8(const char *p, size_t n);

#endif
