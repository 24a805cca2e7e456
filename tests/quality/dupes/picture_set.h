/* picture_set.h - the gate's pictures: who is whose copy, and what the program computes of them. */
#ifndef MP_PICTURE_SET_H
#define MP_PICTURE_SET_H

#include "image/decode.h"
#include "index/index.h"
#include "model/model.h"

enum { MAX_MODELS = 2, MAX_TRANSFORMS = 32 };

typedef struct picture {
    char *path;
    int origin;    /* shared by a picture and its copies */
    int transform; /* of picture_set.transform; -1: nothing was done to it */
    uint64_t phash[8];
    mp_image small; /* grey, as the library keeps it: from the WebP thumbnail */
} picture;

typedef struct picture_set {
    picture *p;
    size_t n, n_base; /* the first n_base are originals and distractors, the others copies */
    char transform[MAX_TRANSFORMS][32];
    int n_transforms;
    mp_model *model[MAX_MODELS]; /* those that are installed */
    int n_models, dims[MAX_MODELS];
    float *vector[MAX_MODELS]; /* COPY space, n x dims */
} picture_set;

/* Reads the list, opens the models, decodes and encodes all pictures. Says what is wrong on
 * standard error and returns false. */
bool picture_set_load(picture_set *s, const char *truth_csv);
void picture_set_free(picture_set *s);

#endif
