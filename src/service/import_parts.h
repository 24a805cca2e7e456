/* import_parts.h - what import.c, import_csv.c and import_lines.c share. */
#ifndef MP_IMPORT_PARTS_H
#define MP_IMPORT_PARTS_H

#include "service/import.h"

/* In the order of the bits MP_PRODUCT_EXTERNAL_ID, ... */
typedef enum import_field {
    FIELD_EXTERNAL_ID,
    FIELD_TITLE,
    FIELD_DESCRIPTION,
    FIELD_CATEGORY,
    FIELD_PRICE,
    FIELD_CURRENCY,
    FIELD_IMAGE_URL,
    FIELD_METADATA,
    FIELD_OTHER, /* goes into metadata */
    FIELD_NONE   /* is passed over */
} import_field;

enum { IMPORT_BLOCK = 64 * 1024 };

typedef struct import_column {
    import_field field;
    char *key; /* of FIELD_OTHER: the name as a JSON string */
} import_column;

struct mp_import {
    mp_import_kind kind;
    int fd;
    struct {
        char *column;
        import_field field;
    } * mapping;
    size_t n_mapping;

    /* What was read and not yet taken: block[at..filled). */
    uint8_t *block;
    size_t at, filled;
    bool ended;
    uint64_t before;    /* bytes of the file before the block */
    uint64_t done;      /* bytes up to the end of the last row */
    uint64_t next_line; /* of the next byte */

    char *row; /* MP_IMPORT_ROW_MAX and two more bytes */
    size_t n_row;

    /* CSV alone */
    char delimiter;
    bool after_cr; /* a row ended with CR: a LF that follows belongs to it */
    import_column *columns;
    size_t n_columns;
    size_t cells[MP_IMPORT_COLUMNS_MAX + 1]; /* where each begins in `row` */
    size_t n_cells;
    unsigned fields;

    mp_buf others; /* members for metadata that the row has besides: "a":1,"b":2 */
};

/* Reads on when the block is used up; at == filled then means the end of the file. */
MP_CHECK mp_err import_fill(mp_import *in, mp_why *why);

/* FIELD_OTHER when no field is called so. */
import_field import_field_of(const mp_import *in, mp_str name);
const char *import_field_name(import_field field);
/* Notes that the row has the field; INVALID when it has it already. */
MP_CHECK mp_err import_claim(unsigned *fields, import_field field, mp_why *why);
/* Without the blanks and line ends around it; the text has no zero bytes. */
mp_str import_trimmed(mp_str text);
/* Sets one of the fields up to FIELD_METADATA from its text. */
MP_CHECK mp_err import_set(mp_product *p, import_field field, mp_str text, mp_arena *arena,
                           mp_why *why);
/* `key` and `value` are JSON texts. */
void import_add_other(mp_import *in, mp_str key, mp_str value);
/* Puts the others into the metadata and holds the row against the limits. */
MP_CHECK mp_err import_finish(mp_import *in, mp_product_row *row, mp_arena *arena, mp_why *why);

MP_CHECK mp_err import_csv_open(mp_import *in, mp_why *why);
MP_CHECK mp_err import_csv_next(mp_import *in, mp_arena *arena, mp_product_row *row, uint64_t *line,
                                mp_why *why);
MP_CHECK mp_err import_lines_open(mp_import *in, mp_why *why);
MP_CHECK mp_err import_lines_next(mp_import *in, mp_arena *arena, mp_product_row *row,
                                  uint64_t *line, mp_why *why);

#endif
