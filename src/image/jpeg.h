/* jpeg.h - the pixels of plain JPEG files, by libjpeg-turbo alone.
 *
 * libvips decodes by the same library, but its pipeline costs as much again for pictures of the
 * size that collections are made of. Only inside the sandboxed child, like all decoding. */
#ifndef MP_JPEG_H
#define MP_JPEG_H

#include "image/image.h"

/* Grey or three-component JPEG to RGB, not turned, each side divided by `shrink` (1, 2, 4 or 8) and
 * rounded down, but at least 1: the very bytes that libvips and Pillow make of it. *out is the
 * caller's. Errors: CORRUPT (broken, cut off, or of more than 100 scans; with libjpeg's words),
 * TOO_BIG (memory), UNSUPPORTED (other components). Any thread. */
MP_CHECK mp_err mp_jpeg_pixels(mp_span bytes, int shrink, mp_image *out, mp_why *why);

#endif
