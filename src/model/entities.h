/* entities.h - HTML's character references: the table of names, and unescaping by it.
 *
 * The rules are those of Python's html.unescape, which prepared what CLIP was trained on: names
 * with and without their semicolon, the longest name that a text begins with, numbers, and the
 * numbers that stand for something else or for nothing. */
#ifndef MP_ENTITIES_H
#define MP_ENTITIES_H

#include "base/base.h"

typedef struct mp_entity {
    const char *name; /* letters and digits, no semicolon */
    uint32_t text[2]; /* one code point, or two; the rest 0 */
    bool bare;        /* known without a semicolon, too */
} mp_entity;

/* Ascending by strcmp of the names. */
extern const mp_entity mp_entities[];
extern const size_t mp_entities_n;

/* Appends `text` (valid UTF-8, any length, NUL allowed) with its references replaced. Linear. */
void mp_unescape(mp_buf *out, mp_str text);

#endif
