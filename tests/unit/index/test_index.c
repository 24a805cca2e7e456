/* The index's promises on small sets: order, ties, shared vectors, replacement, damage, threads. */
#include "../test.h"
#include "base/os.h"
#include "index/index.h"
#include "simd/distance.h"

#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Built twice: 33 is too short for codes, 130 has them, and padding. */
#ifndef DIMS
#define DIMS 33
#endif

static mp_index *open_index(const char *kind)
{
    mp_why why;
    mp_index *ix;
    mp_index_options opt = {.dims = DIMS, .threads = 2, .tag = 9};
    assert_ok(mp_index_open(&ix, kind, &opt, &why));
    return ix;
}

static void fill(mp_index *ix, int64_t first, size_t n, uint64_t seed)
{
    mp_why why;
    mp_rng rng = {seed};
    float *v = mp_xcalloc(n * DIMS, sizeof *v);
    int64_t *labels = mp_xcalloc(n, sizeof *labels);
    for (size_t i = 0; i < n * DIMS; i++)
        v[i] = (float)mp_rng_gauss(&rng);
    for (size_t i = 0; i < n; i++)
        labels[i] = first + (int64_t)i;
    assert_ok(mp_index_add_many(ix, labels, v, n, NULL, NULL, &why));
    free(labels);
    free(v);
}

static void nearest_is_itself(void **state)
{
    const char *kind = *state;
    mp_why why;
    mp_index *ix = open_index(kind);
    float v[DIMS];
    mp_neighbour out[5];
    size_t n;
    mp_search_options opt = {.k = 5};
    assert_ok(mp_index_search(ix, (float[DIMS]){1}, &opt, out, &n, &why));
    assert_int_equal(n, 0);
    fill(ix, 1, 800, 1);
    for (int64_t label = 1; label <= 800; label += 57) {
        assert_ok(mp_index_get(ix, label, v, &why));
        assert_ok(mp_index_search(ix, v, &opt, out, &n, &why));
        assert_int_equal(n, 5);
        assert_int_equal(out[0].label, label);
        assert_true(out[0].score > 0.9999f);
        for (size_t i = 1; i < n; i++)
            assert_true(out[i].score <= out[i - 1].score);
    }
    mp_index_close(ix);
}

/* Vectors so near to each other that codes alone cannot tell them apart. */
static void the_scan_is_exact(void **state)
{
    enum { N = 700, K = 15 };
    mp_why why;
    mp_index *ix = open_index(*state);
    mp_rng rng = {8};
    static float v[N * DIMS];
    int64_t labels[N];
    for (int i = 0; i < N; i++) {
        labels[i] = i + 1;
        for (int d = 0; d < DIMS; d++)
            v[i * DIMS + d] = (float)(d % 5) + 0.003f * (float)mp_rng_gauss(&rng);
    }
    assert_ok(mp_index_add_many(ix, labels, v, N, NULL, NULL, &why));
    for (int q = 0; q < N; q += 23) {
        mp_neighbour out[K];
        float query[DIMS], score[N], row[DIMS];
        size_t n;
        mp_search_options opt = {.k = K, .exact = true};
        assert_ok(mp_index_get(ix, q + 1, query, &why));
        for (int i = 0; i < N; i++) {
            assert_ok(mp_index_get(ix, i + 1, row, &why));
            score[i] = mp_dot_for(mp_simd_isa())(query, row, DIMS);
        }
        assert_ok(mp_index_search(ix, query, &opt, out, &n, &why));
        assert_int_equal(n, K);
        for (size_t k = 0; k < n; k++) {
            int better = 0;
            assert_true(out[k].score == score[out[k].label - 1]);
            for (int i = 0; i < N; i++)
                better += score[i] > out[k].score;
            assert_true(better <= (int)k);
        }
    }
    mp_index_close(ix);
}

