/* sketch.c - a line or two of memory that tell which rows a search need not look at.
 *
 * What a search of a large graph costs is waiting for memory: a code of 512 bytes is eight lines,
 * and most rows that are met are too far away to be of use. A sketch is the row along the few
 * directions in which rows have most of their length (basis.h), in 8 bits. Distances along some
 * directions are never longer than the whole ones, d^2 >= d_p^2; and as the rest of a difference is
 * spread over many directions, it is a share of d_p^2 that hardly varies: d^2 >= s d_p^2, where s
 * is measured on this graph's own neighbours, so that of a thousand one is missed. (Measuring the
 * difference, and not the rows themselves, keeps this true of pictures that are nearly the same.)
 *
 * For vectors of length 1 with the parts q, v along the directions and |v|^2 = 1 - r_v^2:
 *     d_p^2 = 2 - r_q^2 - r_v^2 - 2 q v, and the cosine is 1 - d^2 / 2; so it may reach `least`
 * when q v + r_v^2 / 2 >= 1 - r_q^2 / 2 - (1 - least) / s. The left side is one product of bytes:
 * r_v^2 / 2 lies in the last bytes of a stored sketch, and those of the asking one are all the
 * same. All rows have one scale, so that sums compare.
 *
 * Estimating from a part of the coordinates and going on only where it matters: Gao & Long,
 * "High-dimensional approximate nearest neighbor search: with reliable and efficient distance
 * comparison operations" (SIGMOD 2023), there with random directions and all rows alike. */
#include "simd/pairs8.h" /* before store.h, where `row` is a type */

#include "index/basis.h"
#include "index/crew.h"
#include "index/store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 64, REST_BYTES = 4, TOP = 127, BASIS = 128, MAX_SIFTED = 32 };
enum { LEAST_CODE = 256, GROWN = 8 }; /* short codes are hardly longer than sketches */
static const float DEVIATIONS = 4;    /* coordinates are like normal ones: hardly any is cut off */

/* ---- coding ---- */

/* Coordinates along the directions; returns what they leave of the vector's squared length. */
static float look_along(const mp_index *ix, const float *direction, size_t n, const float *unit,
                        float *to)
{
    const size_t dims = (size_t)ix->opt.dims;
    float rest = 1;
    for (size_t i = 0; i < n; i++) {
        to[i] = ix->kernels->dot(direction + i * dims, unit, dims);
        rest -= to[i] * to[i];
    }
    return MP_MAX(rest, 0.0f);
}

static float code_leading(const mp_index *ix, const float *unit, int8_t *code)
{
    const sketching *s = &ix->sketch;
    float at[BASIS], rest = look_along(ix, s->direction, s->n, unit, at);
    (void)mp_pairs8_for(mp_simd_isa())->code(at, s->n, s->scale, code);
    return rest;
}

void mp_sketch_row(const mp_index *ix, const float *unit, uint8_t *to)
{
    const sketching *s = &ix->sketch;
    int8_t code[MP_SKETCH_MOST];
    float rest = code_leading(ix, unit, code);
    int left = (int)ceilf(rest / 2 * s->scale * s->scale / TOP);
    for (size_t i = 0; i < REST_BYTES; i++) {
        int some = MP_MIN(left, (int)TOP);
        code[s->n + i] = (int8_t)some;
        left -= some;
    }
    for (size_t i = 0; i < s->bytes; i++)
        to[i] = (uint8_t)code[i] ^ 0x80;
}

static void ask_with(const mp_index *ix, probe *p, int8_t *code, float rest)
{
    const sketching *s = &ix->sketch;
    memset(code + s->n, TOP, REST_BYTES);
    p->sketch = code;
    p->rest = rest;
    p->sketch_shift = shift_of(code, s->bytes);
}

void mp_sketch_ask_vector(const mp_index *ix, probe *p, int8_t *code)
{
    if (ix->sketch.bytes)
        ask_with(ix, p, code, code_leading(ix, p->unit, code));
}

void mp_sketch_ask_node(const mp_index *ix, uint32_t node, probe *p, int8_t *code)
{
    const sketching *s = &ix->sketch;
    if (!s->bytes)
        return;
    const uint8_t *from = sketch_of(ix, node);
    int rest = 0;
    flip_code(from, s->bytes, code);
    for (size_t i = 0; i < REST_BYTES; i++)
        rest += code[s->n + i];
    ask_with(ix, p, code, (float)rest * TOP * 2 / (s->scale * s->scale));
}

/* ---- sifting ---- */

/* What a sum must reach, in units of codes; rounding is 1/12 of a step in the mean square, of
 * either side, and is allowed for three times over. */
static int32_t least_sum(const sketching *s, const probe *p, float least)
{
    float rounding = 3 * sqrtf(2.0f / 12) / s->scale;
    float sum = 1 - p->rest / 2 - (1 - least) / s->share - rounding;
    return (int32_t)floorf(sum * s->scale * s->scale) + p->sketch_shift;
}

