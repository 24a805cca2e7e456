/* pairs8.h - which pairs of two blocks of coded rows could be near: dot products of 8-bit codes by
 * tiles, of which only the pairs that pass a threshold come out.
 *
 * Rows are stored as code + 128 in unsigned bytes, columns as signed codes in panels of MP_PANEL,
 * packed[panel][depth / 4][MP_PANEL][4]; codes lie in -127..127. A pair (r, c) passes when
 *
 *     sum(row code * column code) + column_slack[c] + row_slack[r]
 *         >= min(row_least[r], column_least[c])
 *
 * because each score serves both rows: it is wanted when one of the two wants it. Sums are whole
 * numbers, so all sets give the same pairs in the same order (panels; within one by rows, within a
 * row by columns). Any thread. */
#ifndef MP_PAIRS8_H
#define MP_PAIRS8_H

#include "simd/dense.h"

enum { MP_PAIRS8_GROUP = 4, MP_PAIRS8_MOST = 1 << 15, MP_PAIRS8_SPARE = 16 };

typedef struct mp_pairs8 {
    const uint8_t *row; /* n_rows x depth */
    const int32_t *row_slack, *row_least;
    size_t n_rows;             /* at most MP_PAIRS8_MOST */
    const int8_t *column;      /* 64-byte aligned panels */
    const int32_t *column_sum; /* of a column's codes; these three have `width` entries */
    const int32_t *column_slack, *column_least;
    size_t width; /* columns, a multiple of MP_PANEL, at most MP_PAIRS8_MOST */
    size_t depth; /* bytes of a row, a multiple of MP_PAIRS8_GROUP */
} mp_pairs8;

static inline uint32_t mp_pair8(size_t row, size_t column)
{
    return (uint32_t)(row << 16 | column);
}
static inline size_t mp_pair8_row(uint32_t pair)
{
    return pair >> 16;
}
static inline size_t mp_pair8_column(uint32_t pair)
{
    return pair & 0xFFFF;
}

/* Never passes: for the columns that fill the last panel. Far from the ends, so that sums fit. */
#define MP_PAIRS8_NEVER_SLACK (INT32_MIN / 2)
#define MP_PAIRS8_NEVER_LEAST (INT32_MAX / 2)

typedef struct mp_pairs8_kernels {
    const char *word;
    /* How many pairs passed; out has room for n_rows * width + MP_PAIRS8_SPARE. */
    size_t (*find)(const mp_pairs8 *t, uint32_t *out);
    /* code[i] = v[i] * scale, rounded (ties to even) and cut off at -127 and 127. The squared
     * length of v * scale - code; of that, sets differ by rounding. v is finite. */
    float (*code)(const float *v, size_t n, float scale, int8_t *code);
} mp_pairs8_kernels;

/* For an instruction set; the scalar set where it has none of its own. */
const mp_pairs8_kernels *mp_pairs8_for(mp_isa isa);

/* Puts one column (depth codes) at its place among the packed panels. */
void mp_pairs8_put(const int8_t *code, size_t depth, size_t column, int8_t *packed);

extern const mp_pairs8_kernels mp_pairs8_scalar;
#if defined(__x86_64__)
extern const mp_pairs8_kernels mp_pairs8_avx2, mp_pairs8_vnni;
#elif defined(__aarch64__)
extern const mp_pairs8_kernels mp_pairs8_neon, mp_pairs8_dotprod;
#endif

#endif
