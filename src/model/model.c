/* model.c - the model API over families. See model.h and family.h. */
#include "model/catalogue.h"
#include "model/family.h"

#include "model/checked.h"
#include "model/gather.h"
#include "model/manifest.h"

#include <glib.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALONE_FROM = 16, TOGETHER = 32 }; /* so many go alone; so many at most go together */

struct mp_model {
    const mp_family *family;
    mp_model_info info;
    void *self;
    mp_gather pictures, texts;
};

static const mp_family *const families[] = {&mp_family_lite, &mp_family_builtin};

const char *mp_space_word(mp_space s)
{
    static const char *const words[] = {"look", "word", "copy", "texture", "sentence"};
    return words[s];
}

/* Our own first, then what the catalogue has. */
static const char *known[64];

static void make_known(void)
{
    size_t n = 0;
    known[n++] = "lite";
    known[n++] = "builtin";
    for (size_t i = 0; mp_catalogue_ids[i] && n + 1 < MP_COUNT(known); i++)
        known[n++] = mp_catalogue_ids[i];
}

const char *const *mp_model_known(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_known);
    return known;
}

/* Models that are no family of their own are told by the manifest in their folder. */
static const mp_family *family_of(const char *id, const char *folder)
{
    mp_manifest m;
    for (size_t i = 0; i < MP_COUNT(families); i++)
        if (strcmp(families[i]->id, id) == 0)
            return families[i];
    if (!mp_manifest_load(&m, folder, NULL) && strcmp(m.family, mp_family_clip.id) == 0)
        return &mp_family_clip;
    return NULL;
}

/* An id is a folder's name, never a path. */
static bool is_name(const char *id)
{
    return *id && *id != '.' && !strchr(id, '/');
}

static void folder_of(const char *models_dir, const char *id, char out[PATH_MAX])
{
    snprintf(out, PATH_MAX, "%s/%s", models_dir ? models_dir : "", id);
}

bool mp_model_installed(const char *id, const char *models_dir, mp_model_info *info)
{
    char folder[PATH_MAX];
    if (!is_name(id))
        return false;
    folder_of(models_dir, id, folder);
    const mp_family *f = family_of(id, folder);
    return f && f->installed(folder, info);
}

bool mp_model_describe(const char *id, mp_model_info *info)
{
    for (size_t i = 0; i < MP_COUNT(families); i++)
        if (strcmp(families[i]->id, id) == 0 && families[i]->describe) {
            families[i]->describe(info);
            return true;
        }
    return false;
}

mp_err mp_model_absent(const char *id, const char *models_dir, mp_why *why)
{
    char folder[PATH_MAX];
    mp_manifest m = {0};
    mp_checked files;
    mp_why inner = {0};
    bool listed = false;
    for (const char *const *k = mp_model_known(); *k; k++)
        listed = listed || strcmp(*k, id) == 0;
    folder_of(models_dir, id, folder);
    mp_err err = is_name(id) ? mp_manifest_load(&m, folder, &inner) : MP_NOT_FOUND;
    if (err == MP_NOT_FOUND && listed)
        return mp_fail(
            why, err, "the model %s is not installed in %.300s (get it with: magpie model pull %s)",
            id, models_dir ? models_dir : "", id);
    if (err == MP_NOT_FOUND)
        return mp_fail(why, err, "no model is called '%.60s' (magpie model list shows them all)",
                       id);
    if (err)
        return mp_fail(why, err, "%s; to fetch it again: magpie model pull %.60s", inner.text, id);
    if (!family_of(id, folder))
        return mp_fail(why, MP_UNSUPPORTED,
                       "the model %.60s is of the family '%s', which this version does not know",
                       id, m.family);
    err = mp_checked_look(&files, folder, &m, why);
    return err ? err : mp_fail(why, MP_BUSY, "the model %.60s has just come; try again", id);
}

/* ---- calls that are made together ---- */

typedef struct picture_work {
    const mp_views *views;
    float *const *out;
} picture_work;

static void copy_views(const mp_gathered *first, mp_views *to)
{
    for (const mp_gathered *g = first; g; g = g->next) {
        const picture_work *w = g->work;
        memcpy(to, w->views, g->n * sizeof *to);
        to += g->n;
    }
}

static void copy_vectors(const mp_gathered *first, int space, size_t dims, const float *from)
{
    for (const mp_gathered *g = first; g; g = g->next) {
        const picture_work *w = g->work;
        memcpy(w->out[space], from, g->n * dims * sizeof *from);
        from += g->n * dims;
    }
}

