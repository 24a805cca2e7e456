/* bench_index.c - building and searching the index, with recall against the scan.
 *
 *     bench_index [POINTS [DIMS]]      one JSON object; default 20,000 x 512
 *     bench_index --write FILE POINTS DIMS [CENTRES]   that many rows and the queries, raw f32,
 * normalised, around so many centres (400)
 *     bench_index --steps FILE DIMS POINTS FOLDER [f16]   for peers: the first POINTS rows of it,
 * the last ones as queries; the index keeps its vectors in FOLDER. Reads lines "build THREADS",
 * "search EF THREADS", "scan", "join", "reload" (saved to FOLDER and loaded again), "memory" and
 * answers each with an object: "us" is per row of the build or of the join, or per query when all
 * queries are asked at once by so many threads. The join is what dupes asks of a large library: the
 * neighbours of every row.
 *
 * Without steps, searches are timed one by one on one thread; median and quartiles are printed. */
#include "index/index.h"
#include "simd/distance.h"
#include "timing.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { QUERIES = 1000, K = 10, MAX_THREADS = 64, CENTRES = 400, INTRINSIC = 48 };

typedef struct rows {
    float *v;
    size_t n, dims;
} rows;

static void fail(const char *what, const mp_why *why)
{
    fprintf(stderr, "bench_index: %s: %s\n", what, why->text);
    exit(1);
}

/* Clusters in a low-dimensional subspace, and a little noise. */
static rows make_rows(size_t n, size_t dims, size_t centres)
{
    mp_rng rng = {11};
    rows r = {mp_xcalloc(n * dims, sizeof(float)), n, dims};
    float *basis = mp_xcalloc(INTRINSIC * dims, sizeof *basis);
    float *centre = mp_xcalloc(centres * INTRINSIC, sizeof *centre);
    for (size_t i = 0; i < INTRINSIC * dims; i++)
        basis[i] = (float)mp_rng_gauss(&rng);
    for (size_t i = 0; i < centres * INTRINSIC; i++)
        centre[i] = (float)mp_rng_gauss(&rng);
    for (size_t i = 0; i < n; i++) {
        const float *c = centre + (mp_rng_u64(&rng) % centres) * INTRINSIC;
        float *to = r.v + i * dims;
        for (size_t d = 0; d < dims; d++)
            to[d] = 0.4f * (float)mp_rng_gauss(&rng);
        for (int k = 0; k < INTRINSIC; k++) {
            float low = c[k] + 0.8f * (float)mp_rng_gauss(&rng);
            for (size_t d = 0; d < dims; d++)
                to[d] += low * basis[(size_t)k * dims + d];
        }
        (void)mp_normalise(to, dims);
    }
    free(basis);
    free(centre);
    return r;
}

/* Mapped, so that this program's own memory is the index's. */
static rows read_rows(const char *path, size_t dims)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *at = MAP_FAILED;
    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0)
        at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) {
        perror(path);
        exit(1);
    }
    close(fd);
    return (rows){at, (size_t)st.st_size / sizeof(float) / dims, dims};
}

static void search_all(const mp_index *ix, const rows *r, size_t first, mp_search_options opt,
                       double *seconds, mp_neighbour *out)
{
    for (size_t q = 0; q < QUERIES; q++) {
        mp_why why;
        size_t n;
        double began = mp_monotonic_s();
        if (mp_index_search(ix, r->v + (first + q) * r->dims, &opt, out + q * K, &n, &why))
            fail("search", &why);
        seconds[q] = mp_monotonic_s() - began;
    }
    qsort(seconds, QUERIES, sizeof *seconds, timing_order);
}

static double recall(const mp_neighbour *want, const mp_neighbour *have)
{
    size_t hit = 0;
    for (size_t q = 0; q < QUERIES; q++)
        for (size_t i = 0; i < K; i++)
            for (size_t k = 0; k < K; k++)
                hit += want[q * K + i].label == have[q * K + k].label;
    return (double)hit / (QUERIES * K);
}

static mp_index *build(const rows *r, size_t n, mp_index_options opt, double *seconds)
{
    mp_index *ix;
    mp_why why;
    opt.dims = (int)r->dims;
    int64_t *labels = mp_xcalloc(n, sizeof *labels);
    for (size_t i = 0; i < n; i++)
        labels[i] = (int64_t)i + 1;
    if (mp_index_open(&ix, "hnsw", &opt, &why))
        fail("open", &why);
    double began = mp_monotonic_s();
    if (mp_index_add_many(ix, labels, r->v, n, NULL, NULL, &why))
        fail("build", &why);
    *seconds = mp_monotonic_s() - began;
    free(labels);
    return ix;
}