static void equal_vectors_are_stored_once(void **state)
{
    mp_why why;
    mp_index *ix = open_index(*state);
    enum { SAME = 10000 };
    float *v = mp_xcalloc((size_t)SAME * DIMS, sizeof *v);
    int64_t *labels = mp_xcalloc(SAME, sizeof *labels);
    for (int i = 0; i < SAME; i++) {
        v[i * DIMS] = 2; /* the same direction */
        labels[i] = 5000 + i;
    }
    fill(ix, 1, 500, 2);
    assert_ok(mp_index_add_many(ix, labels, v, SAME, NULL, NULL, &why));
    assert_int_equal(mp_index_count(ix), SAME + 500);
    assert_int_equal(mp_index_count_distinct(ix), 501);
    mp_neighbour out[20];
    size_t n;
    mp_search_options opt = {.k = 20};
    assert_ok(mp_index_search(ix, v, &opt, out, &n, &why));
    assert_int_equal(n, 20);
    for (int i = 0; i < 20; i++) /* ties by label */
        assert_int_equal(out[i].label, 5000 + i);
    for (int i = 0; i < SAME - 1; i++)
        assert_ok(mp_index_remove(ix, labels[i], &why));
    assert_ok(mp_index_search(ix, v, &opt, out, &n, &why));
    assert_int_equal(out[0].label, 5000 + SAME - 1);
    assert_true(out[1].label < 5000);
    assert_int_equal(mp_index_remove(ix, 5000, &why), MP_NOT_FOUND);
    free(v);
    free(labels);
    mp_index_close(ix);
}

static void a_label_is_replaced(void **state)
{
    mp_why why;
    mp_index *ix = open_index(*state);
    fill(ix, 1, 300, 3);
    float v[DIMS] = {0}, back[DIMS];
    int64_t label = 42;
    v[7] = 5;
    assert_ok(mp_index_add_many(ix, &label, v, 1, NULL, NULL, &why));
    assert_int_equal(mp_index_count(ix), 300);
    assert_ok(mp_index_get(ix, 42, back, &why));
    assert_true(back[7] == 1.0f);
    mp_neighbour out[1];
    size_t n;
    mp_search_options opt = {.k = 1};
    assert_ok(mp_index_search(ix, v, &opt, out, &n, &why));
    assert_int_equal(out[0].label, 42);
    mp_index_close(ix);
}

static void bad_input_adds_nothing(void **state)
{
    mp_why why;
    mp_index *ix = open_index(*state);
    float v[2 * DIMS] = {1};
    int64_t labels[2] = {1, 2};
    assert_int_equal(mp_index_add_many(ix, labels, v, 2, NULL, NULL, &why), MP_INVALID);
    assert_int_equal(mp_index_count(ix), 0);
    labels[0] = 0;
    assert_int_equal(mp_index_add_many(ix, labels, v, 1, NULL, NULL, &why), MP_INVALID);
    mp_index_close(ix);
}

/* What has no direction is neither put in nor asked with; the index is as it was. */
static void vectors_without_direction_are_refused(void **state)
{
    static const float bad[] = {0, NAN, INFINITY, -INFINITY};
    mp_why why;
    mp_index *ix = open_index(*state);
    fill(ix, 1, 50, 3);
    for (size_t b = 0; b < MP_COUNT(bad); b++) {
        float v[2 * DIMS] = {0};
        int64_t labels[2] = {1001, 1002};
        mp_neighbour out[3];
        size_t n = 7;
        mp_search_options opt = {.k = 3};
        v[0] = 1;
        v[DIMS + 5] = bad[b];
        assert_int_equal(mp_index_add_many(ix, labels, v, 2, NULL, NULL, &why), MP_INVALID);
        assert_non_null(strstr(why.text, "#1002")); /* which one, and neither is taken */
        assert_int_equal(mp_index_count(ix), 50);
        assert_false(mp_index_has(ix, 1001));
        for (int exact = 0; exact < 2; exact++) {
            opt.exact = exact;
            assert_int_equal(mp_index_search(ix, v + DIMS, &opt, out, &n, &why), MP_INVALID);
            assert_int_equal(n, 0);
        }
    }
    mp_index_close(ix);
}

