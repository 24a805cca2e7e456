/* term.h - what stands at the other end of a stream, colours, and tables that fit. One thread. */
#ifndef MP_APP_TERM_H
#define MP_APP_TERM_H

#include "base/base.h"

#include <stdio.h>

typedef enum paint { PAINT_NONE, PAINT_BOLD, PAINT_DIM, PAINT_GOOD, PAINT_WARN, PAINT_BAD } paint;

typedef struct term {
    FILE *to;
    bool tty;
    bool color;
    bool utf8;
    int width; /* columns; INT_MAX when it is no terminal: nothing is cut */
} term;

/* color: "auto", "always" or "never". */
term term_of(FILE *to, const char *color);
int term_width(const term *t); /* asked anew: windows change */
const char *term_ellipsis(const term *t);
/* Text that is fit for a terminal already. */
void term_print(const term *t, paint p, const char *text);
/* Printf for lines of our own; %s arguments must be fit for a terminal. */
void term_printf(const term *t, paint p, const char *format, ...) MP_PRINTF(3, 4);

/* ---- tables ---- */
typedef struct column {
    const char *title; /* "" for none */
    bool right;        /* aligned; numbers */
    bool flexible;     /* may be cut to fit the width */
} column;

typedef struct table table; /* opaque: table.c */
table *table_new(const column *columns, size_t n);
void table_free(table *t);
/* The next cell, row by row. The text is escaped here. */
void table_cell(table *t, paint p, const char *text);
void table_cellf(table *t, paint p, const char *format, ...) MP_PRINTF(3, 4);
void table_print(const table *t, const term *to, int indent);

#endif