static int write_rows(const char *path, const rows *r)
{
    FILE *f = fopen(path, "wb");
    bool ok = f && fwrite(r->v, sizeof(float) * r->dims, r->n, f) == r->n;
    if (!f || fclose(f) != 0 || !ok) {
        perror(path);
        return 1;
    }
    return 0;
}

/* ---- steps ---- */

typedef struct turn { /* all queries by several threads at once */
    const mp_index *ix;
    const rows *r;
    int ef;
    mp_neighbour *out;
    _Atomic size_t next;
} turn;

static void *ask(void *context)
{
    enum { SLICE = 10 };
    turn *t = context;
    mp_search_options opt = {.k = K, .ef = t->ef};
    const float *queries = t->r->v + (t->r->n - QUERIES) * t->r->dims;
    for (;;) {
        size_t first = atomic_fetch_add(&t->next, SLICE), n;
        if (first >= QUERIES)
            return NULL;
        for (size_t q = first; q < first + SLICE; q++) {
            mp_why why;
            if (mp_index_search(t->ix, queries + q * t->r->dims, &opt, t->out + q * K, &n, &why))
                fail("search", &why);
        }
    }
}

static double ask_all(const mp_index *ix, const rows *r, int ef, int threads, mp_neighbour *out)
{
    pthread_t ids[MAX_THREADS];
    turn t = {.ix = ix, .r = r, .ef = ef, .out = out};
    int others = 0;
    double began = mp_monotonic_s();
    while (others < MP_MIN(threads, MAX_THREADS) - 1 &&
           pthread_create(&ids[others], NULL, ask, &t) == 0)
        others++;
    ask(&t);
    for (int i = 0; i < others; i++)
        pthread_join(ids[i], NULL);
    return (mp_monotonic_s() - began) / QUERIES * 1e6;
}

static double scan_us(const double *seconds)
{
    double sum = 0;
    for (size_t i = 0; i < QUERIES; i++)
        sum += seconds[i];
    return sum / QUERIES * 1e6;
}

/* The share of the exact neighbours of some rows that the join found. */
static double join_recall(const mp_index *ix, size_t n, const mp_neighbour *found)
{
    enum { ROWS = 200 };
    size_t right = 0, all = 0;
    static float row[1 << 16]; /* more than an index takes */
    mp_why why;
    for (size_t i = 0; i < n; i += MP_MAX(n / ROWS, (size_t)1)) {
        mp_neighbour exact[K + 1];
        mp_search_options opt = {.k = K + 1, .exact = true};
        size_t n_exact = 0;
        if (mp_index_get(ix, (int64_t)i + 1, row, &why) ||
            mp_index_search(ix, row, &opt, exact, &n_exact, &why))
            fail("exact neighbours", &why);
        for (size_t e = 0; e < n_exact; e++)
            for (size_t k = 0; exact[e].label != (int64_t)i + 1 && k < K; k++)
                right += found[i * K + k].label == exact[e].label;
        all += MP_MIN(n_exact - 1, (size_t)K);
    }
    return all ? (double)right / (double)all : 1;
}

/* The neighbours of every row of the index. */
static void join(const mp_index *ix, size_t n)
{
    int64_t *labels = mp_xcalloc(n, sizeof *labels);
    mp_neighbour *found = mp_xcalloc(n * K, sizeof *found);
    mp_why why;
    for (size_t i = 0; i < n; i++)
        labels[i] = (int64_t)i + 1;
    double began = mp_monotonic_s();
    if (mp_index_knn(ix, labels, n, K, found, NULL, NULL, &why))
        fail("join", &why);
    double spent = mp_monotonic_s() - began;
    printf("{\"us\":%.3f,\"recall\":%.4f}\n", spent / (double)n * 1e6, join_recall(ix, n, found));
    free(labels);
    free(found);
}

/* Saved, closed, and opened again from the file: seconds. */
static double reload(mp_index **ix, const rows *r, mp_index_options opt)
{
    char path[4096];
    uint64_t stamp;
    mp_why why;
    snprintf(path, sizeof path, "%s/bench_index.%ld", opt.folder, (long)getpid());
    opt.dims = (int)r->dims;
    double began = mp_monotonic_s();
    if (mp_index_save(*ix, path, 1, &why))
        fail("save", &why);
    mp_index_close(*ix);
    if (mp_index_open(ix, "hnsw", &opt, &why) || mp_index_load(*ix, path, &stamp, &why))
        fail("load", &why);
    double spent = mp_monotonic_s() - began;
    unlink(path);
    return spent;
}

