/* station.h - the real decoder and model, as the quality program needs them. Ends the program with
 * 77 when one is missing, with 1 when one fails. One thread. */
#ifndef MP_STATION_H
#define MP_STATION_H

#include "image/decode.h"
#include "model/model.h"

enum { MP_STATION_BATCH = 16 };

typedef struct station {
    mp_decoder *decoder;
    mp_model *model;
    mp_view_spec look_view, texture_view;
    int look_dims, texture_dims;
} station;

/* Vectors of one set of pictures, row by row. */
typedef struct vectors {
    float *look, *texture;
    size_t n, room;
} vectors;

void station_open(station *s);
void station_close(station *s);
/* The whole picture at its own size (at most 1024); mp_image_free. */
mp_image station_decode(const station *s, const char *path);
/* Appends the vectors of n pictures, which stay the caller's. */
void station_encode(const station *s, const mp_image *pictures, size_t n, vectors *to);
/* Patch features of a whole picture, squashed to the model's size; the caller frees v. */
mp_patches station_patches(const station *s, const mp_image *picture);
void vectors_free(vectors *v);

#endif
