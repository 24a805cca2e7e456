/* embed.c - vectors of pictures and words that are not in the library. */
#include "core/core.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

enum { BATCH = 8 };

static void normalise(float *v, int dims)
{
    double sum = 0;
    for (int i = 0; i < dims; i++)
        sum += (double)v[i] * (double)v[i];
    for (int i = 0; i < dims && sum > 0; i++)
        v[i] = (float)((double)v[i] / sqrt(sum));
}

static mp_err decode(mp_decoder *decoder, const magpie_term *t, const mp_decode_spec *spec,
                     mp_decoded *out, mp_why *why)
{
    if (t->kind == MAGPIE_BYTES)
        return mp_decode_bytes(decoder, (mp_span){t->data, t->n}, spec, out, why);
    int fd = open(t->text, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return mp_fail_errno(why, errno, "cannot open the picture");
    mp_err err = mp_decode_fd(decoder, fd, spec, out, why);
    close(fd);
    return err;
}

static mp_err embed_pictures(magpie *m, mp_model *model, const magpie_term *terms, size_t n,
                             mp_space space, float *out, mp_why *why)
{
    mp_decoder *decoder;
    mp_decoded decoded[BATCH] = {0};
    mp_views views[BATCH] = {0};
    mp_decode_spec spec = {0};
    int view_of[MP_SPACES];
    float *to[MP_SPACES] = {0};
    to[space] = out;
    mp_core_views(model, 1u << space, &spec, view_of);
    mp_err err = mp_core_decoder(m, &decoder, why);
    for (size_t i = 0; !err && i < n; i++) {
        err = decode(decoder, &terms[i], &spec, &decoded[i], why);
        if (!err)
            views[i].px[space] = decoded[i].view[view_of[space]].px;
    }
    if (!err)
        err = mp_model_encode_images(model, views, n, 1u << space, to, why);
    for (size_t i = 0; i < n; i++)
        mp_decoded_free(&decoded[i]);
    return err;
}

static mp_err check_kinds(const magpie_term *terms, size_t n, mp_why *why)
{
    for (size_t i = 0; i < n; i++) {
        magpie_term_kind kind = terms[i].kind;
        if (kind != MAGPIE_TEXT && kind != MAGPIE_BYTES && (kind != MAGPIE_FILE || !terms[i].text))
            return mp_fail(why, MP_INVALID, "term %zu is neither a text nor a picture", i + 1);
    }
    return MP_OK;
}

static mp_err embed_words(mp_model *model, const magpie_term *t, mp_space space, float *out,
                          mp_why *why)
{
    if (space != MP_SPACE_WORD)
        return mp_fail(why, MP_UNSUPPORTED, "words have no vector of how things look");
    mp_err err = mp_core_check_question(t->text, why);
    return err ? err : mp_model_encode_text(model, mp_str_of(t->text), out, NULL, NULL, why);
}

magpie_err magpie_embed(magpie *m, const magpie_term *terms, size_t n, magpie_space space,
                        float **out, int *dims, magpie_why *why)
{
    mp_model *model;
    *out = NULL;
    *dims = 0;
    mp_err err = check_kinds(terms, n, INNER(why));
    if (!err)
        err = mp_core_model(m, &model, INNER(why));
    if (err)
        return OUTER(err);
    const mp_model_info *info = mp_model_get_info(model);
    mp_space s = space == MAGPIE_WORD ? MP_SPACE_WORD : MP_SPACE_LOOK;
    size_t d = (size_t)info->space[s].dims;
    if (!d)
        return OUTER(mp_fail(INNER(why), MP_UNSUPPORTED, "the model %s knows no words", info->id));
    float *v = mp_try_array(n * d, sizeof *v);
    if (!v)
        return OUTER(mp_fail(INNER(why), MP_NOMEM, "no memory for %zu vectors", n));
    for (size_t at = 0; !err && at < n;) {
        size_t run = 0;
        while (at + run < n && run < BATCH && terms[at + run].kind != MAGPIE_TEXT)
            run++;
        err = run ? embed_pictures(m, model, terms + at, run, s, v + at * d, INNER(why))
                  : embed_words(model, &terms[at], s, v + at * d, INNER(why));
        at += MP_MAX(run, (size_t)1);
    }
    for (size_t i = 0; !err && i < n; i++)
        normalise(v + i * d, (int)d);
    if (err) {
        free(v);
        return OUTER(err);
    }
    *out = v;
    *dims = (int)d;
    return MAGPIE_OK;
}