/* One step per line, so that a peer can take its turn in between. */
static void take_steps(const rows *r, size_t n, mp_index_options opt, mp_neighbour *want,
                       mp_neighbour *have, double *seconds)
{
    char line[64];
    int number, threads;
    mp_index *ix = NULL;
    while (fgets(line, sizeof line, stdin)) {
        double us = 0;
        if (sscanf(line, "build %d", &opt.threads) == 1) {
            mp_index_close(ix);
            ix = build(r, n, opt, &us);
            printf("{\"us\":%.3f}\n", us / (double)n * 1e6);
        } else if (ix && strncmp(line, "scan", 4) == 0) {
            search_all(ix, r, r->n - QUERIES, (mp_search_options){.k = K, .exact = true}, seconds,
                       want);
            printf("{\"us\":%.3f}\n", scan_us(seconds));
        } else if (ix && sscanf(line, "search %d %d", &number, &threads) == 2) {
            us = ask_all(ix, r, number, threads, have);
            printf("{\"us\":%.3f,\"recall\":%.4f}\n", us, recall(want, have));
        } else if (ix && strncmp(line, "join", 4) == 0) {
            join(ix, n);
        } else if (ix && strncmp(line, "reload", 6) == 0) {
            us = reload(&ix, r, opt);
            printf("{\"us\":%.3f}\n", us / (double)n * 1e6);
        } else if (ix && strncmp(line, "memory", 6) == 0) {
            mp_index_bytes b = mp_index_memory(ix);
            printf("{\"heap\":%zu,\"mapped\":%zu}\n", b.heap, b.mapped);
        } else {
            printf("{\"error\":\"not understood\"}\n");
        }
        fflush(stdout);
    }
    mp_index_close(ix);
}

static void report(const rows *r, size_t n, mp_neighbour *want, mp_neighbour *have, double *graph,
                   double *scan)
{
    double build_s;
    mp_index *ix = build(r, n, (mp_index_options){0}, &build_s);
    search_all(ix, r, n, (mp_search_options){.k = K, .exact = true}, scan, want);
    search_all(ix, r, n, (mp_search_options){.k = K}, graph, have);
    printf("{\"bench\": \"index\", ");
    timing_machine();
    printf(", \"points\":%zu,\"dims\":%zu,\"m\":16,\"ef_construction\":100,"
           "\"build_s\":%.3f,\"recall_at_10\":%.4f,"
           "\"search_us\":{\"median\":%.1f,\"q1\":%.1f,\"q3\":%.1f},"
           "\"scan_us\":{\"median\":%.1f,\"q1\":%.1f,\"q3\":%.1f}}\n",
           n, r->dims, build_s, recall(want, have), graph[QUERIES / 2] * 1e6,
           graph[QUERIES / 4] * 1e6, graph[QUERIES * 3 / 4] * 1e6, scan[QUERIES / 2] * 1e6,
           scan[QUERIES / 4] * 1e6, scan[QUERIES * 3 / 4] * 1e6);
    mp_index_close(ix);
}

static size_t number(int argc, char **argv, int at, size_t otherwise)
{
    return argc > at ? strtoul(argv[at], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    bool steps = (argc == 6 || argc == 7) && strcmp(argv[1], "--steps") == 0;
    bool write = (argc == 5 || argc == 6) && strcmp(argv[1], "--write") == 0;
    int first = write ? 3 : 1;
    rows r = steps ? read_rows(argv[2], number(argc, argv, 3, 1))
                   : make_rows(number(argc, argv, first, 20000) + QUERIES,
                               number(argc, argv, first + 1, 512),
                               MP_MAX(number(argc, argv, 5, CENTRES), (size_t)1));
    if (r.n <= QUERIES) {
        fprintf(stderr, "bench_index: at least %d rows are needed\n", QUERIES + 1);
        return 2;
    }
    size_t n = r.n - QUERIES; /* the last ones are the queries */
    mp_index_options opt = {.folder = steps ? argv[5] : NULL,
                            .storage = argc == 7 ? MP_INDEX_F16 : MP_INDEX_F32};
    mp_neighbour *want = mp_xcalloc(QUERIES * K, sizeof *want);
    mp_neighbour *have = mp_xcalloc(QUERIES * K, sizeof *have);
    double *graph = mp_xcalloc(QUERIES, sizeof *graph), *scan = mp_xcalloc(QUERIES, sizeof *scan);
    int status = 0;
    if (write)
        status = write_rows(argv[2], &r);
    else if (steps)
        take_steps(&r, MP_MIN(n, number(argc, argv, 4, n)), opt, want, have, graph);
    else
        report(&r, n, want, have, graph, scan);
    free(want);
    free(have);
    free(graph);
    free(scan);
    if (!steps)
        free(r.v);
    return status;
}