/* k is what is wished at most: no result needs room for what is not there. */
static void any_k_is_answered(void **state)
{
    mp_why why;
    mp_index *ix = open_index(*state);
    float v[DIMS] = {1};
    mp_neighbour out[50];
    size_t n = 7;
    for (int filled = 0; filled < 2; filled++) {
        static const size_t large[] = {50, 51, 10001, (size_t)1 << 40, SIZE_MAX};
        size_t there = filled ? 50 : 0;
        mp_search_options opt = {.k = 0};
        if (filled)
            fill(ix, 1, 50, 3);
        for (int exact = 0; exact < 2; exact++) {
            opt.exact = exact;
            opt.k = 0;
            assert_ok(mp_index_search(ix, v, &opt, out, &n, &why));
            assert_int_equal(n, 0);
            for (size_t i = 0; i < MP_COUNT(large); i++) {
                opt.k = large[i];
                assert_ok(mp_index_search(ix, v, &opt, out, &n, &why));
                assert_int_equal(n, there);
            }
        }
    }
    mp_index_close(ix);
}

static void impossible_dimensions_are_refused(void **state)
{
    static const int dims[] = {0, -1, 1 << 20, INT_MAX, INT_MIN};
    mp_why why;
    mp_index *ix;
    for (size_t i = 0; i < MP_COUNT(dims); i++) {
        mp_index_options opt = {.dims = dims[i]};
        assert_int_equal(mp_index_open(&ix, *state, &opt, &why), MP_INVALID);
        assert_null(ix);
    }
}

static void tombstones_are_rebuilt_away(void **state)
{
    mp_why why;
    mp_index *ix = open_index(*state);
    for (int round = 0; round < 6; round++) {
        fill(ix, 1 + round * 2000, 2000, 10 + (uint64_t)round);
        for (int64_t l = 1; l <= 2000 && round < 5; l++)
            assert_ok(mp_index_remove(ix, round * 2000 + l, &why));
    }
    assert_int_equal(mp_index_count(ix), 2000);
    float v[DIMS];
    mp_neighbour out[1];
    size_t n;
    mp_search_options opt = {.k = 1};
    for (int64_t l = 10001; l <= 12000; l += 101) {
        assert_ok(mp_index_get(ix, l, v, &why));
        assert_ok(mp_index_search(ix, v, &opt, out, &n, &why));
        assert_int_equal(out[0].label, l);
    }
    mp_index_close(ix);
}

static bool stop_soon(void *context, size_t done, size_t total)
{
    (void)total;
    *(size_t *)context = done;
    return true;
}

static void a_build_can_be_stopped(void **state)
{
    mp_why why;
    mp_index *ix = open_index(*state);
    enum { MANY = 9000 };
    float *v = mp_xcalloc((size_t)MANY * DIMS, sizeof *v);
    int64_t *labels = mp_xcalloc(MANY, sizeof *labels);
    mp_rng rng = {4};
    size_t done = 0;
    for (int i = 0; i < MANY * DIMS; i++)
        v[i] = (float)mp_rng_gauss(&rng);
    for (int i = 0; i < MANY; i++)
        labels[i] = i + 1;
    assert_int_equal(mp_index_add_many(ix, labels, v, MANY, stop_soon, &done, &why), MP_CANCELLED);
    assert_true(done > 0 && done < MANY);
    assert_int_equal(mp_index_count(ix), done);
    free(v);
    free(labels);
    mp_index_close(ix);
}

/* ---- snapshots ---- */

