/* The public API through one process: bytes in, searches beside writes, plans, errors in words. */
#include "../test.h"
#include "base/os.h"
#include "magpie.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct fixture {
    char dir[64];
    magpie *m;
} fixture;

#define assert_fine(call)                                                                          \
    do {                                                                                           \
        magpie_err err_ = (call);                                                                  \
        if (err_ != MAGPIE_OK)                                                                     \
            fail_msg("%s: %s: %s", #call, magpie_err_word(err_), why.text);                        \
    } while (0)

static int set_up(void **state)
{
    magpie_why why;
    fixture *f = mp_xcalloc(1, sizeof *f);
    snprintf(f->dir, sizeof f->dir, "/tmp/magpie-core-XXXXXX");
    if (!mkdtemp(f->dir))
        return -1;
    magpie_options opt = {.library = f->dir, .create = true, .model = "builtin", .threads = 2};
    *state = f;
    return magpie_open(&f->m, &opt, &why) ? -1 : 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    char command[96];
    magpie_close(f->m);
    snprintf(command, sizeof command, "rm -rf %s", f->dir);
    int code = system(command);
    free(f);
    return code;
}

/* A PPM of blobs; different seeds look different. */
static void make_picture(uint64_t seed, uint8_t **ppm, size_t *n)
{
    static const char head[] = "P6 96 64 255\n";
    mp_rng rng = {seed};
    *n = sizeof head - 1 + 96 * 64 * 3;
    *ppm = mp_xcalloc(*n, 1);
    memcpy(*ppm, head, sizeof head - 1);
    uint8_t *px = *ppm + sizeof head - 1;
    for (int blob = 0; blob < 30; blob++) {
        int cx = (int)(mp_rng_unit(&rng) * 96), cy = (int)(mp_rng_unit(&rng) * 64);
        int r = 4 + (int)(mp_rng_unit(&rng) * 16);
        uint64_t colour = mp_rng_u64(&rng);
        for (int y = MP_MAX(cy - r, 0); y < MP_MIN(cy + r, 64); y++)
            for (int x = MP_MAX(cx - r, 0); x < MP_MIN(cx + r, 96); x++)
                for (int c = 0; c < 3; c++)
                    px[(y * 96 + x) * 3 + c] = (uint8_t)(colour >> (8 * c));
    }
}

static int64_t add(fixture *f, uint64_t seed, magpie_outcome *outcome)
{
    magpie_why why;
    uint8_t *ppm;
    size_t n;
    int64_t id;
    char name[32];
    make_picture(seed, &ppm, &n);
    snprintf(name, sizeof name, "p%llu.ppm", (unsigned long long)seed);
    assert_fine(magpie_add_bytes(f->m, ppm, n, name, &id, outcome, &why));
    free(ppm);
    return id;
}

static void bytes_come_back_as_they_were(void **state)
{
    fixture *f = *state;
    magpie_why why;
    magpie_outcome outcome;
    uint8_t *ppm, *back;
    size_t n, n_back;
    int64_t id = add(f, 1, &outcome);
    assert_int_equal(outcome, MAGPIE_ADDED);
    assert_int_equal(add(f, 1, &outcome), id);
    assert_int_equal(outcome, MAGPIE_KNOWN);
    make_picture(1, &ppm, &n);
    assert_fine(magpie_content(f->m, id, &back, &n_back, &why));
    assert_int_equal(n, n_back);
    assert_memory_equal(ppm, back, n);
    magpie_free(back);
    magpie_item *item;
    assert_fine(magpie_get(f->m, id, &item, &why));
    assert_int_equal(item->width, 96);
    assert_string_equal(item->format, "ppm");
    assert_true(item->copied);
    magpie_item_free(item);
    assert_fine(magpie_thumbnail(f->m, id, 256, &back, &n_back, &why));
    assert_memory_equal(back, "RIFF", 4);
    magpie_free(back);
    assert_int_equal(magpie_thumbnail(f->m, id, 77, &back, &n_back, &why), MAGPIE_INVALID);
    assert_int_equal(magpie_add_bytes(f->m, "junk", 4, "x.ppm", &id, NULL, &why),
                     MAGPIE_UNSUPPORTED);
    assert_int_equal(magpie_add_bytes(f->m, ppm, n, "../x", &id, NULL, &why), MAGPIE_INVALID);
    assert_int_equal(magpie_add_bytes(f->m, ppm, n / 2, "cut.ppm", &id, NULL, &why),
                     MAGPIE_CORRUPT);
    free(ppm);
}

static void a_removed_item_never_comes_back(void **state)
{
    fixture *f = *state;
    magpie_why why;
    magpie_item *item;
    size_t missing;
    int64_t id = add(f, 1, NULL), other = add(f, 2, NULL), ids[2] = {id, 999};
    assert_fine(magpie_remove(f->m, ids, 2, &missing, &why));
    assert_int_equal(missing, 1);
    assert_int_equal(magpie_get(f->m, id, &item, &why), MAGPIE_NOT_FOUND);
    magpie_term term = {.kind = MAGPIE_ID, .id = other};
    magpie_query q = {.terms = &term, .n_terms = 1, .min_score = -1};
    magpie_hits *hits;
    assert_fine(magpie_search(f->m, &q, &hits, &why));
    assert_int_equal(hits->n, 0);
    magpie_hits_free(hits);
    assert_true(add(f, 1, NULL) > other);
}

static float score_of(const magpie_hits *hits, int64_t id)
{
    for (size_t i = 0; i < hits->n; i++)
        if (hits->hit[i].id == id)
            return hits->hit[i].score;
    fail_msg("#%lld is not among the hits", (long long)id);
    return 0;
}

static void indexes_of_half_the_size_give_nearly_the_same_scores(void **state)
{
    enum { N = 12 };
    fixture *f = *state;
    magpie_why why;
    magpie *half;
    magpie_hits *exact, *rounded;
    int64_t ids[N];
    size_t differ = 0;
    for (size_t i = 0; i < N; i++)
        ids[i] = add(f, i + 1, NULL);
    magpie_options opt = {.library = f->dir, .threads = 1, .half_vectors = true};
    assert_fine(magpie_open(&half, &opt, &why));
    magpie_term term = {.kind = MAGPIE_ID, .id = ids[0]};
    magpie_query q = {.terms = &term, .n_terms = 1, .k = N, .min_score = -1};
    assert_fine(magpie_search(f->m, &q, &exact, &why));
    assert_fine(magpie_search(half, &q, &rounded, &why));
    assert_int_equal(exact->n, N - 1);
    assert_int_equal(rounded->n, N - 1);
    for (size_t i = 1; i < N; i++) {
        float a = score_of(exact, ids[i]), b = score_of(rounded, ids[i]);
        assert_float_equal(a, b, 2e-3);
        differ += a != b;
    }
    assert_true(differ > 0); /* or the option does nothing */
    magpie_hits_free(exact);
    magpie_hits_free(rounded);
    magpie_close(half);
}

static void search_refuses_what_makes_no_sense(void **state)
{
    fixture *f = *state;
    magpie_why why;
    magpie_hits *hits;
    float vector[3] = {1, 2, 3};
    add(f, 1, NULL);
    magpie_term bad[] = {
        {.kind = MAGPIE_TEXT, .text = ""},
        {.kind = (magpie_term_kind)99},
        {.kind = MAGPIE_VECTOR, .vector = vector, .n = 3},
        {.kind = MAGPIE_ID, .id = 1, .weight = -1},
    };
    for (size_t i = 0; i < MP_COUNT(bad); i++) {
        magpie_query q = {.terms = &bad[i], .n_terms = 1};
        assert_int_equal(magpie_search(f->m, &q, &hits, &why), MAGPIE_INVALID);
        assert_null(hits);
    }
    magpie_query none = {0}, many = {.terms = bad, .n_terms = 1, .k = 100000};
    assert_int_equal(magpie_search(f->m, &none, &hits, &why), MAGPIE_INVALID);
    assert_int_equal(magpie_search(f->m, &many, &hits, &why), MAGPIE_INVALID);
    magpie_term absent = {.kind = MAGPIE_ID, .id = 77};
    magpie_query q = {.terms = &absent, .n_terms = 1};
    assert_int_equal(magpie_search(f->m, &q, &hits, &why), MAGPIE_NOT_FOUND);
    q.where = "nonsense";
    assert_int_equal(magpie_search(f->m, &q, &hits, &why), MAGPIE_INVALID);
}

/* Pages side by side are the whole list, and say where it ends. */
static void pages_of_a_search_follow_each_other(void **state)
{
    fixture *f = *state;
    magpie_why why;
    magpie_hits *all, *page;
    for (uint64_t i = 1; i <= 12; i++)
        add(f, i, NULL);
    magpie_term term = {.kind = MAGPIE_ID, .id = 1};
    magpie_query q = {.terms = &term, .n_terms = 1, .min_score = -1};
    assert_fine(magpie_search(f->m, &q, &all, &why));
    assert_int_equal(all->n, 11);
    assert_false(all->more);
    for (q.skip = 0, q.k = 4; q.skip < 11; q.skip += q.k) {
        q.bare = q.skip == 4;
        assert_fine(magpie_search(f->m, &q, &page, &why));
        assert_int_equal(page->n, MP_MIN((size_t)4, 11 - q.skip));
        assert_int_equal(page->more, q.skip + 4 < 11);
        for (size_t i = 0; i < page->n; i++) {
            const magpie_hit *hit = &page->hit[i], *same = &all->hit[q.skip + i];
            assert_int_equal(hit->id, same->id);
            assert_string_equal(hit->reason, same->reason);
            assert_int_equal(!hit->item, q.bare);
            assert_int_equal(!hit->path, q.bare);
        }
        magpie_hits_free(page);
    }
    q.skip = 50;
    assert_fine(magpie_search(f->m, &q, &page, &why));
    assert_int_equal(page->n, 0);
    assert_false(page->more);
    assert_true(page->convincing);
    magpie_hits_free(page);
    q.skip = 9999, q.k = 2;
    assert_int_equal(magpie_search(f->m, &q, &page, &why), MAGPIE_INVALID);
    magpie_hits_free(all);
}

static void brighten(uint8_t *ppm, size_t n)
{
    for (size_t i = 13; i < n; i++) /* after the head */
        ppm[i] = (uint8_t)MP_MIN(ppm[i] * 9 / 10 + 12, 255);
}

/* Another file of the same picture is found, and refused where that is asked for. */
static void a_copy_does_not_pass_the_gate(void **state)
{
    fixture *f = *state;
    magpie_why why;
    magpie_copy gate = {0}, *copies;
    magpie_put put = {.name = "again.ppm", .refuse_copies = &gate};
    magpie_outcome outcome;
    magpie_stats stats;
    uint8_t *ppm;
    size_t n, n_copies;
    int64_t id, first = add(f, 1, NULL);
    for (uint64_t i = 2; i <= 6; i++)
        add(f, i, NULL);
    make_picture(1, &ppm, &n);
    FILE *file = tmpfile();
    assert_int_equal(fwrite(ppm, 1, n, file), n);
    assert_int_equal(fflush(file), 0);
    assert_fine(magpie_add_fd(f->m, fileno(file), &put, &id, &outcome, &why));
    assert_int_equal(outcome, MAGPIE_KNOWN); /* the very bytes */
    assert_int_equal(id, first);
    brighten(ppm, n);
    rewind(file);
    assert_int_equal(fwrite(ppm, 1, n, file), n);
    assert_int_equal(fflush(file), 0);
    assert_int_equal(magpie_add_fd(f->m, fileno(file), &put, &id, &outcome, &why), MAGPIE_EXISTS);
    assert_int_equal(gate.id, first);
    assert_true(gate.score > 0.9f);
    assert_non_null(strstr(why.text, "same picture as #1"));
    assert_fine(magpie_get_stats(f->m, &stats, &why));
    assert_int_equal(stats.items, 6);
    magpie_term term = {.kind = MAGPIE_BYTES, .data = ppm, .n = n};
    assert_fine(magpie_copies(f->m, &term, NULL, &copies, &n_copies, &why));
    assert_int_equal(n_copies, 1);
    assert_int_equal(copies[0].id, first);
    magpie_free(copies);
    assert_fine(magpie_copies(f->m, &term, "id>1", &copies, &n_copies, &why));
    assert_int_equal(n_copies, 0);
    magpie_free(copies);
    put.refuse_copies = NULL;
    assert_fine(magpie_add_fd(f->m, fileno(file), &put, &id, &outcome, &why));
    term = (magpie_term){.kind = MAGPIE_ID, .id = id};
    assert_fine(magpie_copies(f->m, &term, NULL, &copies, &n_copies, &why));
    assert_int_equal(n_copies, 1); /* not itself */
    assert_int_equal(copies[0].id, first);
    magpie_free(copies);
    fclose(file);
    free(ppm);
}

static void not_like_pushes_down(void **state)
{
    fixture *f = *state;
    magpie_why why;
    magpie_hits *plain, *less;
    for (uint64_t i = 1; i <= 12; i++)
        add(f, i, NULL);
    magpie_term terms[2] = {{.kind = MAGPIE_ID, .id = 1, .weight = 1}};
    magpie_query q = {.terms = terms, .n_terms = 1, .min_score = -1};
    assert_fine(magpie_search(f->m, &q, &plain, &why));
    terms[1] = (magpie_term){.kind = MAGPIE_ID, .id = plain->hit[0].id, .weight = -0.5f};
    q.n_terms = 2;
    assert_fine(magpie_search(f->m, &q, &less, &why));
    assert_int_equal(plain->n, 11);
    assert_int_equal(less->n, 10); /* the terms themselves are left out */
    for (size_t i = 0; i < less->n; i++)
        for (size_t k = 0; k < plain->n; k++)
            if (less->hit[i].id == plain->hit[k].id)
                assert_true(less->hit[i].score < plain->hit[k].score);
    magpie_hits_free(plain);
    magpie_hits_free(less);
}

typedef struct hammer {
    fixture *f;
    uint64_t first;
    _Atomic bool *stop;
} hammer;

static void *keep_adding(void *context)
{
    hammer *h = context;
    for (uint64_t i = 0; i < 12; i++)
        add(h->f, h->first + i, NULL);
    return NULL;
}

static void *keep_searching(void *context)
{
    hammer *h = context;
    magpie_term term = {.kind = MAGPIE_ID, .id = 1};
    magpie_query q = {.terms = &term, .n_terms = 1, .min_score = -1, .k = 50};
    while (!*h->stop) {
        magpie_why why;
        magpie_hits *hits;
        if (magpie_search(h->f->m, &q, &hits, &why))
            abort();
        for (size_t i = 0; i < hits->n; i++)
            if (!hits->hit[i].path || hits->hit[i].id < 2)
                abort();
        magpie_hits_free(hits);
    }
    return NULL;
}

static void searches_run_beside_adding(void **state)
{
    fixture *f = *state;
    _Atomic bool stop = false;
    pthread_t threads[4];
    hammer h[4];
    magpie_why why;
    add(f, 1, NULL);
    for (int i = 0; i < 4; i++) {
        h[i] = (hammer){f, (uint64_t)(100 * (i + 1)), &stop};
        pthread_create(&threads[i], NULL, i < 2 ? keep_adding : keep_searching, &h[i]);
    }
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    stop = true;
    pthread_join(threads[2], NULL);
    pthread_join(threads[3], NULL);
    magpie_stats stats;
    assert_fine(magpie_get_stats(f->m, &stats, &why));
    assert_int_equal(stats.items, 25);
    assert_int_equal(stats.vectors, 25);
}

/* Everything passes the filter as long as nothing was added. */
static void *keep_searching_within(void *context)
{
    hammer *h = context;
    magpie_term term = {.kind = MAGPIE_ID, .id = 1};
    magpie_query q = {
        .terms = &term, .n_terms = 1, .where = "id<=3", .min_score = -1, .k = 50, .bare = true};
    while (!*h->stop) {
        magpie_why why;
        magpie_hits *hits;
        if (magpie_search(h->f->m, &q, &hits, &why))
            abort();
        if (hits->n != 2 || hits->hit[0].id > 3 || hits->hit[1].id > 3)
            abort();
        magpie_hits_free(hits);
    }
    return NULL;
}

static void what_is_added_meanwhile_does_not_pass_a_filter(void **state)
{
    enum { SEARCHERS = 4, ADDERS = 2 };
    fixture *f = *state;
    _Atomic bool stop = false;
    pthread_t threads[SEARCHERS + ADDERS];
    hammer h[SEARCHERS + ADDERS];
    for (uint64_t seed = 1; seed <= 3; seed++)
        add(f, seed, NULL);
    for (int i = 0; i < SEARCHERS + ADDERS; i++) {
        h[i] = (hammer){f, (uint64_t)(100 * (i + 1)), &stop};
        pthread_create(&threads[i], NULL, i < SEARCHERS ? keep_searching_within : keep_adding,
                       &h[i]);
    }
    for (int i = SEARCHERS; i < SEARCHERS + ADDERS; i++)
        pthread_join(threads[i], NULL);
    stop = true;
    for (int i = 0; i < SEARCHERS; i++)
        pthread_join(threads[i], NULL);
}

static void a_library_opens_again_as_it_was(void **state)
{
    fixture *f = *state;
    magpie_why why;
    int64_t id = add(f, 1, NULL);
    const char *tags[] = {"red"};
    assert_fine(magpie_tag(f->m, &id, 1, tags, 1, NULL, 0, &why));
    assert_fine(magpie_verdict_set(f->m, MAGPIE_NOTE, id, 0, "look closer", &why));
    magpie_close(f->m);
    magpie_options opt = {.library = f->dir, .read_only = true};
    assert_fine(magpie_open(&f->m, &opt, &why));
    magpie_item *item;
    assert_fine(magpie_get(f->m, id, &item, &why));
    assert_int_equal(item->n_tags, 1);
    assert_string_equal(item->tags[0], "red");
    magpie_item_free(item);
    magpie_verdict *verdicts;
    size_t n;
    assert_fine(magpie_verdicts(f->m, &verdicts, &n, &why));
    assert_int_equal(n, 1);
    assert_string_equal(verdicts[0].note, "look closer");
    magpie_free(verdicts);
    assert_int_equal(magpie_tag(f->m, &id, 1, tags, 1, NULL, 0, &why), MAGPIE_IO);
    assert_int_equal(magpie_remove(f->m, &id, 1, NULL, &why), MAGPIE_IO);
    magpie_close(f->m);
    f->m = NULL;
    opt = (magpie_options){.library = "/nowhere/at/all"};
    assert_int_equal(magpie_open(&f->m, &opt, &why), MAGPIE_NOT_FOUND);
    assert_null(f->m);
}

static void bad_tags_and_verdicts_are_refused(void **state)
{
    fixture *f = *state;
    magpie_why why;
    int64_t id = add(f, 1, NULL), absent = 99;
    const char *bad[] = {"", "a,b", "line\nbreak"}, *good = "good";
    for (size_t i = 0; i < MP_COUNT(bad); i++)
        assert_int_equal(magpie_tag(f->m, &id, 1, &bad[i], 1, NULL, 0, &why), MAGPIE_INVALID);
    assert_int_equal(magpie_tag(f->m, &absent, 1, &good, 1, NULL, 0, &why), MAGPIE_NOT_FOUND);
    assert_int_equal(magpie_verdict_set(f->m, MAGPIE_SAME, id, id, NULL, &why), MAGPIE_INVALID);
    assert_int_equal(magpie_verdict_set(f->m, MAGPIE_SAME, id, absent, NULL, &why),
                     MAGPIE_NOT_FOUND);
    assert_int_equal(magpie_describe(f->m, absent, "x", NULL, &why), MAGPIE_NOT_FOUND);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(bytes_come_back_as_they_were),
        EACH(indexes_of_half_the_size_give_nearly_the_same_scores),
        EACH(a_removed_item_never_comes_back),
        EACH(search_refuses_what_makes_no_sense),
        EACH(pages_of_a_search_follow_each_other),
        EACH(a_copy_does_not_pass_the_gate),
        EACH(not_like_pushes_down),
        EACH(searches_run_beside_adding),
        EACH(what_is_added_meanwhile_does_not_pass_a_filter),
        EACH(a_library_opens_again_as_it_was),
        EACH(bad_tags_and_verdicts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
