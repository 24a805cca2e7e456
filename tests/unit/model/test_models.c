/* Models by their API: unit vectors, the same for the same pixels, alone or in a batch, from any
 * thread. Runs on builtin, and on lite where it is installed ($MAGPIE_MODELS). */
#include "../test.h"
#include "base/os.h"
#include "model/model.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 5 };

typedef struct batch {
    uint8_t *px[N];
    mp_views views[N];
} batch;

static void make_batch(batch *b)
{
    mp_rng rng = {3};
    for (int i = 0; i < N; i++) {
        b->px[i] = mp_xmalloc(224 * 224 * 3);
        for (int k = 0; k < 224 * 224 * 3; k++)
            b->px[i][k] = (uint8_t)((k / 3 / 16 * (i + 3) + (int)(mp_rng_u64(&rng) % 40)) & 255);
        for (int s = 0; s < MP_SPACES; s++)
            b->views[i].px[s] = b->px[i];
    }
}

static void free_batch(batch *b)
{
    for (int i = 0; i < N; i++)
        free(b->px[i]);
}

static mp_model *open_model(const char *id)
{
    mp_why why;
    mp_model *m;
    mp_model_options opt = {.models_dir = getenv("MAGPIE_MODELS"), .threads = 2};
    mp_err err = mp_model_open(&m, id, &opt, &why);
    if (err == MP_NOT_FOUND) {
        print_message("%s: %s\n", id, why.text);
        skip();
    }
    assert_ok(err);
    return m;
}

static void precisions_have_three_words(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        mp_precision_choice meant;
    } rows[] = {{NULL, MP_PRECISION_ENV},
                {"", MP_PRECISION_ENV},
                {"auto", MP_PRECISION_AUTO},
                {"f32", MP_PRECISION_F32},
                {"int8", MP_PRECISION_INT8}};
    static const char *const wrong[] = {"fp16", "F32", " f32", "int", "int88"};
    mp_precision_choice p;
    mp_why why = {0};
    for (size_t i = 0; i < MP_COUNT(rows); i++) {
        assert_ok(mp_precision_of(rows[i].word, &p, &why));
        assert_int_equal(p, rows[i].meant);
    }
    for (size_t i = 0; i < MP_COUNT(wrong); i++) {
        assert_int_equal(mp_precision_of(wrong[i], &p, &why), MP_INVALID);
        assert_non_null(strstr(why.text, "auto, f32 or int8"));
    }
}

static void a_wrong_word_in_the_environment_is_refused(void **state)
{
    (void)state;
    mp_model *m;
    mp_why why = {0};
    mp_model_options opt = {0};
    setenv("MAGPIE_PRECISION", "fp16", 1);
    assert_int_equal(mp_model_open(&m, "builtin", &opt, &why), MP_INVALID);
    setenv("MAGPIE_PRECISION", "f32", 1);
    assert_ok(mp_model_open(&m, "builtin", &opt, &why));
    mp_model_close(m);
}

static void vectors_are_the_same_alone_and_together(void **state)
{
    mp_why why;
    mp_model *m = open_model(*state);
    const mp_model_info *info = mp_model_get_info(m);
    batch b;
    make_batch(&b);
    for (int s = 0; s < MP_SPACE_SENTENCE; s++) {
        size_t dims = (size_t)info->space[s].dims;
        if (!dims)
            continue;
        float *together = mp_xcalloc(N * dims, sizeof(float)),
              *alone = mp_xcalloc(dims, sizeof(float));
        float *out[MP_SPACES] = {0};
        out[s] = together;
        assert_ok(mp_model_encode_images(m, b.views, N, 1u << s, out, &why));
        for (size_t i = 0; i < N; i++) {
            double square = 0, difference = 0;
            out[s] = alone;
            assert_ok(mp_model_encode_images(m, &b.views[i], 1, 1u << s, out, &why));
            for (size_t d = 0; d < dims; d++) {
                square += (double)alone[d] * (double)alone[d];
                difference = fmax(difference, fabs((double)(alone[d] - together[i * dims + d])));
            }
            assert_true(difference < 1e-5);
            assert_true(s == MP_SPACE_TEXTURE || fabs(square - 1) < 1e-3);
        }
        free(together);
        free(alone);
    }
    mp_patches p;
    assert_ok(mp_model_patches(m, b.px[0], &p, &why));
    assert_true(p.rows > 4 && p.cols > 4 && p.dims > 4);
    free(p.v);
    free_batch(&b);
    mp_model_close(m);
}

