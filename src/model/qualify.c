/* qualify.c - see qualify.h; mp_model_qualify is in model.h. */
#include "model/qualify.h"

#include "base/os.h"
#include "model/concepts.h"
#include "simd/distance.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char FILE_NAME[] = "precision.json";
enum { TEXTS = 64 };

static const char *kernels(void)
{
    return mp_dense8_for(mp_simd_isa())->word;
}

/* ---- what was found ---- */

static bool passed(const json_t *report, const char *tower)
{
    const json_t *worst = json_object_get(json_object_get(report, tower), "worst_cosine");
    return json_is_number(worst) && json_number_value(worst) >= (double)MP_QUALIFIED_FROM;
}

static bool is_text(const json_t *report, const char *name, const char *wanted)
{
    const char *text = json_string_value(json_object_get(report, name));
    return text && strcmp(text, wanted) == 0;
}

static mp_qualified found(const char *folder, const char *sha256)
{
    char path[PATH_MAX];
    mp_qualified q = {MP_F32, MP_F32};
    if (snprintf(path, sizeof path, "%s/%s", folder, FILE_NAME) >= (int)sizeof path)
        return q;
    json_t *report = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    if (is_text(report, "sha256", sha256) && is_text(report, "kernels", kernels())) {
        q.image = passed(report, "image") ? MP_INT8 : MP_F32;
        q.text = passed(report, "text") ? MP_INT8 : MP_F32;
    }
    json_decref(report);
    return q;
}

mp_qualified mp_precision_for(const char *folder, const char *sha256, mp_precision_choice wanted)
{
    if (wanted != MP_PRECISION_F32 && wanted != MP_PRECISION_INT8)
        return found(folder, sha256);
    mp_precision all = wanted == MP_PRECISION_INT8 ? MP_INT8 : MP_F32;
    return (mp_qualified){all, all};
}

mp_err mp_precision_of(const char *word, mp_precision_choice *out, mp_why *why)
{
    static const char *const words[] = {[MP_PRECISION_ENV] = "",
                                        [MP_PRECISION_AUTO] = "auto",
                                        [MP_PRECISION_F32] = "f32",
                                        [MP_PRECISION_INT8] = "int8"};
    for (size_t i = 0; i < MP_COUNT(words); i++)
        if (strcmp(word ? word : "", words[i]) == 0) {
            *out = (mp_precision_choice)i;
            return MP_OK;
        }
    return mp_fail(why, MP_INVALID, "the precision '%.40s' is not known: auto, f32 or int8", word);
}

/* ---- finding out ---- */

typedef struct both_ways {
    mp_model *f32, *int8;
} both_ways;

static mp_err open_both(both_ways *b, const char *id, const mp_model_options *opt, mp_why *why)
{
    mp_model_options f32 = *opt, int8 = *opt;
    f32.precision = MP_PRECISION_F32;
    int8.precision = MP_PRECISION_INT8;
    mp_err err = mp_model_open(&b->f32, id, &f32, why);
    return err ? err : mp_model_open(&b->int8, id, &int8, why);
}

static float worst_cosine(const float *a, const float *b, size_t n, size_t dims)
{
    mp_dot_fn dot = mp_dot_for(mp_simd_isa());
    float worst = 1;
    for (size_t i = 0; i < n; i++)
        worst = MP_MIN(worst, dot(a + i * dims, b + i * dims, dims));
    return worst;
}

