/* import.h - products out of a file: CSV (RFC 4180) or JSON lines, row by row from a descriptor.
 *
 * Columns (CSV: of the header row, in any order; JSON lines: members of each object) are the fields
 * of a product: external_id, title, description, category, price, currency, image_url, metadata;
 * others go into metadata under their own names. A price may have a decimal comma. A bad row is
 * told with its line and its field, and the reading goes on. Memory does not grow with the file.
 * One thread at a time. */
#ifndef MP_IMPORT_H
#define MP_IMPORT_H

#include "meta/products.h"

typedef struct mp_import mp_import; /* opaque */

typedef enum mp_import_kind {
    MP_IMPORT_CSV,  /* comma, semicolon or tab, whichever the header row has most of */
    MP_IMPORT_LINES /* one JSON object per line */
} mp_import_kind;

/* A column of the file that is to be read as a field. "" as field: the column is passed over. Names
 * compare without ASCII case. */
typedef struct mp_import_column {
    const char *column, *field;
} mp_import_column;

typedef struct mp_import_options {
    mp_import_kind kind;
    int fd; /* borrowed; read from where it stands */
    const mp_import_column *mapping;
    size_t n_mapping;
} mp_import_options;

enum {
    MP_IMPORT_ROW_MAX = 1 << 20, /* bytes of a row */
    MP_IMPORT_COLUMNS_MAX = 1000
};

/* Reads the beginning of the file (CSV: the header). INVALID: a header that cannot be used, or a
 * mapping to a field that does not exist; UNSUPPORTED: not UTF-8 text (UTF-16, zero bytes); IO. */
MP_CHECK mp_err mp_import_open(mp_import **out, const mp_import_options *opt, mp_why *why);
void mp_import_close(mp_import *in); /* NULL allowed; the descriptor stays open */

/* The next row: fields says what the file has of it (a JSON null or an empty cell is there, and
 * empty), texts in `arena`. *line is where the row begins, the first line being 1. NOT_FOUND: the
 * end of the file. INVALID: this row is refused, `why` begins with the field's name where there is
 * one; go on with the next. Anything else (IO, NOMEM) ends the reading. */
MP_CHECK mp_err mp_import_next(mp_import *in, mp_arena *arena, mp_product_row *row, uint64_t *line,
                               mp_why *why);
/* Bytes of the file that were taken in so far, whole rows alone. */
uint64_t mp_import_bytes(const mp_import *in);

#endif
