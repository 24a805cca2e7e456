/* scene.h - pictures made of many soft shapes, and what people do to pictures. */
#ifndef MP_SCENE_H
#define MP_SCENE_H

#include "image/image.h"

/* A grey picture that is the same for the same seed and unlike any other. Caller frees all. */
mp_image scene_new(uint64_t seed, int w, int h);
mp_image scene_blank(int w, int h, uint8_t level);
mp_image scene_crop(const mp_image *in, double left, double top, double right, double bottom);
mp_image scene_resize(const mp_image *in, int w, int h);
/* Turned by quarter turns clockwise, after a mirror if asked for. */
mp_image scene_turn(const mp_image *in, int quarters, bool mirror);
mp_image scene_border(const mp_image *in, int px, uint8_t level);
mp_image scene_caption(const mp_image *in, int px);
/* v -> gain v + offset + noise of that deviation. */
mp_image scene_tone(const mp_image *in, double gain, double offset, double noise, uint64_t seed);
/* A chequered sign, three quarters opaque, over a thirtieth of it. */
mp_image scene_mark(const mp_image *in);

#endif
