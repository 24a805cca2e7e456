/* phash.c - 64-bit DCT hash (Zauner, Implementation and Benchmarking of Perceptual Image Hash
 * Functions, 2010) and its eight symmetries.
 *
 * Turning or mirroring a picture permutes its DCT coefficients and flips some signs, so all eight
 * hashes come from one transform: with C[u][v] of the picture, a left-right mirror has
 * (-1)^v C[u][v], and a quarter turn clockwise has (-1)^v C[v][u]. The transform is done in whole
 * numbers with an exactly symmetric table: the same bits on every machine, and a coefficient that
 * must be 0 (blank and symmetric pictures) is 0, not rounding noise. */
#include "image/image.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 32, LOW = 8, SCALE = 1 << 14 };

/* 32 * 255 * 2^14 fits int32; the second pass adds 19 bits more. */
static int32_t basis[LOW][SIDE];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fill_basis(void)
{
    const double pi = 3.14159265358979323846;
    for (int u = 0; u < LOW; u++)
        for (int x = 0; x < SIDE / 2; x++) {
            int32_t value = (int32_t)lround(SCALE * cos(pi * u * (2 * x + 1) / (2.0 * SIDE)));
            basis[u][x] = value;
            basis[u][SIDE - 1 - x] = u & 1 ? -value : value;
        }
}

static void transform(const uint8_t *px, int64_t c[LOW][LOW])
{
    int32_t rows[SIDE][LOW];
    pthread_once(&once, fill_basis);
    for (int y = 0; y < SIDE; y++)
        for (int v = 0; v < LOW; v++) {
            int32_t sum = 0;
            for (int x = 0; x < SIDE; x++)
                sum += basis[v][x] * px[y * SIDE + x];
            rows[y][v] = sum;
        }
    for (int u = 0; u < LOW; u++)
        for (int v = 0; v < LOW; v++) {
            int64_t sum = 0;
            for (int y = 0; y < SIDE; y++)
                sum += (int64_t)basis[u][y] * rows[y][v];
            c[u][v] = sum;
        }
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* A bit is set where a coefficient is above the median of the 64. */
static uint64_t hash_of(int64_t c[LOW][LOW])
{
    int64_t sorted[LOW * LOW];
    memcpy(sorted, c, sizeof sorted);
    qsort(sorted, LOW * LOW, sizeof *sorted, by_value);
    int64_t twice_median = sorted[LOW * LOW / 2 - 1] + sorted[LOW * LOW / 2];
    uint64_t hash = 0;
    for (int i = 0; i < LOW * LOW; i++)
        hash = hash << 1 | (2 * c[i / LOW][i % LOW] > twice_median);
    return hash;
}

static void quarter_turn(int64_t from[LOW][LOW], int64_t to[LOW][LOW])
{
    for (int u = 0; u < LOW; u++)
        for (int v = 0; v < LOW; v++)
            to[u][v] = v & 1 ? -from[v][u] : from[v][u];
}

static void mirror(int64_t from[LOW][LOW], int64_t to[LOW][LOW])
{
    for (int u = 0; u < LOW; u++)
        for (int v = 0; v < LOW; v++)
            to[u][v] = v & 1 ? -from[u][v] : from[u][v];
}

static bool coefficients(const mp_image *im, int64_t c[LOW][LOW])
{
    mp_image small = {0}, grey = {0};
    bool ok = mp_resize(im, SIDE, SIDE, MP_BILINEAR, &small, NULL) == MP_OK &&
              mp_to_grey(&small, &grey, NULL) == MP_OK;
    if (ok)
        transform(grey.px, c);
    mp_image_free(&small);
    mp_image_free(&grey);
    return ok;
}

void mp_phash8(const mp_image *im, uint64_t out[8])
{
    int64_t turned[4][LOW][LOW], flipped[4][LOW][LOW];
    memset(out, 0, 8 * sizeof *out);
    if (!coefficients(im, turned[0])) /* only without memory for 1 kB: no hash, no match */
        return;
    mirror(turned[0], flipped[0]);
    for (int i = 0; i < 3; i++) {
        quarter_turn(turned[i], turned[i + 1]);
        quarter_turn(flipped[i], flipped[i + 1]);
    }
    for (int i = 0; i < 4; i++) {
        out[i] = hash_of(turned[i]);
        out[4 + i] = hash_of(flipped[i]);
    }
}

uint64_t mp_phash(const mp_image *im)
{
    uint64_t all[8];
    mp_phash8(im, all);
    return all[0];
}

int mp_hamming64(uint64_t a, uint64_t b)
{
    return __builtin_popcountll(a ^ b);
}
