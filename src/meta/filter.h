/* filter.h - the --where expression: text to a tree; back ends turn the tree into their query.
 *
 *   tag:holiday  -tag:draft  folder:2024/rome  name:*.png  format:jpeg  size>200kb  width>=1920
 *   height<800  date>=2024-05  date:2024  added>2024-01-01  issue:blurred  state:missing  id:12
 *   project:holiday  project:3,5  product:yes  category:shoes  price<=49.90
 * AND (or just a space), OR, NOT (or -), parentheses; AND binds tighter. Values with spaces in
 * double quotes (\" and \\ inside). See magpie.h for what each means. Pure; any thread. */
#ifndef MP_FILTER_H
#define MP_FILTER_H

#include "base/base.h"

typedef enum mp_filter_op { MP_F_AND, MP_F_OR, MP_F_NOT, MP_F_TEST } mp_filter_op;
typedef enum mp_field {
    MP_FIELD_TAG,
    MP_FIELD_FOLDER,
    MP_FIELD_NAME,
    MP_FIELD_FORMAT,
    MP_FIELD_SIZE,
    MP_FIELD_WIDTH,
    MP_FIELD_HEIGHT,
    MP_FIELD_DATE,
    MP_FIELD_ADDED,
    MP_FIELD_ISSUE,
    MP_FIELD_STATE,
    MP_FIELD_ID,
    MP_FIELD_PROJECT,
    MP_FIELD_PRODUCT,
    MP_FIELD_CATEGORY,
    MP_FIELD_PRICE
} mp_field;
typedef enum mp_relation { MP_EQ, MP_NE, MP_LT, MP_LE, MP_GT, MP_GE } mp_relation;

typedef struct mp_filter mp_filter;
struct mp_filter {
    mp_filter_op op;
    const mp_filter *left, *right; /* NOT: left only */
    mp_field field;
    mp_relation relation;
    const char *text;  /* tag, folder, name glob, format, state word, project */
    int64_t low, high; /* numbers; dates: [low, high) in ms; issue: bit in low */
};

/* The tree lies in `arena`. Empty or blank text gives NULL (matches all). Errors: INVALID with the
 * place ("unknown field 'sise' at 1; known: tag, folder, ..."). At most 4096 bytes, 64 levels. */
MP_CHECK mp_err mp_filter_parse(const char *text, mp_arena *arena, const mp_filter **out,
                                mp_why *why);
/* True when the tree asks for state:trashed anywhere (else trashed items never match). */
bool mp_filter_wants_trashed(const mp_filter *f);

#endif
