/* Where an index keeps its vectors, and how: memory or a file, f32 or f16, and a file that is full.
 */
#include "../test.h"
#include "base/os.h"
#include "index/index.h"
#include "simd/distance.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { DIMS = 130, POINTS = 3000, K = 10 };

static float vectors[POINTS * DIMS];
static int64_t labels[POINTS];

static int make_points(void **state)
{
    mp_rng rng = {21};
    (void)state;
    for (size_t i = 0; i < MP_COUNT(vectors); i++)
        vectors[i] = (float)mp_rng_gauss(&rng);
    for (int i = 0; i < POINTS; i++)
        labels[i] = i + 1;
    return 0;
}

static mp_index *open_index(const char *folder, mp_index_storage storage)
{
    mp_why why;
    mp_index *ix;
    mp_index_options opt = {.dims = DIMS, .threads = 2, .storage = storage, .folder = folder};
    assert_ok(mp_index_open(&ix, "hnsw", &opt, &why));
    return ix;
}

static mp_index *filled(const char *folder, mp_index_storage storage)
{
    mp_why why;
    mp_index *ix = open_index(folder, storage);
    assert_ok(mp_index_add_many(ix, labels, vectors, POINTS, NULL, NULL, &why));
    return ix;
}

static size_t ask(const mp_index *ix, int query, bool exact, mp_neighbour *out)
{
    mp_why why;
    size_t n;
    mp_search_options opt = {.k = K, .exact = exact};
    assert_ok(mp_index_search(ix, vectors + (size_t)query * DIMS, &opt, out, &n, &why));
    assert_int_equal(n, K);
    return n;
}

static void a_file_and_memory_answer_alike(void **state)
{
    (void)state;
    mp_index *in_file = filled("/tmp", MP_INDEX_F32), *in_memory = filled(NULL, MP_INDEX_F32);
    for (int q = 0; q < POINTS; q += 97) {
        mp_neighbour a[K], b[K];
        ask(in_file, q, true, a);
        ask(in_memory, q, true, b);
        assert_memory_equal(a, b, sizeof a);
    }
    mp_index_bytes file = mp_index_memory(in_file), memory = mp_index_memory(in_memory);
    assert_true(file.mapped >= sizeof vectors && memory.mapped == 0);
    assert_true(memory.heap - file.heap >= sizeof vectors - 4096);
    mp_index_close(in_file);
    mp_index_close(in_memory);
}

static void a_folder_that_is_not_there_means_memory(void **state)
{
    (void)state;
    mp_index *ix = filled("/nowhere/at/all", MP_INDEX_F32);
    mp_neighbour out[K];
    ask(ix, 5, false, out);
    assert_int_equal(out[0].label, 6);
    assert_int_equal(mp_index_memory(ix).mapped, 0);
    mp_index_close(ix);
}

/* The scan is exact for the vectors that the index holds, which are the rounded ones. */
static void halves_are_near_and_scanned_exactly(void **state)
{
    (void)state;
    mp_why why;
    mp_index *ix = filled("/tmp", MP_INDEX_F16);
    for (int q = 0; q < POINTS; q += 211) {
        mp_neighbour out[K];
        float unit[DIMS], row[DIMS], score[POINTS];
        memcpy(unit, vectors + (size_t)q * DIMS, sizeof unit);
        assert_true(mp_normalise(unit, DIMS));
        assert_ok(mp_index_get(ix, q + 1, row, &why));
        for (int d = 0; d < DIMS; d++)
            assert_true(fabsf(row[d] - unit[d]) <= 0x1p-11f * fabsf(unit[d]) + 0x1p-24f);
        for (int i = 0; i < POINTS; i++) {
            assert_ok(mp_index_get(ix, i + 1, row, &why));
            score[i] = mp_dot_for(MP_ISA_SCALAR)(unit, row, DIMS);
        }
        ask(ix, q, true, out);
        assert_int_equal(out[0].label, q + 1);
        for (int k = 0; k < K; k++) {
            int better = 0;
            assert_true(fabsf(out[k].score - score[out[k].label - 1]) < 1e-5f);
            for (int i = 0; i < POINTS; i++)
                better += score[i] > out[k].score + 1e-5f;
            assert_true(better <= k);
        }
    }
    mp_index_close(ix);
}