static void what_is_not_there_is_refused(void **state)
{
    mp_why why;
    mp_model *m = open_model(*state);
    batch b;
    make_batch(&b);
    float *none[MP_SPACES] = {0}, out[512];
    mp_views empty = {0};
    float *look[MP_SPACES] = {out};
    assert_int_equal(mp_model_encode_images(m, b.views, 1, 1u << MP_SPACE_LOOK, none, &why),
                     MP_INVALID);
    assert_int_equal(mp_model_encode_images(m, &empty, 1, 1u << MP_SPACE_LOOK, look, &why),
                     MP_INVALID);
    assert_int_equal(mp_model_encode_images(m, b.views, 1, 1u << MP_SPACE_SENTENCE, look, &why),
                     MP_INVALID);
    free_batch(&b);
    mp_model_close(m);
}

typedef struct caller {
    mp_model *m;
    batch *b;
    float look[N * 512];
} caller;

static void *encode_often(void *context)
{
    caller *c = context;
    float *out[MP_SPACES] = {[MP_SPACE_LOOK] = c->look};
    for (int i = 0; i < 2; i++)
        if (mp_model_encode_images(c->m, c->b->views, N, 1u << MP_SPACE_LOOK, out, NULL))
            abort();
    return NULL;
}

static void threads_share_a_model(void **state)
{
    mp_model *m = open_model(*state);
    batch b;
    pthread_t threads[3];
    caller *callers = mp_xcalloc(3, sizeof *callers);
    make_batch(&b);
    for (int i = 0; i < 3; i++) {
        callers[i].m = m;
        callers[i].b = &b;
        pthread_create(&threads[i], NULL, encode_often, &callers[i]);
    }
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_memory_equal(callers[0].look, callers[1].look, sizeof callers[0].look);
    assert_memory_equal(callers[0].look, callers[2].look, sizeof callers[0].look);
    free(callers);
    free_batch(&b);
    mp_model_close(m);
}

static void the_reference_sentence(void **state)
{
    (void)state;
    mp_why why;
    mp_model *m = open_model("lite");
    float v[384];
    mp_str text = mp_str_of("This is an example sentence");
    assert_ok(mp_model_encode_sentences(m, &text, 1, v, &why));
    static const float want[3] = {0.0677f, 0.0635f, 0.0487f};
    for (int i = 0; i < 3; i++)
        assert_true(fabsf(v[i] - want[i]) < 6e-5f);
    float word[512];
    mp_text_info info;
    assert_ok(mp_model_encode_text(m, mp_str_of("tabby cat"), word, NULL, &info, &why));
    assert_true(info.known);
    assert_string_equal(info.concept[0], "tabby cat");
    assert_ok(mp_model_encode_text(m, mp_str_of("xqzzt vlorb"), word, NULL, &info, &why));
    assert_int_equal(mp_model_encode_text(m, mp_str_of("  "), word, NULL, &info, &why), MP_INVALID);
    assert_int_equal(mp_model_encode_text(m, mp_str_of("\xff\xfe"), word, NULL, &info, &why),
                     MP_INVALID);
    mp_buf longest = {0};
    for (int i = 0; i < 2000; i++)
        mp_buf_str(&longest, "word ");
    mp_str many = {longest.p, longest.n};
    assert_ok(mp_model_encode_sentences(m, &many, 1, v, &why));
    mp_buf_free(&longest);
    mp_model_close(m);
}

static void builtin_knows_no_words(void **state)
{
    (void)state;
    mp_why why;
    mp_model *m = open_model("builtin");
    float v[512];
    assert_int_equal(mp_model_encode_text(m, mp_str_of("cat"), v, NULL, NULL, &why),
                     MP_UNSUPPORTED);
    mp_model_close(m);
    mp_model_options opt = {.models_dir = "/nowhere"};
    assert_int_equal(mp_model_open(&m, "lite", &opt, &why), MP_NOT_FOUND);
    assert_int_equal(mp_model_open(&m, "unheard-of", &opt, &why), MP_NOT_FOUND);
}

#define BOTH(test)                                                                                 \
    {#test " (builtin)", test, NULL, NULL, (void *)(uintptr_t) "builtin"},                         \
    {                                                                                              \
#test " (lite)", test, NULL, NULL, (void *)(uintptr_t) "lite"                              \
    }

int main(void)
{
    setenv("MAGPIE_PRECISION", "f32",
           1); /* what was measured beside an installed model counts not */
    const struct CMUnitTest tests[] = {
        BOTH(vectors_are_the_same_alone_and_together),
        BOTH(what_is_not_there_is_refused),
        BOTH(threads_share_a_model),
        cmocka_unit_test(precisions_have_three_words),
        cmocka_unit_test(a_wrong_word_in_the_environment_is_refused),
        cmocka_unit_test(the_reference_sentence),
        cmocka_unit_test(builtin_knows_no_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
