/* lite_parts.h - what the files of the lite model share. Inside the model room. */
#ifndef MP_LITE_PARTS_H
#define MP_LITE_PARTS_H

#include "model/family.h"
#include "model/lite_derive.h"

#include <pthread.h>

enum { LITE_TEXTURE_DIMS = 3 * (EFFNET_MID_A + EFFNET_MID_B) };

typedef struct mp_lite_net mp_lite_net; /* a network with its scratch, for one thread at a time */

typedef struct mp_lite {
    mp_tensors *image, *text;
    const float *fc_weight, *fc_bias; /* classes x features, classes */
    float fc_mean[EFFNET_FEATURES];   /* of the classes' weights */
    mp_bert *bert;
    mp_tokenizer *tokens;
    mp_derived derived;
    mp_linear to_classes, to_look, to_word; /* the class weights and derived's, packed */
    mp_precision precision;                 /* of what sees */
    int threads;
    char sha256[65];
    pthread_mutex_t mutex; /* guards the next two */
    mp_lite_net *first;    /* owns the weights that the others share */
    mp_lite_net *free;     /* those that nobody uses now */
} mp_lite;

/* lite_see.c: see mp_family. */
mp_err mp_lite_images(void *self, const mp_views *views, size_t n, uint32_t mask,
                      float *const out[MP_SPACES], mp_why *why);
mp_err mp_lite_patches(void *self, const uint8_t *look_px, mp_patches *out, mp_why *why);
void mp_lite_close_nets(mp_lite *m);
/* lite_read.c */
mp_err mp_lite_sentences(void *self, const mp_str *texts, size_t n, float *out, mp_why *why);
mp_err mp_lite_text(void *self, mp_str text, float *out, float *aim, mp_text_info *info,
                    mp_why *why);

#endif
