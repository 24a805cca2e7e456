/* json_text.h - a JSON value as text, for answers: what json_dumps writes, in a third of its time.
 * Inside the http room; any thread, on values that nobody changes meanwhile. */
#ifndef MP_HTTP_JSON_TEXT_H
#define MP_HTTP_JSON_TEXT_H

#include "base/base.h"

#include <jansson.h>

/* Appends `value` without blanks, members in the order in which they came, to `out`. Numbers that
 * are not whole have nine digits, which is what a float needs to come back as it was. `value` is a
 * tree (no object within itself) and not NULL. */
void mp_json_write(const json_t *value, mp_buf *out);

/* The same of single values. The text is UTF-8, the number finite. */
void mp_json_write_string(const char *text, size_t n, mp_buf *out);
void mp_json_write_integer(int64_t x, mp_buf *out);
void mp_json_write_real(double x, mp_buf *out);

#endif
