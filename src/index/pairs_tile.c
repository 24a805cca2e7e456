/* pairs_tile.c - two blocks of rows against each other, and what comes out of it. See
 * pairs_parts.h.
 *
 * Two tasks may share a block. Thresholds are copied under the block's lock and may be older than
 * what the block knows by then: they only rise, so an old one lets more through. */
#include "index/pairs_parts.h"

#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 4 };
/* Rows are of length 1 within 0.001; f32 sums are off by less than this. */
static const float LENGTH = 1.001f, ROUNDING = 4e-6f;

/* ---- the k best of a row ---- */

static bool worse(near_row a, near_row b)
{
    return a.score < b.score || (a.score == b.score && a.at > b.at);
}

static void sink(near_row *heap, size_t n, size_t i, near_row x)
{
    for (;;) {
        size_t down = 2 * i + 1;
        if (down >= n)
            break;
        if (down + 1 < n && worse(heap[down + 1], heap[down]))
            down++;
        if (!worse(heap[down], x))
            break;
        heap[i] = heap[down];
        i = down;
    }
    heap[i] = x;
}

/* Rounded down, and with room for the rounding of scores. */
static void note_least(pairs_run *p, size_t place)
{
    p->least[place] = (int32_t)((p->worst[place] - ROUNDING) * p->scale * p->scale) - 1;
}

static void offer(pairs_run *p, size_t place, near_row x)
{
    near_row *heap = p->best + place * p->k;
    if (p->n_best[place] == p->k) {
        if (!worse(heap[0], x))
            return;
        sink(heap, p->k, 0, x);
    } else {
        size_t i = p->n_best[place]++;
        for (; i > 0 && worse(x, heap[(i - 1) / 2]); i = (i - 1) / 2)
            heap[i] = heap[(i - 1) / 2];
        heap[i] = x;
    }
    if (p->n_best[place] == p->k) {
        p->worst[place] = heap[0].score;
        note_least(p, place);
    }
}

void mp_pairs_sort(near_row *best, size_t n)
{
    for (; n > 1; n--) { /* the worst goes to the end of what is left */
        near_row last = best[n - 1];
        best[n - 1] = best[0];
        sink(best, n - 1, 0, last);
    }
}

/* ---- pairs that are left ---- */

/* One row and up to four others. */
typedef struct handful {
    size_t row, other[AT_ONCE], n;
} handful;

static bool could_be_near(const pairs_run *p, const handful *h, size_t i, int32_t sum)
{
    fine_code a = p->fine_how[h->row], b = p->fine_how[h->other[i]];
    float score = (float)(sum - a.shift) * a.scale * b.scale;
    float most = score + LENGTH * (a.error + b.error) + a.error * b.error + ROUNDING;
    return most >= MP_MIN(p->worst[h->row], p->worst[h->other[i]]);
}

static void score_pair(pairs_run *p, size_t a, size_t b)
{
    float score = p->distance->dot(p->row[a], p->row[b], p->dims);
    offer(p, a, (near_row){score, p->at[b]});
    offer(p, b, (near_row){score, p->at[a]});
}

static void prefetch_row(const pairs_run *p, size_t place)
{
    enum { LINE = 16 };
    for (size_t d = 0; d < p->dims; d += LINE)
        __builtin_prefetch(p->row[place] + d);
}

/* s->query holds the codes of h->row. */
static void score_handful(pairs_run *p, const handful *h, const pairs_scratch *s)
{
    const uint8_t *code[AT_ONCE];
    int32_t sum[AT_ONCE];
    for (size_t i = 0; i < h->n; i++)
        code[i] = p->fine + h->other[i] * p->fine_bytes;
    p->distance->dot_codes(s->query, code, h->n, p->fine_bytes, sum);
    size_t near[AT_ONCE], n = 0;
    for (size_t i = 0; i < h->n; i++)
        if (could_be_near(p, h, i, sum[i])) {
            prefetch_row(p, h->other[i]);
            near[n++] = h->other[i];
        }
    for (size_t i = 0; i < n; i++)
        score_pair(p, h->row, near[i]);
}

static void flip(const uint8_t *restrict code, size_t n, int8_t *restrict to)
{
    for (size_t d = 0; d < n; d++)
        to[d] = (int8_t)(code[d] ^ 0x80);
}

static void take_query(const pairs_run *p, size_t row, pairs_scratch *s)
{
    flip(p->fine + row * p->fine_bytes, p->fine_bytes, s->query);
}

/* ---- within a block ---- */

static void within(pairs_run *p, size_t block, pairs_scratch *s, void *context)
{
    (void)context;
    size_t from = block * PAIRS_BLOCK, to = from + pairs_block_rows(p, block);
    for (size_t i = from; i < to; i++) {
        take_query(p, i, s);
        for (size_t j = i + 1; j < to;) {
            handful h = {.row = i};
            for (; j < to && h.n < AT_ONCE; j++)
                h.other[h.n++] = j;
            score_handful(p, &h, s);
        }
    }
}

