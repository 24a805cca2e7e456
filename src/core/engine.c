/* engine.c - the parts that turn pictures and words into vectors, opened when first needed. */
#include "core/core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

mp_err mp_core_open_model(magpie *m, const char *id, mp_model **out, mp_why *why)
{
    mp_model_options opt = {
        .models_dir = m->models_dir, .threads = m->threads, .precision = m->precision};
    return mp_model_open(out, id, &opt, why);
}

mp_err mp_core_model(magpie *m, mp_model **out, mp_why *why)
{
    mp_err err = MP_OK;
    pthread_mutex_lock(&m->engine);
    *out = m->model;
    if (!*out) {
        err = mp_core_open_model(m, m->model_id, out, why);
        m->model = *out;
    }
    pthread_mutex_unlock(&m->engine);
    return err;
}

mp_err mp_core_model_usable(magpie *m, mp_why *why)
{
    mp_model *unused;
    return mp_core_model(m, &unused, why);
}

void mp_core_model_id(magpie *m, char out[64])
{
    pthread_mutex_lock(&m->engine);
    memcpy(out, m->model_id, sizeof m->model_id);
    pthread_mutex_unlock(&m->engine);
}

void mp_core_model_name(magpie *m, char id[64], char sha256[65])
{
    mp_model_info info = {0};
    pthread_mutex_lock(&m->engine);
    if (!*m->model_sha256 && mp_model_installed(m->model_id, m->models_dir, &info))
        snprintf(m->model_sha256, sizeof m->model_sha256, "%s", info.sha256);
    memcpy(id, m->model_id, sizeof m->model_id);
    memcpy(sha256, m->model_sha256, sizeof m->model_sha256);
    pthread_mutex_unlock(&m->engine);
}

uint64_t mp_core_model_turn(magpie *m)
{
    return atomic_load(&m->turn);
}

mp_err mp_core_decoder(magpie *m, mp_decoder **out, mp_why *why)
{
    mp_err err = MP_OK;
    pthread_mutex_lock(&m->engine);
    if (!m->decode) {
        mp_decoder_options opt = {.decoder = m->decoder_path,
                                  .workers = m->decoders,
                                  .timeout_ms = m->decode_timeout_ms,
                                  .max_pixels = m->max_pixels,
                                  .max_side = m->max_side};
        err = mp_decoder_open(&m->decode, &opt, why);
    }
    *out = m->decode;
    pthread_mutex_unlock(&m->engine);
    return err;
}

mp_space mp_core_kept_as(const mp_model *model, mp_space space)
{
    return mp_model_get_info(model)->space[space].is_look ? MP_SPACE_LOOK : space;
}

mp_vector_key mp_core_key(const mp_model *model, mp_space space)
{
    const mp_model_info *info = mp_model_get_info(model);
    space = mp_core_kept_as(model, space);
    return (mp_vector_key){.model = info->id,
                           .model_sha256 = info->sha256,
                           .space = mp_space_word(space),
                           .dims = info->space[space].dims};
}

uint32_t mp_core_eager_mask(const mp_model *model)
{
    const mp_model_info *info = mp_model_get_info(model);
    uint32_t mask = 0;
    for (int s = 0; s < MP_SPACE_SENTENCE; s++)
        if (info->space[s].dims && info->space[s].eager)
            mask |= 1u << s;
    return mask;
}

void mp_core_views(const mp_model *model, uint32_t mask, mp_decode_spec *spec,
                   int view_of[MP_SPACES])
{
    const mp_model_info *info = mp_model_get_info(model);
    for (int s = 0; s < MP_SPACES; s++) {
        view_of[s] = -1;
        if (!(mask & (1u << s)))
            continue;
        const mp_view_spec *wanted = &info->space[s].view;
        int at = 0;
        while (at < spec->n_views && !mp_view_spec_eq(&spec->view[at], wanted))
            at++;
        if (at == MP_MAX_VIEWS)
            continue;
        if (at == spec->n_views)
            spec->view[spec->n_views++] = *wanted;
        view_of[s] = at;
    }
}
