/* model.c - the model API over families. See model.h and family.h. */
#include "model/catalogue.h"
#include "model/family.h"

#include <glib.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct mp_model {
    const mp_family *family;
    mp_model_info info;
    void *self;
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

static const mp_family *family_of(const char *id)
{
    for (size_t i = 0; i < MP_COUNT(families); i++)
        if (strcmp(families[i]->id, id) == 0)
            return families[i];
    return NULL;
}

static void folder_of(const char *models_dir, const char *id, char out[PATH_MAX])
{
    snprintf(out, PATH_MAX, "%s/%s", models_dir ? models_dir : "", id);
}

bool mp_model_installed(const char *id, const char *models_dir, mp_model_info *info)
{
    const mp_family *f = family_of(id);
    char folder[PATH_MAX];
    folder_of(models_dir, id, folder);
    return f && f->installed(folder, info);
}

mp_err mp_model_open(mp_model **out, const char *id, const mp_model_options *opt, mp_why *why)
{
    const mp_family *f = family_of(id);
    char folder[PATH_MAX];
    *out = NULL;
    if (!f)
        return mp_fail(why, MP_NOT_FOUND, "no model is called '%s'", id);
    mp_model *m = mp_xcalloc(1, sizeof *m);
    m->family = f;
    folder_of(opt->models_dir, id, folder);
    mp_err err = f->open(&m->self, folder, opt, &m->info, why);
    if (err) {
        free(m);
        return err;
    }
    *out = m;
    return MP_OK;
}

void mp_model_close(mp_model *m)
{
    if (!m)
        return;
    m->family->close(m->self);
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
    return n ? m->family->images(m->self, views, n, mask, out, why) : MP_OK;
}

static mp_err check_text(mp_str text, mp_why *why)
{
    bool blank = true;
    for (size_t i = 0; i < text.n && blank; i++)
        blank = strchr(" \t\r\n", text.p[i]) != NULL;
    if (blank)
        return mp_fail(why, MP_INVALID, "there are no words");
    if (!g_utf8_validate(text.p, (gssize)text.n, NULL))
        return mp_fail(why, MP_INVALID, "the words are not UTF-8");
    return MP_OK;
}

mp_err mp_model_encode_text(mp_model *m, mp_str text, float *out, float *aim, mp_text_info *info,
                            mp_why *why)
{
    mp_text_info unused;
    info = info ? info : &unused;
    *info = (mp_text_info){0};
    if (!m->family->text)
        return mp_fail(why, MP_UNSUPPORTED, "the model %s does not know words", m->info.id);
    mp_err err = check_text(text, why);
    return err ? err : m->family->text(m->self, text, out, aim, info, why);
}

mp_err mp_model_encode_sentences(mp_model *m, const mp_str *texts, size_t n, float *out,
                                 mp_why *why)
{
    if (!m->family->sentences)
        return mp_fail(why, MP_UNSUPPORTED, "the model %s does not know words", m->info.id);
    mp_err err = MP_OK;
    for (size_t i = 0; !err && i < n; i++)
        err = check_text(texts[i], why);
    return err || !n ? err : m->family->sentences(m->self, texts, n, out, why);
}

mp_err mp_model_patches(mp_model *m, const uint8_t *look_px, mp_patches *out, mp_why *why)
{
    *out = (mp_patches){0};
    return m->family->patches(m->self, look_px, out, why);
}