static mp_err compare_pictures(const both_ways *b, const uint8_t *const *px, size_t n, float *worst,
                               mp_why *why)
{
    size_t dims = (size_t)mp_model_get_info(b->f32)->space[MP_SPACE_LOOK].dims;
    mp_views *views = mp_try_array(n, sizeof *views);
    float *v = mp_try_array(2 * n * dims, sizeof *v);
    float *exact[MP_SPACES] = {v}, *coded[MP_SPACES] = {v ? v + n * dims : NULL};
    mp_err err = views && v ? MP_OK : mp_fail(why, MP_NOMEM, "no memory for %zu pictures", n);
    for (size_t i = 0; !err && i < n; i++)
        views[i] = (mp_views){.px = {[MP_SPACE_LOOK] = px[i]}};
    if (!err)
        err = mp_model_encode_images(b->f32, views, n, 1u << MP_SPACE_LOOK, exact, why);
    if (!err)
        err = mp_model_encode_images(b->int8, views, n, 1u << MP_SPACE_LOOK, coded, why);
    if (!err)
        *worst = worst_cosine(exact[0], coded[0], n, dims);
    free(views);
    free(v);
    return err;
}

/* Names of things, bare and in a phrase: about what is searched for. */
static mp_err compare_texts(const both_ways *b, float *worst, mp_why *why)
{
    size_t dims = (size_t)mp_model_get_info(b->f32)->space[MP_SPACE_SENTENCE].dims;
    float *v = mp_try_array(2 * TEXTS * dims, sizeof *v);
    char text[TEXTS][128];
    mp_str texts[TEXTS];
    if (!v)
        return mp_fail(why, MP_NOMEM, "no memory for %d texts", TEXTS);
    for (int i = 0; i < TEXTS; i++) {
        snprintf(text[i], sizeof text[i], "%s%.100s", i % 2 ? "a photo of a " : "",
                 mp_lite_concepts[i * 1000 / TEXTS]);
        texts[i] = mp_str_of(text[i]);
    }
    mp_err err = mp_model_encode_sentences(b->f32, texts, TEXTS, v, why);
    if (!err)
        err = mp_model_encode_sentences(b->int8, texts, TEXTS, v + TEXTS * dims, why);
    if (!err)
        *worst = worst_cosine(v, v + TEXTS * dims, TEXTS, dims);
    free(v);
    return err;
}

static mp_err keep(const char *folder, const char *sha256, const mp_qualification *q, mp_why *why)
{
    char path[PATH_MAX];
    json_t *report = json_pack("{s:i, s:s, s:s, s:{s:f, s:I}, s:{s:f, s:i}}", "magpie_precision", 1,
                               "sha256", sha256, "kernels", q->kernels, "image", "worst_cosine",
                               (double)q->image, "pictures", (json_int_t)q->pictures, "text",
                               "worst_cosine", (double)q->text, "texts", q->texts);
    char *text = json_dumps(report, JSON_INDENT(1));
    json_decref(report);
    mp_err err = text && snprintf(path, sizeof path, "%s/%s", folder, FILE_NAME) < (int)sizeof path
                     ? mp_file_replace(path, text, strlen(text), why)
                     : mp_fail(why, MP_NOMEM, "no memory");
    free(text);
    return err;
}

mp_err mp_model_qualify(const char *id, const mp_model_options *opt, const uint8_t *const *px,
                        size_t n, mp_qualification *out, mp_why *why)
{
    both_ways b = {0};
    char folder[PATH_MAX];
    *out = (mp_qualification){.kernels = kernels(), .pictures = n, .image = 1, .text = 1};
    mp_err err = open_both(&b, id, opt, why);
    const mp_model_info *info = err ? NULL : mp_model_get_info(b.f32);
    if (!err && n == 0)
        err = mp_fail(why, MP_INVALID, "there are no pictures to compare on");
    if (!err)
        err = compare_pictures(&b, px, n, &out->image, why);
    if (!err && info->space[MP_SPACE_SENTENCE].dims) {
        out->texts = TEXTS;
        err = compare_texts(&b, &out->text, why);
    }
    snprintf(folder, sizeof folder, "%s/%s", opt->models_dir ? opt->models_dir : "", id);
    if (!err)
        err = keep(folder, info->sha256, out, why);
    mp_model_close(b.f32);
    mp_model_close(b.int8);
    return err;
}
