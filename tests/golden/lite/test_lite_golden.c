/* The lite model layer by layer against reference.py: the same weights in NumPy and double
 * precision.
 *
 * make_golden.py has written golden.safetensors and tokens.txt into $MAGPIE_GOLDEN; the weights are
 * in $MAGPIE_MODELS. Skipped (77) without either. The largest error of each layer is held against
 * the largest value of that layer. */
#include "../../unit/test.h"
#include "base/os.h"
#include "model/bert.h"
#include "model/effnet.h"
#include "model/model.h"
#include "model/tokenizer.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PICTURES = 3, TEXTS = 5, LARGEST = 112 * 112 * 96 };

/* f32 against f64 over up to 49 layers. Measured on AVX-512: 1.2e-5 and 1.1e-6. */
static const double IMAGE_ERROR = 5e-5, TEXT_ERROR = 1e-5, COSINE_ERROR = 1e-5;

static mp_tensors *golden, *image, *text;
static char tokens_path[1024], vocab_path[1024];

static const float *find(const char *name, size_t n)
{
    mp_why why;
    mp_tensor t;
    if (mp_tensors_get(golden, name, n, &t, &why))
        fail_msg("%s", why.text);
    return t.data;
}

static void every_layer_of_the_image_net(void **state)
{
    (void)state;
    mp_why why;
    mp_effnet *first, *net;
    float *got = mp_xmalloc(LARGEST * sizeof *got);
    double worst = 0;
    assert_ok(mp_effnet_open(&first, image, NULL, MP_F32, &why));
    assert_ok(mp_effnet_open(&net, image, first, MP_F32, &why)); /* one that borrows its weights */
    for (int p = 0; p < PICTURES; p++)
        for (int l = 0; l < EFFNET_LAYERS; l++) {
            char name[64];
            int channels, side;
            double error = 0;
            snprintf(name, sizeof name, "picture%d.input", p);
            const float *input = find(name, 3 * EFFNET_SIDE * EFFNET_SIDE);
            snprintf(name, sizeof name, "picture%d.layer%d.shape", p, l);
            const float *shape = find(name, 4);
            assert_ok(mp_effnet_probe(p % 2 ? first : net, input, l, got, &channels, &side, &why));
            assert_int_equal(channels, (int)shape[0]);
            assert_int_equal(side, (int)shape[1]);
            size_t step = (size_t)shape[2], all = (size_t)channels * (size_t)side * (size_t)side;
            size_t kept = (all + step - 1) / step;
            snprintf(name, sizeof name, "picture%d.layer%d", p, l);
            const float *want = find(name, kept);
            for (size_t i = 0; i < kept; i++)
                error = fmax(error, fabs((double)got[i * step] - (double)want[i]));
            error /= (double)shape[3];
            worst = fmax(worst, error);
            if (!(error < IMAGE_ERROR))
                fail_msg("picture %d layer %d: relative error %.2g", p, l, error);
        }
    print_message("49 layers, %d pictures: largest relative error %.2g\n", PICTURES, worst);
    free(got);
    mp_effnet_close(net);
    mp_effnet_close(first);
}

static double difference(const float *got, const float *want, size_t n)
{
    double error = 0, top = 0;
    for (size_t i = 0; i < n; i++) {
        error = fmax(error, fabs((double)got[i] - (double)want[i]));
        top = fmax(top, fabs((double)want[i]));
    }
    return error / top;
}

/* The number of tokens of a golden text, and they. */
static int ids_of(int t, int32_t ids[MP_MAX_TOKENS])
{
    char name[64];
    snprintf(name, sizeof name, "text%d.ids", t);
    for (size_t n = 1; n <= MP_MAX_TOKENS; n++) {
        mp_tensor v;
        if (mp_tensors_get(golden, name, n, &v, NULL))
            continue;
        for (size_t i = 0; i < n; i++)
            ids[i] = (int32_t)v.data[i];
        return (int)n;
    }
    fail_msg("%s is missing", name);
    return 0;
}

