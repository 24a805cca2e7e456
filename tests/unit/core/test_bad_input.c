/* What the library says of questions that make no sense: vectors without a direction, texts without
 * words or without end, too many results, another model. Each is refused in words. */
#include "../test.h"
#include "base/os.h"
#include "magpie.h"

#include <math.h>
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
    snprintf(f->dir, sizeof f->dir, "/tmp/magpie-bad-XXXXXX");
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

/* A picture of noise in 12 x 8 fields. */
static int64_t add(fixture *f, uint64_t seed)
{
    static const char head[] = "P6 96 64 255\n";
    uint8_t ppm[sizeof head - 1 + 96 * 64 * 3], *px = ppm + sizeof head - 1;
    uint8_t field[8][12][3];
    magpie_why why;
    char name[32];
    int64_t id;
    mp_rng rng = {seed};
    memcpy(ppm, head, sizeof head - 1);
    for (int i = 0; i < 8 * 12 * 3; i++)
        field[i / 36][i / 3 % 12][i % 3] = (uint8_t)mp_rng_u64(&rng);
    for (int y = 0; y < 64; y++)
        for (int x = 0; x < 96; x++)
            memcpy(px + (y * 96 + x) * 3, field[y / 8][x / 8], 3);
    snprintf(name, sizeof name, "p%llu.ppm", (unsigned long long)seed);
    assert_fine(magpie_add_bytes(f->m, ppm, sizeof ppm, name, &id, NULL, &why));
    return id;
}

static void assert_refused(fixture *f, const magpie_query *q, const char *says)
{
    magpie_why why = {0};
    magpie_hits *hits;
    assert_int_equal(magpie_search(f->m, q, &hits, &why), MAGPIE_INVALID);
    assert_null(hits);
    if (!strstr(why.text, says))
        fail_msg("\"%s\" does not say: %s", why.text, says);
}

/* Alone and beside a good one; the reason names the rule. */
static void a_vector_needs_a_direction(void **state)
{
    enum { DIMS = 512 };
    fixture *f = *state;
    static const struct {
        float fill, one;
        size_t n;
        const char *says;
    } rows[] = {
        {0, 0, DIMS, "all zeros"},      {0, NAN, DIMS, "number 8 "}, {1, INFINITY, DIMS, "finite"},
        {1, -INFINITY, DIMS, "finite"}, {1, 1, DIMS - 1, "not 511"}, {1, 1, 384, "another model's"},
        {1, 1, 0, "has 512 numbers"},
    };
    add(f, 1);
    for (size_t i = 0; i < MP_COUNT(rows); i++) {
        float v[DIMS];
        for (size_t d = 0; d < DIMS; d++)
            v[d] = rows[i].fill;
        v[7] = rows[i].one;
        magpie_term terms[2] = {{.kind = MAGPIE_VECTOR, .vector = v, .n = rows[i].n},
                                {.kind = MAGPIE_ID, .id = 1}};
        magpie_query q = {.terms = terms, .n_terms = 1};
        assert_refused(f, &q, rows[i].says);
        q.n_terms = 2;
        assert_refused(f, &q, rows[i].says);
        terms[0].weight = -1;
        assert_refused(f, &q, rows[i].says);
    }
    magpie_term none = {.kind = MAGPIE_VECTOR, .n = DIMS};
    magpie_query q = {.terms = &none, .n_terms = 1};
    assert_refused(f, &q, "has 512 numbers");
}

/* The least and the largest floats have a direction like all others. */
static void the_length_of_a_vector_does_not_matter(void **state)
{
    enum { DIMS = 512 };
    fixture *f = *state;
    static const float lengths[] = {1, 1e-45f, 1e-30f, 1e30f, 3e38f};
    magpie_why why;
    magpie_hits *hits;
    int dims;
    float *v, first = 0;
    int64_t id = add(f, 1);
    add(f, 2);
    assert_fine(magpie_vectors(f->m, &id, 1, &v, &dims, &why));
    for (size_t i = 0; i < MP_COUNT(lengths); i++) {
        float scaled[DIMS];
        for (int d = 0; d < DIMS; d++) /* signs alone: 1e-45 has no parts */
            scaled[d] = v[d] > 0.02f ? lengths[i] : 0;
        magpie_term term = {.kind = MAGPIE_VECTOR, .vector = scaled, .n = DIMS};
        magpie_query q = {.terms = &term, .n_terms = 1, .min_score = -1};
        assert_fine(magpie_search(f->m, &q, &hits, &why));
        assert_int_equal(hits->n, 2);
        first = i ? first : hits->hit[0].score;
        assert_true(hits->hit[0].score > first - 1e-5f && hits->hit[0].score < first + 1e-5f);
        magpie_hits_free(hits);
    }
    magpie_free(v);
}

/* Whatever the model; the builtin one, which knows no words, searches names with them. */
static void texts_have_words_in_utf8_and_an_end(void **state)
{
    fixture *f = *state;
    char longest[MAGPIE_TEXT_BYTES + 2];
    static const struct {
        const char *text, *says;
    } rows[] = {
        {NULL, "empty or blank"},           {"", "empty or blank"},
        {" \t\r\n", "empty or blank"},      {"\xE3\x80\x80", "empty or blank"},
        {"\xE2\x80\x8B", "empty or blank"}, {"\xFF\xFE", "not UTF-8"},
        {"cat \xC3", "not UTF-8"},
    };
    magpie_why why;
    magpie_hits *hits;
    add(f, 1);
    magpie_term terms[2] = {{.kind = MAGPIE_ID, .id = 1}, {.kind = MAGPIE_TEXT}};
    magpie_query q = {.terms = terms + 1, .n_terms = 1};
    for (size_t i = 0; i < MP_COUNT(rows); i++)
        for (int sign = -1; sign < 2; sign += 2) {
            terms[1].text = rows[i].text;
            terms[1].weight = (float)sign;
            q.terms = sign < 0 ? terms : terms + 1;
            q.n_terms = sign < 0 ? 2 : 1;
            assert_refused(f, &q, rows[i].says);
        }
    memset(longest, 'x', sizeof longest);
    longest[MAGPIE_TEXT_BYTES + 1] = '\0';
    terms[1] = (magpie_term){.kind = MAGPIE_TEXT, .text = longest};
    q.terms = terms + 1;
    q.n_terms = 1;
    assert_refused(f, &q, "8193 bytes; at most 8192");
    longest[MAGPIE_TEXT_BYTES] = '\0';
    assert_fine(magpie_search(f->m, &q, &hits, &why));
    magpie_hits_free(hits);
}