mp_err mp_pairs_within_blocks(pairs_run *p, mp_why *why)
{
    return mp_pairs_each(p, pairs_blocks(p), within, NULL, why);
}

/* ---- between two blocks ---- */

static void take_least(pairs_run *p, size_t block, int32_t *least)
{
    size_t n = pairs_block_rows(p, block);
    pthread_mutex_lock(&p->lock[block]);
    memcpy(least, p->least + block * PAIRS_BLOCK, n * sizeof *least);
    pthread_mutex_unlock(&p->lock[block]);
    for (size_t i = n; i < PAIRS_BLOCK; i++)
        least[i] = MP_PAIRS8_NEVER_LEAST;
}

static size_t find_pairs(pairs_run *p, size_t a, size_t b, pairs_scratch *s)
{
    size_t row = a * PAIRS_BLOCK, column = b * PAIRS_BLOCK, n = pairs_block_rows(p, b);
    mp_pairs8 t = {.row = p->coarse_row + row * p->depth,
                   .row_slack = p->slack + row,
                   .row_least = s->row_least,
                   .n_rows = pairs_block_rows(p, a),
                   .column = p->coarse_column + column * p->depth,
                   .column_sum = p->sum + column,
                   .column_slack = p->slack + column,
                   .column_least = s->column_least,
                   .width = (n + MP_PANEL - 1) / MP_PANEL * MP_PANEL,
                   .depth = p->depth};
    take_least(p, a, s->row_least);
    take_least(p, b, s->column_least);
    return p->pairs8->find(&t, s->found);
}

/* Pairs come panel by panel; by rows each row's codes are made ready once. */
static void sort_by_row(size_t n, pairs_scratch *s)
{
    uint32_t end[PAIRS_BLOCK] = {0}, sum = 0;
    for (size_t i = 0; i < n; i++)
        end[mp_pair8_row(s->found[i])]++;
    for (size_t r = 0; r < PAIRS_BLOCK; r++) {
        uint32_t here = end[r];
        end[r] = sum;
        sum += here;
    }
    for (size_t i = 0; i < n; i++)
        s->by_row[end[mp_pair8_row(s->found[i])]++] = s->found[i];
    memcpy(s->found, s->by_row, n * sizeof *s->found);
}

static void score_by_fine_codes(pairs_run *p, size_t a, size_t b, size_t n, pairs_scratch *s)
{
    sort_by_row(n, s);
    for (size_t i = 0; i < n;) {
        size_t row = mp_pair8_row(s->found[i]);
        handful h = {.row = a * PAIRS_BLOCK + row};
        if (i == 0 || row != mp_pair8_row(s->found[i - 1]))
            take_query(p, h.row, s);
        for (; i < n && h.n < AT_ONCE && mp_pair8_row(s->found[i]) == row; i++)
            h.other[h.n++] = b * PAIRS_BLOCK + mp_pair8_column(s->found[i]);
        score_handful(p, &h, s);
    }
}

/* Coarse codes of all coordinates say as much as the fine ones. */
static void score_by_rows(pairs_run *p, size_t a, size_t b, size_t n, const pairs_scratch *s)
{
    enum { AHEAD = 4 };
    for (size_t i = 0; i < n; i++) {
        if (i + AHEAD < n)
            prefetch_row(p, b * PAIRS_BLOCK + mp_pair8_column(s->found[i + AHEAD]));
        score_pair(p, a * PAIRS_BLOCK + mp_pair8_row(s->found[i]),
                   b * PAIRS_BLOCK + mp_pair8_column(s->found[i]));
    }
}

/* Every unordered pair of different blocks once, close ones first: block i with i + 1 for all i,
 * then i + 2, ..., around the circle. */
static void between(pairs_run *p, size_t task, pairs_scratch *s, void *context)
{
    task += *(const size_t *)context;
    size_t blocks = pairs_blocks(p), a = task % blocks, b = (a + task / blocks + 1) % blocks;
    size_t low = MP_MIN(a, b), high = MP_MAX(a, b);
    size_t n = find_pairs(p, low, high, s);
    if (!n)
        return;
    pthread_mutex_lock(&p->lock[low]);
    pthread_mutex_lock(&p->lock[high]);
    if (p->leading)
        score_by_fine_codes(p, low, high, n, s);
    else
        score_by_rows(p, low, high, n, s);
    pthread_mutex_unlock(&p->lock[high]);
    pthread_mutex_unlock(&p->lock[low]);
}

mp_err mp_pairs_between_blocks(pairs_run *p, size_t from, size_t to, mp_why *why)
{
    for (size_t i = 0; i < p->n; i++) /* the units are those of the codes */
        note_least(p, i);
    return mp_pairs_each(p, to - from, between, &from, why);
}
