/* family.h - what a model family supplies; model.c dispatches. Inside the model room. */
#ifndef MP_FAMILY_H
#define MP_FAMILY_H

#include "model/model.h"

typedef struct mp_family {
    const char *id;
    /* A query's WORD vector is its SENTENCE vector, of words that are all known. */
    bool words_are_sentences;
    /* Fills info when the model is there; *folder is <models_dir>/<id>. */
    bool (*installed)(const char *folder, mp_model_info *info);
    /* What needs no files to be known; NULL where nothing is. */
    void (*describe)(mp_model_info *info);
    mp_err (*open)(void **self, const char *folder, const mp_model_options *opt,
                   mp_model_info *info, mp_why *why);
    void (*close)(void *self);
    mp_err (*images)(void *self, const mp_views *views, size_t n, uint32_t mask,
                     float *const out[MP_SPACES], mp_why *why);
    mp_err (*patches)(void *self, const uint8_t *look_px, mp_patches *out, mp_why *why);
    /* NULL where the family knows no words, or they are sentences. */
    mp_err (*text)(void *self, mp_str text, float *out, float *aim, mp_text_info *info,
                   mp_why *why);
    mp_err (*sentences)(void *self, const mp_str *texts, size_t n, float *out, mp_why *why);
    /* Whether a text has more tokens than are read. NULL: this is not told. */
    bool (*cuts)(void *self, mp_str text);
} mp_family;

extern const mp_family mp_family_builtin, mp_family_lite, mp_family_clip;

#endif