static void every_layer_of_the_text_net(void **state)
{
    (void)state;
    mp_why why;
    mp_bert *bert;
    int32_t ids[TEXTS * MP_MAX_TOKENS];
    int length[TEXTS];
    mp_sentences all = {.ids = ids, .length = length, .n = TEXTS};
    float *got = mp_xmalloc(TEXTS * MP_MAX_TOKENS * BERT_HIDDEN * sizeof *got);
    double worst = 0;
    char name[64];
    assert_ok(mp_bert_open(&bert, text, MP_F32, &why));
    for (int t = 0; t < TEXTS; t++)
        all.tokens += length[t] = ids_of(t, ids + all.tokens);
    for (int l = 0; l <= BERT_LAYERS; l++) {
        const float *at = got;
        assert_ok(mp_bert_probe(bert, &all, l, got, &why));
        for (int t = 0; t < TEXTS; t++) {
            size_t n = (size_t)length[t] * BERT_HIDDEN;
            snprintf(name, sizeof name, "text%d.layer%d", t, l);
            if (length[t] <= 64) {
                double error = difference(at, find(name, n), n);
                worst = fmax(worst, error);
                if (!(error < TEXT_ERROR))
                    fail_msg("%s: relative error %.2g", name, error);
            }
            at += n;
        }
    }
    assert_ok(mp_bert_encode(bert, &all, NULL, got, &why));
    for (int t = 0; t < TEXTS; t++) {
        snprintf(name, sizeof name, "text%d.vector", t);
        double error = difference(got + t * BERT_HIDDEN, find(name, BERT_HIDDEN), BERT_HIDDEN);
        worst = fmax(worst, error);
        if (!(error < TEXT_ERROR))
            fail_msg("%s: relative error %.2g", name, error);
    }
    print_message("7 layers, %d texts: largest relative error %.2g\n", TEXTS, worst);
    free(got);
    mp_bert_close(bert);
}

static double cosine_of(const float *a, const float *b, size_t n)
{
    double ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < n; i++) {
        ab += (double)a[i] * (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
    }
    return ab / sqrt(aa * bb);
}

/* Soft shapes on a soft ground, other ones for each number. */
static void paint(uint8_t *px, unsigned number)
{
    unsigned cx = 40 + number * 53 % 150, cy = 40 + number * 97 % 150, r = 20 + number * 31 % 50;
    for (unsigned y = 0; y < EFFNET_SIDE; y++)
        for (unsigned x = 0; x < EFFNET_SIDE; x++, px += 3) {
            bool inside = (x - cx) * (x - cx) + (y - cy) * (y - cy) < r * r;
            px[0] = (uint8_t)(inside ? 230 : (x * (1 + number % 3) + 40) % 256);
            px[1] = (uint8_t)(inside ? 60 + number * 20 : y * 255 / EFFNET_SIDE);
            px[2] = (uint8_t)(inside ? 30 : (x + y) * (1 + number % 2) % 256);
        }
}

/* With 8-bit products the last features, pooled, and the two middle ones stay where they were,
 * whatever the number of threads. */