size_t mp_sketch_sift(const mp_index *ix, const probe *p, uint32_t *nodes, size_t n, float least)
{
    const sketching *s = &ix->sketch;
    const int32_t enough = least_sum(s, p, least);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        prefetch_lines(sketch_of(ix, nodes[i]), s->bytes);
    for (size_t from = 0; from < n; from += MAX_SIFTED) {
        const uint8_t *rows[MAX_SIFTED];
        int32_t sum[MAX_SIFTED];
        size_t some = MP_MIN(n - from, (size_t)MAX_SIFTED);
        for (size_t i = 0; i < some; i++)
            rows[i] = sketch_of(ix, nodes[from + i]);
        ix->kernels->dot_codes(p->sketch, rows, some, s->bytes, sum);
        for (size_t i = 0; i < some; i++) {
            nodes[kept] = nodes[from + i]; /* behind what is still to be read */
            kept += sum[i] >= enough;
        }
    }
    return kept;
}

/* ---- how many directions, and what share of a distance they show ---- */

enum { QUERIES = 128, BEAM = 64, NEAR = QUERIES * BEAM, EVERY = 8 };
enum { FAR = QUERIES * (BEAM / EVERY) * MAX_LINKS };
static const size_t choices[] = {LINE - REST_BYTES, 2 * LINE - REST_BYTES}; /* directions */
enum { CHOICES = MP_COUNT(choices) };

typedef struct met {      /* a row that a search met */
    float along[CHOICES]; /* squared distance along so many directions */
    float all;            /* squared distance; of a far one what the beam's last row has */
} met;

typedef struct trial {
    const mp_index *ix;
    const float *direction; /* choices[CHOICES - 1] x dims */
    met *near, *far;
    size_t n_near, n_far;
} trial;

typedef struct looked { /* a row and its coordinates */
    const float *unit;  /* in place or in `room` */
    float room[MAX_DIMS], at[BASIS];
} looked;

static void look_at(const trial *t, uint32_t node, looked *to)
{
    to->unit = mp_store_vector(t->ix, node, to->room);
    (void)look_along(t->ix, t->direction, choices[CHOICES - 1], to->unit, to->at);
}