static void equal_halves_share_a_node(void **state)
{
    (void)state;
    mp_why why;
    mp_index *ix = open_index(NULL, MP_INDEX_F16);
    static float v[3 * DIMS];
    for (int d = 0; d < DIMS; d++)
        v[d] = v[DIMS + d] = v[2 * DIMS + d] = (float)(d + 1);
    v[DIMS] = 1.0001f; /* lost in the rounding */
    v[2 * DIMS] = 20;
    assert_ok(mp_index_add_many(ix, labels, v, 3, NULL, NULL, &why));
    assert_int_equal(mp_index_count(ix), 3);
    assert_int_equal(mp_index_count_distinct(ix), 2);
    mp_index_close(ix);
}

static void a_snapshot_is_of_its_storage(void **state)
{
    (void)state;
    mp_why why;
    char path[] = "/tmp/magpie-storage-XXXXXX";
    uint64_t stamp;
    close(mkstemp(path));
    for (int storage = MP_INDEX_F32; storage <= MP_INDEX_F16; storage++) {
        mp_index *ix = filled("/tmp", (mp_index_storage)storage);
        mp_index *again = open_index("/tmp", (mp_index_storage)storage);
        mp_index *other = open_index("/tmp", (mp_index_storage)!storage);
        assert_ok(mp_index_save(ix, path, 5, &why));
        assert_ok(mp_index_load(again, path, &stamp, &why));
        assert_int_equal(mp_index_load(other, path, &stamp, &why), MP_CORRUPT);
        for (int q = 0; q < POINTS; q += 97) {
            mp_neighbour a[K], b[K];
            ask(ix, q, false, a);
            ask(again, q, false, b);
            assert_memory_equal(a, b, sizeof a);
        }
        mp_index_close(ix);
        mp_index_close(again);
        mp_index_close(other);
    }
    unlink(path);
}

/* A limit on the size of files stands in for the end of the disk. */
static void a_full_disk_is_an_error_and_no_more(void **state)
{
    (void)state;
    enum { AT_ONCE = 100 };
    mp_why why;
    struct rlimit old, little;
    mp_index *ix = open_index("/tmp", MP_INDEX_F32);
    mp_err err = MP_OK;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    little = (struct rlimit){.rlim_cur = sizeof vectors / 2, .rlim_max = old.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    for (int i = 0; !err && i + AT_ONCE <= POINTS; i += AT_ONCE)
        err = mp_index_add_many(ix, labels + i, vectors + (size_t)i * DIMS, AT_ONCE, NULL, NULL,
                                &why);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(err, MP_FULL);
    assert_non_null(strstr(why.text, "disk"));
    int64_t there = (int64_t)mp_index_count(ix);
    assert_true(there > POINTS / 4 && there <= POINTS / 2);
    for (int q = 0; q < there; q += 41) { /* the last of them too, from the batch that failed */
        mp_neighbour out[K];
        ask(ix, q, false, out);
        assert_int_equal(out[0].label, q + 1);
    }
    assert_ok(mp_index_add_many(ix, labels, vectors, POINTS, NULL, NULL, &why));
    assert_int_equal(mp_index_count(ix), POINTS);
    mp_index_close(ix);
}

/* Rebuilding moves everything to a new file. */
static void a_hollow_index_is_rebuilt_in_its_file(void **state)
{
    (void)state;
    mp_why why;
    mp_index *ix = filled("/tmp", MP_INDEX_F16);
    for (int i = 0; i < POINTS - 500; i++)
        assert_ok(mp_index_remove(ix, labels[i], &why));
    assert_ok(mp_index_add_many(ix, labels, vectors, 1, NULL, NULL, &why));
    assert_int_equal(mp_index_count(ix), 501);
    for (int q = POINTS - 500; q < POINTS; q += 23) {
        mp_neighbour out[K];
        ask(ix, q, false, out);
        assert_int_equal(out[0].label, q + 1);
    }
    size_t mapped = mp_index_memory(ix).mapped;
    assert_true(mapped > 0 && mapped < sizeof vectors / 4);
    mp_index_close(ix);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_and_memory_answer_alike),
        cmocka_unit_test(a_folder_that_is_not_there_means_memory),
        cmocka_unit_test(halves_are_near_and_scanned_exactly),
        cmocka_unit_test(equal_halves_share_a_node),
        cmocka_unit_test(a_snapshot_is_of_its_storage),
        cmocka_unit_test(a_full_disk_is_an_error_and_no_more),
        cmocka_unit_test(a_hollow_index_is_rebuilt_in_its_file),
    };
    return cmocka_run_group_tests(tests, make_points, NULL);
}
