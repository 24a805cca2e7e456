/* import_reading.h - an import file out of a string, and what its rows are expected to be. */
#ifndef MP_IMPORT_READING_H
#define MP_IMPORT_READING_H

#include "../test.h"
#include "service/import.h"

typedef struct reading {
    mp_import *in;
    mp_arena *arena;
    int fd;
    mp_product_row row;
    uint64_t line;
    mp_why why;
} reading;

mp_err open_mapped(reading *r, mp_import_kind kind, const void *data, size_t n,
                   const mp_import_column *mapping, size_t n_mapping);
/* The file opens. */
void begin(reading *r, mp_import_kind kind, const char *text);
mp_err next(reading *r);
/* The next row is a product and begins on this line. */
const mp_product *good(reading *r, uint64_t line);
/* The next row is refused with these words. */
void bad(reading *r, uint64_t line, const char *words);
/* There are no more rows; closes all. */
void end(reading *r);
/* The file does not open. */
void refused(mp_import_kind kind, const char *text, mp_err want, const char *words);

#endif