static float square(const float *a, const float *b, size_t n)
{
    float sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

static met meet(const trial *t, const looked *a, const looked *b)
{
    met m = {.all = square(a->unit, b->unit, (size_t)t->ix->opt.dims)};
    for (size_t c = 0; c < CHOICES; c++)
        m.along[c] = square(a->at, b->at, choices[c]);
    return m;
}

/* The neighbours that a search finds, and those that it meets and leaves out. */
static bool try_one(trial *t, uint32_t query, visited *seen, looked *a, looked *b)
{
    const mp_index *ix = t->ix;
    const node_filter any = {.ix = ix, .any = true};
    heap found = {0};
    int8_t code[MAX_CODE_BYTES];
    uint32_t links[MAX_LINKS];
    float least = 0;
    probe p = mp_probe_of_node(ix, query, code);
    bool fine = mp_graph_beam(ix, &p, query, 0, BEAM, &any, 0, seen, &found);
    look_at(t, query, a);
    for (size_t i = 0; fine && i < found.n; i++) {
        if (found.at[i].node == query)
            continue;
        look_at(t, found.at[i].node, b);
        met m = meet(t, a, b);
        least = MP_MAX(least, m.all);
        t->near[t->n_near++] = m;
    }
    for (size_t i = 0; fine && i < found.n; i += EVERY) {
        size_t n = links_read(ix, found.at[i].node, 0, links);
        for (size_t k = 0; k < n; k++) {
            look_at(t, links[k], b);
            met m = meet(t, a, b);
            if (m.all > least) {
                m.all = least;
                t->far[t->n_far++] = m;
            }
        }
    }
    mp_heap_free(&found);
    return fine;
}

static int by_value(const void *a, const void *b)
{
    const float *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* How many times its distance along the directions a neighbour is away at least, but for one in a
 * thousand. */
static float share_of(const trial *t, size_t choice, float *room)
{
    enum { MISSED = 1000 };
    for (size_t i = 0; i < t->n_near; i++)
        room[i] = t->near[i].all / MP_MAX(t->near[i].along[choice], 1e-12f);
    qsort(room, t->n_near, sizeof *room, by_value);
    return MP_MAX(room[t->n_near / MISSED], 1.0f);
}

/* Lines of memory that a row costs without a sketch: its code, and what belongs to that. */
static float code_lines(const trial *t)
{
    return (float)t->ix->code_bytes / LINE + 1;
}

/* Lines of memory per row that is met, of which `lines` are its sketch's. */
static float cost_of(const trial *t, size_t choice, float share)
{
    size_t passed = 0, lines = (choices[choice] + REST_BYTES) / LINE;
    for (size_t i = 0; i < t->n_far; i++)
        passed += t->far[i].along[choice] * share <= t->far[i].all;
    return (float)lines + code_lines(t) * (float)passed / (float)MP_MAX(t->n_far, (size_t)1);
}

/* What costs least: s->n and s->share; n is zero where all rows had better be looked at. */
static void choose(const trial *t, sketching *s, float *room)
{
    /* A look at a sketch is one more thing to wait for: with less to gain, nothing is gained. */
    static const float worth_it = 0.3f;
    float least = worth_it * code_lines(t);
    for (size_t c = 0; t->n_near && c < CHOICES; c++) {
        float share = share_of(t, c, room), cost = cost_of(t, c, share);
        if (cost < least) {
            least = cost;
            s->n = choices[c];
            s->share = share;
        }
    }
}

static bool try_out(trial *t, sketching *s)
{
    size_t n = atomic_load(&t->ix->n_nodes);
    looked *rows = mp_try_array(2, sizeof *rows);
    float *room = mp_try_array(NEAR, sizeof *room);
    t->near = mp_try_array(NEAR, sizeof *t->near);
    t->far = mp_try_array(FAR, sizeof *t->far);
    bool fine = rows && room && t->near && t->far;
    for (size_t i = 0; fine && i < QUERIES; i++) {
        visited *seen = mp_visited_take(mutable(t->ix));
        fine = try_one(t, (uint32_t)(i * n / QUERIES), seen, &rows[0], &rows[1]);
        mp_visited_give(mutable(t->ix), seen);
    }
    if (fine)
        choose(t, s, room);
    free(rows);
    free(room);
    free(t->near);
    free(t->far);
    return fine;
}

/* ---- fitting ---- */

/* The sample's rows; the caller's with *room, by free. */
static const float **sample_rows(const mp_index *ix, size_t n, float **room)
{
    size_t all = atomic_load(&ix->n_nodes), dims = (size_t)ix->opt.dims;
    const float **list = mp_try_array(n, sizeof *list);
    *room = mp_try_array(n * dims, sizeof **room);
    for (size_t i = 0; list && *room && i < n; i++)
        list[i] = mp_store_vector(ix, (uint32_t)(i * all / n), *room + i * dims);
    return list;
}

static bool find_directions(const mp_index *ix, mp_basis *b)
{
    enum { SAMPLE = 4096 };
    float *room;
    const float **list = sample_rows(ix, SAMPLE, &room);
    mp_why why;
    bool fine = list && room &&
                !mp_basis_find(list, SAMPLE, (size_t)ix->opt.dims, BASIS, b, &why) && b->n == BASIS;
    free(room);
    free(list);
    return fine;
}

static bool find_sketching(const mp_index *ix, sketching *s)
{
    mp_basis b = {0};
    bool fine = find_directions(ix, &b);
    trial t = {.ix = ix, .direction = b.direction};
    fine = fine && try_out(&t, s) && s->n;
    if (fine) {
        s->direction = mp_basis_spread(&b, s->n, (size_t)ix->opt.dims);
        s->bytes = s->n + REST_BYTES;
        s->scale = TOP / DEVIATIONS * sqrtf((float)s->n);
        fine = s->direction;
    }
    free(b.direction);
    return fine;
}

enum { BLOCK = 256 };

static mp_err sketch_block(void *context, size_t block, mp_why *why)
{
    mp_index *ix = context;
    size_t end = MP_MIN((block + 1) * BLOCK, (size_t)atomic_load(&ix->n_nodes));
    float room[MAX_DIMS];
    (void)why;
    for (size_t i = block * BLOCK; i < end; i++)
        mp_sketch_row(ix, mp_store_vector(ix, (uint32_t)i, room),
                      ix->sketches.at + i * ix->sketch.bytes);
    return MP_OK;
}

void mp_sketch_drop(mp_index *ix)
{
    free(ix->sketch.direction);
    ix->sketch = (sketching){0};
    mp_region_empty(&ix->sketches);
}

bool mp_sketch_is_due(const mp_index *ix)
{
    size_t n = atomic_load(&ix->n_nodes);
    return ix->graph && ix->code_bytes >= LEAST_CODE && n >= ix->sketch_from &&
           n / GROWN >= ix->sketch.fitted;
}

void mp_sketch_fit(mp_index *ix)
{
    mp_why why;
    sketching s = {0};
    size_t n = atomic_load(&ix->n_nodes);
    bool fine = find_sketching(ix, &s);
    mp_sketch_drop(ix);
    if (fine && !mp_region_grow(&ix->sketches, n * s.bytes, &why)) {
        ix->sketch = s;
        fine = !mp_crew_run(sketch_block, ix, (n + BLOCK - 1) / BLOCK, ix->opt.threads, &why);
    } else {
        free(s.direction);
        fine = false;
    }
    if (!fine)
        mp_sketch_drop(ix);
    ix->sketch.fitted = (uint32_t)n;
}