static mp_err run_pictures(void *context, mp_gathered *first, size_t n, mp_why *why)
{
    mp_model *m = context;
    uint32_t mask = (uint32_t)first->kind;
    const picture_work *only = first->work;
    if (!first->next)
        return m->family->images(m->self, only->views, n, mask, only->out, why);
    float *out[MP_SPACES] = {0};
    mp_views *views = mp_try_array(n, sizeof *views);
    bool room = views != NULL;
    for (int s = 0; s < MP_SPACES; s++)
        if (mask & (1u << s)) {
            out[s] = mp_try_array(n * (size_t)m->info.space[s].dims, sizeof *out[s]);
            room = room && out[s];
        }
    mp_err err = room ? MP_OK : mp_fail(why, MP_NOMEM, "no memory for %zu pictures", n);
    if (!err) {
        copy_views(first, views);
        err = m->family->images(m->self, views, n, mask, out, why);
    }
    for (int s = 0; s < MP_SPACES; s++) {
        if (!err && out[s])
            copy_vectors(first, s, (size_t)m->info.space[s].dims, out[s]);
        free(out[s]);
    }
    free(views);
    return err;
}

typedef struct text_work {
    const mp_str *texts;
    float *out;
} text_work;

static mp_err run_texts(void *context, mp_gathered *first, size_t n, mp_why *why)
{
    mp_model *m = context;
    size_t dims = (size_t)m->info.space[MP_SPACE_SENTENCE].dims, at = 0;
    const text_work *only = first->work;
    if (!first->next)
        return m->family->sentences(m->self, only->texts, n, only->out, why);
    mp_str *texts = mp_try_array(n, sizeof *texts);
    float *out = mp_try_array(n * dims, sizeof *out);
    mp_err err = texts && out ? MP_OK : mp_fail(why, MP_NOMEM, "no memory for %zu texts", n);
    for (const mp_gathered *g = first; !err && g; at += g->n, g = g->next)
        memcpy(texts + at, ((const text_work *)g->work)->texts, g->n * sizeof *texts);
    if (!err)
        err = m->family->sentences(m->self, texts, n, out, why);
    at = 0;
    for (const mp_gathered *g = first; !err && g; at += g->n, g = g->next)
        memcpy(((const text_work *)g->work)->out, out + at * dims, g->n * dims * sizeof *out);
    free(texts);
    free(out);
    return err;
}

/* ---- what comes out ---- */

/* Rows of numbers, each as finite as sound weights make them. */
static mp_err check_rows(const mp_model *m, const float *v, size_t n, int dims, mp_why *why)
{
    for (size_t i = 0; i < n * (size_t)dims; i++)
        if (!isfinite(v[i]))
            return mp_fail(
                why, MP_CORRUPT,
                "the model %s gives vectors that are no numbers: its weights are damaged",
                m->info.id);
    return MP_OK;
}

static mp_err check_spaces(const mp_model *m, float *const out[MP_SPACES], uint32_t mask, size_t n,
                           mp_why *why)
{
    mp_err err = MP_OK;
    for (int s = 0; !err && s < MP_SPACES; s++)
        if (mask & (1u << s))
            err = check_rows(m, out[s], n, m->info.space[s].dims, why);
    return err;
}

/* ---- opening ---- */

mp_err mp_model_open(mp_model **out, const char *id, const mp_model_options *opt, mp_why *why)
{
    char folder[PATH_MAX];
    *out = NULL;
    folder_of(opt->models_dir, id, folder);
    const mp_family *f = is_name(id) ? family_of(id, folder) : NULL;
    if (!f)
        return mp_model_absent(id, opt->models_dir, why);
    mp_model_options said = *opt;
    mp_err err = MP_OK;
    if (said.precision == MP_PRECISION_ENV)
        err = mp_precision_of(getenv("MAGPIE_PRECISION"), &said.precision, why);
    mp_model *m = mp_xcalloc(1, sizeof *m);
    m->family = f;
    if (!err)
        err = f->open(&m->self, folder, &said, &m->info, why);
    if (err) {
        free(m);
        return err;
    }
    mp_gather_init(&m->pictures, TOGETHER, run_pictures, m);
    mp_gather_init(&m->texts, TOGETHER, run_texts, m);
    *out = m;
    return MP_OK;
}

