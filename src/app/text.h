/* text.h - text for two audiences, terminals and HTML, and numbers for people. What JSON and CSV
 * need is in pack/text.h.
 *
 * File names are hostile: they may hold escape sequences, line ends, direction marks and bytes that
 * are no UTF-8. Pure functions; any thread, except that widths need the locale that cli.c sets. */
#ifndef MP_APP_TEXT_H
#define MP_APP_TEXT_H

#include "base/base.h"

/* Appends `s` so that it can be shown on a terminal in one line: control characters as \n, \t or
 * \x1b, direction marks and line separators as \u{202e}, stray bytes as \xff. */
void text_for_terminal(mp_buf *out, const char *s);
/* Appends `s` for HTML text and quoted attributes: valid UTF-8, & < > " ' escaped, control
 * characters and direction marks as U+FFFD. */
void text_for_html(mp_buf *out, const char *s);
void text_base64(mp_buf *out, const uint8_t *p, size_t n);

/* Columns that `s` takes on a terminal. */
int text_width(const char *s);
/* Appends `s`, which is fit for a terminal, cut to `columns`; the middle of the cut goes and
 * `ellipsis` shows it. More of the end stays than of the beginning: that is where names differ. */
void text_clip(mp_buf *out, const char *s, int columns, const char *ellipsis);

enum { TEXT_SMALL = 48 }; /* room enough for each of the following; they return `out` */
char *text_size(char out[TEXT_SMALL], double bytes);       /* "340 B", "1.2 MB" (powers of 1024) */
char *text_count(char out[TEXT_SMALL], uint64_t n);        /* "12,345" */
char *text_span(char out[TEXT_SMALL], double seconds);     /* "0.4 s", "12 s", "3:05", "1:02:03" */
char *text_score(char out[TEXT_SMALL], double score);      /* three digits; "-" for NaN */
char *text_day(char out[TEXT_SMALL], int64_t unix_ms);     /* "2024-05-31" (UTC); "-" for 0 */
char *text_instant(char out[TEXT_SMALL], int64_t unix_ms); /* "2024-05-31T12:30:00Z" */
const char *text_plural(uint64_t n, const char *one, const char *many);

#endif