static mp_err load_bytes(const char *kind, const char *path, const uint8_t *bytes, size_t n)
{
    mp_why why;
    uint64_t stamp;
    mp_index *ix = open_index(kind);
    assert_ok(mp_file_replace(path, bytes, n, &why));
    mp_err err = mp_index_load(ix, path, &stamp, &why);
    if (err)
        assert_int_equal(mp_index_count(ix), 0);
    fill(ix, 1, 50, 5); /* usable either way */
    mp_index_close(ix);
    return err;
}

static void damage_is_noticed(void **state)
{
    const char *kind = *state;
    mp_why why;
    char path[] = "/tmp/magpie-index-XXXXXX";
    uint8_t *bytes;
    size_t n;
    mp_rng rng = {6};
    mp_index *ix = open_index(kind);
    close(mkstemp(path));
    fill(ix, 1, 300, 7);
    assert_ok(mp_index_save(ix, path, 3, &why));
    mp_index_close(ix);
    assert_ok(mp_file_read(path, 1 << 24, &bytes, &n, &why));
    assert_int_equal(load_bytes(kind, path, bytes, n), MP_OK);
    for (int i = 0; i < 60; i++) {
        size_t cut = (size_t)(mp_rng_unit(&rng) * (double)n);
        assert_int_equal(load_bytes(kind, path, bytes, cut), MP_CORRUPT);
        uint8_t bit = (uint8_t)(1 << (mp_rng_u64(&rng) % 8));
        bytes[cut] ^= bit;
        assert_int_equal(load_bytes(kind, path, bytes, n), MP_CORRUPT);
        bytes[cut] ^= bit;
    }
    mp_index_options other = {.dims = DIMS, .tag = 10};
    uint64_t stamp;
    assert_ok(mp_file_replace(path, bytes, n, &why));
    assert_ok(mp_index_open(&ix, kind, &other, &why));
    assert_int_equal(mp_index_load(ix, path, &stamp, &why), MP_CORRUPT);
    assert_int_equal(mp_index_load(ix, "/nowhere/x", &stamp, &why), MP_NOT_FOUND);
    mp_index_close(ix);
    free(bytes);
    unlink(path);
}

/* ---- threads ---- */

typedef struct hammer {
    mp_index *ix;
    int who;
    _Atomic bool *stop;
} hammer;

static void *add_and_remove(void *context)
{
    hammer *h = context;
    mp_why why;
    for (int round = 0; round < 20; round++) {
        int64_t first = 10000 * (h->who + 1);
        fill(h->ix, first, 50, (uint64_t)(h->who * 100 + round));
        for (int64_t l = first; l < first + 25; l++)
            if (mp_index_remove(h->ix, l, &why))
                abort();
    }
    return NULL;
}

static void *keep_searching(void *context)
{
    hammer *h = context;
    mp_why why = {0};
    mp_rng rng = {(uint64_t)h->who};
    mp_neighbour out[10];
    size_t n;
    mp_search_options opt = {.k = 10};
    while (!*h->stop) {
        float v[DIMS];
        for (int i = 0; i < DIMS; i++)
            v[i] = (float)mp_rng_gauss(&rng);
        if (mp_index_search(h->ix, v, &opt, out, &n, &why) || n != 10) {
            fprintf(stderr, "a search beside changes gave %zu results: %s\n", n, why.text);
            abort();
        }
    }
    return NULL;
}

static void searches_run_beside_changes(void **state)
{
    mp_index *ix = open_index(*state);
    _Atomic bool stop = false;
    pthread_t threads[4];
    hammer h[4];
    fill(ix, 1, 1000, 8);
    for (int i = 0; i < 4; i++) {
        h[i] = (hammer){ix, i, &stop};
        pthread_create(&threads[i], NULL, i < 2 ? add_and_remove : keep_searching, &h[i]);
    }
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    stop = true;
    pthread_join(threads[2], NULL);
    pthread_join(threads[3], NULL);
    assert_int_equal(mp_index_count(ix), 1000 + 2 * 25);
    mp_index_close(ix);
}

typedef struct beside { /* a save that waits for its file */
    mp_index *ix;
    char path[64];
    _Atomic int added;
} beside;