void mp_model_close(mp_model *m)
{
    if (!m)
        return;
    m->family->close(m->self);
    mp_gather_destroy(&m->pictures);
    mp_gather_destroy(&m->texts);
    free(m);
}

const mp_model_info *mp_model_get_info(const mp_model *m)
{
    return &m->info;
}

mp_err mp_model_encode_images(mp_model *m, const mp_views *views, size_t n, uint32_t mask,
                              float *const out[MP_SPACES], mp_why *why)
{
    for (int s = 0; s < MP_SPACES; s++) {
        if (!(mask & (1u << s)))
            continue;
        if (s == MP_SPACE_SENTENCE || !m->info.space[s].dims || !out[s])
            return mp_fail(why, MP_INVALID, "the model %s gives pictures no %s vector", m->info.id,
                           mp_space_word((mp_space)s));
        for (size_t i = 0; i < n; i++)
            if (!views[i].px[s])
                return mp_fail(why, MP_INVALID, "picture %zu has no pixels for %s", i,
                               mp_space_word((mp_space)s));
    }
    if (n == 0)
        return MP_OK;
    picture_work work = {views, out};
    mp_err err = n >= ALONE_FROM ? m->family->images(m->self, views, n, mask, out, why)
                                 : mp_gather_do(&m->pictures, mask, n, &work, why);
    return err ? err : check_spaces(m, out, mask, n, why);
}

mp_err mp_model_check_text(mp_str text, mp_why *why)
{
    const char *end = text.p + text.n;
    bool blank = true;
    if (text.n && !g_utf8_validate(text.p, (gssize)text.n, NULL))
        return mp_fail(why, MP_INVALID, "the text is not UTF-8");
    for (const char *c = text.p; blank && c < end; c = g_utf8_next_char(c))
        blank = !g_unichar_isgraph(g_utf8_get_char(c));
    return blank ? mp_fail(why, MP_INVALID, "there are no words: the text is empty or blank")
                 : MP_OK;
}

static mp_err read_texts(mp_model *m, const mp_str *texts, size_t n, float *out, mp_why *why)
{
    text_work work = {texts, out};
    mp_err err = n >= ALONE_FROM ? m->family->sentences(m->self, texts, n, out, why)
                                 : mp_gather_do(&m->texts, 0, n, &work, why);
    return err ? err : check_rows(m, out, n, m->info.space[MP_SPACE_SENTENCE].dims, why);
}

/* Words of a model whose words are sentences, in the space that pictures share. */
static mp_err read_words(mp_model *m, mp_str text, float *out, float *aim, mp_text_info *info,
                         mp_why *why)
{
    mp_err err = read_texts(m, &text, 1, out, why);
    if (!err && aim)
        memcpy(aim, out, (size_t)m->info.space[MP_SPACE_WORD].dims * sizeof *aim);
    bool cut = !err && m->family->cuts && m->family->cuts(m->self, text);
    *info = (mp_text_info){.known = true, .cut = cut, .nearest = 1};
    return err;
}

mp_err mp_model_encode_text(mp_model *m, mp_str text, float *out, float *aim, mp_text_info *info,
                            mp_why *why)
{
    mp_text_info unused;
    info = info ? info : &unused;
    *info = (mp_text_info){0};
    if (!m->family->text && !m->family->words_are_sentences)
        return mp_fail(why, MP_UNSUPPORTED, "the model %s does not know words", m->info.id);
    mp_err err = mp_model_check_text(text, why);
    if (err)
        return err;
    if (m->family->words_are_sentences)
        return read_words(m, text, out, aim, info, why);
    err = m->family->text(m->self, text, out, aim, info, why);
    return err ? err : check_rows(m, out, 1, m->info.space[MP_SPACE_WORD].dims, why);
}

mp_err mp_model_encode_sentences(mp_model *m, const mp_str *texts, size_t n, float *out,
                                 mp_why *why)
{
    if (!m->family->sentences)
        return mp_fail(why, MP_UNSUPPORTED, "the model %s does not know words", m->info.id);
    mp_err err = MP_OK;
    for (size_t i = 0; !err && i < n; i++)
        err = mp_model_check_text(texts[i], why);
    return err || !n ? err : read_texts(m, texts, n, out, why);
}

mp_err mp_model_patches(mp_model *m, const uint8_t *look_px, mp_patches *out, mp_why *why)
{
    *out = (mp_patches){0};
    return m->family->patches(m->self, look_px, out, why);
}