static void how_many_is_0_for_the_default_and_has_a_most(void **state)
{
    fixture *f = *state;
    static const size_t bad[][2] = {{10001, 0},    {10000, 1},    {1, 10000}, {SIZE_MAX, 0},
                                    {0, SIZE_MAX}, {SIZE_MAX, 1}, {0, 10001}};
    magpie_why why;
    magpie_hits *hits;
    for (uint64_t i = 1; i <= 24; i++)
        add(f, i);
    magpie_term term = {.kind = MAGPIE_ID, .id = 1};
    magpie_query q = {.terms = &term, .n_terms = 1, .min_score = -1};
    for (size_t i = 0; i < MP_COUNT(bad); i++) {
        q.k = bad[i][0];
        q.skip = bad[i][1];
        assert_refused(f, &q, "10000");
    }
    q.skip = 0;
    q.k = 0;
    assert_fine(magpie_search(f->m, &q, &hits, &why));
    assert_int_equal(hits->n, 20);
    magpie_hits_free(hits);
    q.k = 10000;
    assert_fine(magpie_search(f->m, &q, &hits, &why));
    assert_int_equal(hits->n, 23);
    magpie_hits_free(hits);
}

static void what_cancels_out_is_told(void **state)
{
    fixture *f = *state;
    add(f, 1);
    add(f, 2);
    magpie_term terms[3] = {{.kind = MAGPIE_ID, .id = 1, .weight = 2},
                            {.kind = MAGPIE_ID, .id = 1, .weight = -2}};
    magpie_query q = {.terms = terms, .n_terms = 2};
    assert_refused(f, &q, "cancel each other out");
    terms[0].weight = 0.9f;
    terms[1].weight = -0.3f;
    terms[2] = (magpie_term){.kind = MAGPIE_ID, .id = 1, .weight = -0.6f};
    q.n_terms = 3; /* but for rounding */
    assert_refused(f, &q, "cancel each other out");
}

static void a_wish_for_another_model_is_refused(void **state)
{
    fixture *f = *state;
    magpie_why why = {0};
    magpie *m;
    magpie_options opt = {.library = f->dir, .model = "lite"};
    assert_fine(magpie_open(&m, &opt, &why)); /* a wish for new ones */
    magpie_close(m);
    opt.require_model = true;
    assert_int_equal(magpie_open(&m, &opt, &why), MAGPIE_INVALID);
    assert_null(m);
    assert_non_null(strstr(why.text, "uses the model builtin, not lite"));
    assert_non_null(strstr(why.text, "magpie model use lite"));
    opt.model = "builtin";
    assert_fine(magpie_open(&m, &opt, &why));
    assert_int_equal(magpie_use_model(m, "no-such-model", NULL, NULL, &why), MAGPIE_NOT_FOUND);
    assert_non_null(strstr(why.text, "no model is called 'no-such-model'"));
    magpie_close(m);
}

static void an_unknown_precision_is_refused(void **state)
{
    fixture *f = *state;
    magpie_why why = {0};
    magpie *m;
    magpie_options opt = {.library = f->dir, .precision = "fp16"};
    assert_int_equal(magpie_open(&m, &opt, &why), MAGPIE_INVALID);
    assert_null(m);
    assert_non_null(strstr(why.text, "'fp16' is not known: auto, f32 or int8"));
    opt.precision = "int8";
    assert_fine(magpie_open(&m, &opt, &why));
    magpie_close(m);
}

static void embedding_holds_to_the_same_rules(void **state)
{
    fixture *f = *state;
    magpie_why why;
    float *v;
    int dims;
    magpie_term word = {.kind = MAGPIE_TEXT, .text = "a cat"};
    assert_int_equal(magpie_embed(f->m, &word, 1, MAGPIE_WORD, &v, &dims, &why),
                     MAGPIE_UNSUPPORTED);
    assert_int_equal(magpie_embed(f->m, &word, 1, MAGPIE_LOOK, &v, &dims, &why),
                     MAGPIE_UNSUPPORTED);
    magpie_term others[] = {
        {.kind = MAGPIE_ID, .id = 1}, {.kind = MAGPIE_VECTOR}, {.kind = (magpie_term_kind)0}};
    for (size_t i = 0; i < MP_COUNT(others); i++) {
        assert_int_equal(magpie_embed(f->m, &others[i], 1, MAGPIE_LOOK, &v, &dims, &why),
                         MAGPIE_INVALID);
        assert_null(v);
    }
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(a_vector_needs_a_direction),
        EACH(the_length_of_a_vector_does_not_matter),
        EACH(texts_have_words_in_utf8_and_an_end),
        EACH(how_many_is_0_for_the_default_and_has_a_most),
        EACH(what_cancels_out_is_told),
        EACH(a_wish_for_another_model_is_refused),
        EACH(an_unknown_precision_is_refused),
        EACH(embedding_holds_to_the_same_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