static void *save_it(void *context)
{
    beside *b = context;
    (void)!mp_index_save(b->ix, b->path, 1, NULL);
    return NULL;
}

static void *add_one(void *context)
{
    beside *b = context;
    fill(b->ix, 1000, 1, 77);
    atomic_store(&b->added, 1);
    return NULL;
}

/* A pipe in the place of the temporary file: what does not fit into it waits for the reader. */
static void searches_go_on_while_a_snapshot_is_written(void **state)
{
    char folder[] = "/tmp/magpie-index-XXXXXX", temp[128], bytes[4096];
    mp_why why;
    beside b = {.ix = open_index(*state)};
    pthread_t saver, adder;
    float v[DIMS];
    mp_neighbour out[5];
    size_t n;
    fill(b.ix, 1, 300, 5);
    assert_non_null(mkdtemp(folder));
    snprintf(b.path, sizeof b.path, "%s/snapshot", folder);
    snprintf(temp, sizeof temp, "%s.%ld.tmp", b.path, (long)getpid());
    assert_int_equal(mkfifo(temp, 0600), 0);
    int fd = open(temp, O_RDONLY | O_NONBLOCK), there = 0;
    assert_true(fd >= 0);
    assert_true(fcntl(fd, F_SETPIPE_SZ, 4096) > 0);
    assert_int_equal(pthread_create(&saver, NULL, save_it, &b), 0);
    while (there < 1) {
        usleep(1000);
        assert_int_equal(ioctl(fd, FIONREAD, &there), 0);
    }
    assert_int_equal(pthread_create(&adder, NULL, add_one, &b), 0);
    usleep(50000);
    for (int64_t label = 1; label <= 300; label += 50) {
        assert_ok(mp_index_get(b.ix, label, v, &why));
        assert_ok(mp_index_search(b.ix, v, &(mp_search_options){.k = 5}, out, &n, &why));
        assert_int_equal(out[0].label, label);
    }
    assert_int_equal(atomic_load(&b.added), 0);
    assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
    while (read(fd, bytes, sizeof bytes) > 0) {
    }
    close(fd);
    pthread_join(saver, NULL);
    pthread_join(adder, NULL);
    assert_true(mp_index_has(b.ix, 1000));
    unlink(temp);
    unlink(b.path);
    rmdir(folder);
    mp_index_close(b.ix);
}

static void neighbours_leave_oneself_out(void **state)
{
    mp_why why;
    mp_index *ix = open_index(*state);
    fill(ix, 1, 400, 9);
    int64_t labels[3] = {5, 400, 777}; /* the last is not there */
    mp_neighbour out[3 * 4];
    assert_ok(mp_index_knn(ix, labels, 3, 4, out, NULL, NULL, &why));
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 4; k++)
            assert_true(out[i * 4 + k].label > 0 && out[i * 4 + k].label != labels[i]);
    assert_int_equal(out[8].label, 0);
    mp_index_close(ix);
}

#define BOTH(test)                                                                                 \
    {#test " (hnsw)", test, NULL, NULL, (void *)(uintptr_t) "hnsw"},                               \
    {                                                                                              \
#test " (exact)", test, NULL, NULL, (void *)(uintptr_t) "exact"                            \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(nearest_is_itself),
        BOTH(the_scan_is_exact),
        BOTH(equal_vectors_are_stored_once),
        BOTH(a_label_is_replaced),
        BOTH(bad_input_adds_nothing),
        BOTH(vectors_without_direction_are_refused),
        BOTH(any_k_is_answered),
        BOTH(impossible_dimensions_are_refused),
        BOTH(tombstones_are_rebuilt_away),
        BOTH(a_build_can_be_stopped),
        BOTH(damage_is_noticed),
        BOTH(searches_run_beside_changes),
        BOTH(searches_go_on_while_a_snapshot_is_written),
        BOTH(neighbours_leave_oneself_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