static void codes_keep_the_features_of_the_image_net(void **state)
{
    (void)state;
    enum { F = EFFNET_FEATURES, GRID = EFFNET_GRID * EFFNET_GRID, PAINTED = 6 };
    enum { A = EFFNET_MID_A * EFFNET_MID_A_GRID * EFFNET_MID_A_GRID };
    enum { B = EFFNET_MID_B * EFFNET_MID_B_GRID * EFFNET_MID_B_GRID };
    mp_why why;
    mp_effnet *exact, *coded, *borrower;
    float *f = mp_xmalloc((size_t)(3 * F * GRID + 2 * (A + B)) * sizeof *f),
          *mid = f + 3 * F * GRID;
    uint8_t *px = mp_xmalloc(3 * EFFNET_SIDE * EFFNET_SIDE);
    double worst = 1, worst_mid = 1;
    assert_ok(mp_effnet_open(&exact, image, NULL, MP_F32, &why));
    assert_ok(mp_effnet_open(&coded, image, NULL, MP_INT8, &why));
    assert_ok(mp_effnet_open(&borrower, image, coded, MP_INT8, &why));
    for (unsigned p = 0; p < PAINTED; p++) {
        float pooled[2][F] = {{0}};
        mp_team *team = mp_team_open(1 + (int)p);
        paint(px, p);
        assert_ok(mp_effnet_features(exact, px, NULL, f, &why));
        assert_ok(mp_effnet_features(coded, px, NULL, f + F * GRID, &why));
        assert_ok(mp_effnet_features(p % 2 ? coded : borrower, px, team, f + 2 * F * GRID, &why));
        assert_memory_equal(f + F * GRID, f + 2 * F * GRID, F * GRID * sizeof *f);
        mp_team_close(team);
        for (int way = 0; way < 2; way++)
            for (int i = 0; i < F * GRID; i++)
                pooled[way][i % F] += f[way * F * GRID + i];
        worst = fmin(worst, cosine_of(pooled[0], pooled[1], F));
        assert_ok(mp_effnet_middle(exact, px, mid, mid + A, &why));
        assert_ok(mp_effnet_middle(coded, px, mid + A + B, mid + 2 * A + B, &why));
        worst_mid = fmin(worst_mid, cosine_of(mid, mid + A + B, A));
        worst_mid = fmin(worst_mid, cosine_of(mid + A, mid + 2 * A + B, B));
    }
    print_message(
        "8-bit products, %d pictures: worst cosine of features %.5f, of the middle %.5f\n", PAINTED,
        worst, worst_mid);
    assert_true(worst > 0.99 && worst_mid > 0.99);
    mp_effnet_close(borrower);
    mp_effnet_close(coded);
    mp_effnet_close(exact);
    free(px);
    free(f);
}

/* With 8-bit products a sentence's vector stays where it was. */
static void codes_keep_the_vectors_of_the_text_net(void **state)
{
    (void)state;
    mp_why why;
    mp_bert *bert;
    int32_t ids[TEXTS * MP_MAX_TOKENS];
    int length[TEXTS];
    mp_sentences all = {.ids = ids, .length = length, .n = TEXTS};
    float got[TEXTS * BERT_HIDDEN];
    char name[64];
    double worst = 1;
    assert_ok(mp_bert_open(&bert, text, MP_INT8, &why));
    for (int t = 0; t < TEXTS; t++)
        all.tokens += length[t] = ids_of(t, ids + all.tokens);
    for (int threads = 1; threads <= 2; threads++) {
        mp_team *team = mp_team_open(threads);
        assert_ok(mp_bert_encode(bert, &all, team, got, &why));
        mp_team_close(team);
        for (int t = 0; t < TEXTS; t++) {
            snprintf(name, sizeof name, "text%d.vector", t);
            const float *want = find(name, BERT_HIDDEN);
            double dot = 0;
            for (int i = 0; i < BERT_HIDDEN; i++)
                dot += (double)want[i] * (double)got[t * BERT_HIDDEN + i];
            worst = fmin(worst, dot);
            print_message("text %d, %d threads: cosine %.5f\n", t, threads, dot);
        }
    }
    print_message("8-bit products, %d texts: worst cosine %.5f\n", TEXTS, worst);
    assert_true(worst > 0.99);
    mp_bert_close(bert);
}

