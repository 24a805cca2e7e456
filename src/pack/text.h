/* text.h - the words of a library, made fit for the files of an export.
 *
 * Names and titles come from anywhere: they may hold bytes that are no UTF-8, line ends, direction
 * marks and spreadsheet formulas. Pure functions; any thread. */
#ifndef MP_PACK_TEXT_H
#define MP_PACK_TEXT_H

#include "base/base.h"

/* One character from a NUL-terminated string: its length (1 to 4), or 0 when the bytes are not
 * strict UTF-8 (*code is then the byte). At the end: 0 and *code 0. */
int mp_pack_utf8(const char *s, uint32_t *code);
/* A character that no name should hold: control characters, direction marks, line separators and
 * other invisible ones. */
bool mp_pack_is_hidden(uint32_t code);

/* Appends `s` (NULL: "") as valid UTF-8: each stray byte becomes U+FFFD. */
void mp_pack_clean(mp_buf *out, const char *s);
/* Appends a quoted CSV field (RFC 4180); one that a spreadsheet would take for a formula gets a
 * leading apostrophe. */
void mp_pack_csv(mp_buf *out, const char *s);

enum { MP_PACK_INSTANT = 40 };
/* "2024-05-31T12:30:00Z" (RFC 3339); with a blank and without the Z for COCO. Returns `out`; "" for
 * 0, which means "not known". */
char *mp_pack_instant(char out[MP_PACK_INSTANT], int64_t unix_ms);
char *mp_pack_instant_coco(char out[MP_PACK_INSTANT], int64_t unix_ms);

#endif