/* LOOK and WORD from the model's front door: bytes in, unit vectors out. */
static void vectors_relate_as_they_should(void **state)
{
    (void)state;
    enum { PX = 3 * EFFNET_SIDE * EFFNET_SIDE, DIMS = 512 };
    static const char *const names[] = {"look.cosines", "word.cosines"};
    mp_why why;
    mp_model *m;
    mp_model_options opt = {.models_dir = getenv("MAGPIE_MODELS"), .threads = 2};
    uint8_t *px = mp_xmalloc(PICTURES * PX);
    float v[2][PICTURES * DIMS], *out[MP_SPACES] = {v[0], v[1]};
    mp_views views[PICTURES] = {0};
    for (int p = 0; p < PICTURES; p++) {
        char name[64];
        snprintf(name, sizeof name, "picture%d.input", p);
        const float *input = find(name, PX);
        for (int i = 0; i < PX; i++)
            px[p * PX + i] = (uint8_t)lrintf(input[i] * 128 + 127);
        views[p].px[MP_SPACE_LOOK] = views[p].px[MP_SPACE_WORD] = px + p * PX;
    }
    assert_ok(mp_model_open(&m, "lite", &opt, &why));
    assert_ok(mp_model_encode_images(m, views, PICTURES, 1u << MP_SPACE_LOOK | 1u << MP_SPACE_WORD,
                                     out, &why));
    for (int s = 0; s < 2; s++) {
        const float *want = find(names[s], PICTURES * PICTURES);
        for (int i = 0; i < PICTURES * PICTURES; i++) {
            double got = 0;
            for (int d = 0; d < DIMS; d++)
                got +=
                    (double)v[s][i / PICTURES * DIMS + d] * (double)v[s][i % PICTURES * DIMS + d];
            if (!(fabs(got - (double)want[i]) < COSINE_ERROR))
                fail_msg("%s[%d]: %.6f, not %.6f", names[s], i, got, (double)want[i]);
        }
    }
    mp_model_close(m);
    free(px);
}

static size_t unhex(char *hex, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], 0};
        hex[i] = (char)strtol(digits, NULL, 16);
    }
    return n / 2;
}

static void tokens_of_odd_texts(void **state)
{
    (void)state;
    mp_why why;
    mp_tokenizer *tokens;
    static char line[65536];
    int lines = 0, different = 0;
    FILE *f = fopen(tokens_path, "r");
    assert_non_null(f);
    assert_ok(mp_tokenizer_open(&tokens, vocab_path, &why));
    while (fgets(line, sizeof line, f)) {
        int32_t ids[MP_MAX_TOKENS];
        char *at = strchr(line, '\t');
        assert_non_null(at);
        mp_str words = {line, unhex(line, (size_t)(at - line))};
        int n = mp_tokenize(tokens, words, ids), i = 0;
        bool same = true;
        for (at++; isdigit((unsigned char)*at); i++, at += *at == ' ')
            same = strtol(at, &at, 10) == (i < n ? ids[i] : -1) && same;
        if (!same || i != n) {
            different++;
            print_message("line %d of %s differs: \"%.*s\"\n", lines + 1, tokens_path, (int)words.n,
                          words.p);
        }
        lines++;
    }
    fclose(f);
    print_message("%d texts, %d with other tokens\n", lines, different);
    assert_true(lines > 10000);
    assert_int_equal(different, 0);
    mp_tokenizer_close(tokens);
}

/* False: something needed is not there. */
static bool open_all(void)
{
    const char *models = getenv("MAGPIE_MODELS"), *folder = getenv("MAGPIE_GOLDEN");
    char path[1024];
    mp_why why = {0};
    if (!models || !folder)
        return false;
    snprintf(path, sizeof path, "%s/golden.safetensors", folder);
    snprintf(tokens_path, sizeof tokens_path, "%s/tokens.txt", folder);
    snprintf(vocab_path, sizeof vocab_path, "%s/lite/vocab.txt", models);
    mp_err err = mp_tensors_open(&golden, path, &why);
    snprintf(path, sizeof path, "%s/lite/image.safetensors", models);
    if (!err)
        err = mp_tensors_open(&image, path, &why);
    snprintf(path, sizeof path, "%s/lite/text.safetensors", models);
    if (!err)
        err = mp_tensors_open(&text, path, &why);
    if (err)
        printf("skipped: %s\n", why.text);
    return !err;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layer_of_the_image_net),
        cmocka_unit_test(every_layer_of_the_text_net),
        cmocka_unit_test(codes_keep_the_vectors_of_the_text_net),
        cmocka_unit_test(codes_keep_the_features_of_the_image_net),
        cmocka_unit_test(vectors_relate_as_they_should),
        cmocka_unit_test(tokens_of_odd_texts),
    };
    bool ready = open_all();
    if (!ready)
        printf("the lite model or its golden tensors are not here: skipped\n");
    int failed = ready ? cmocka_run_group_tests(tests, NULL, NULL) : 77;
    mp_tensors_close(golden);
    mp_tensors_close(image);
    mp_tensors_close(text);
    return failed;
}
