/* vips.h - starting libvips once, and its errors in our words. Inside the image room. */
#ifndef MP_VIPS_H
#define MP_VIPS_H

#include "image/decode.h"

/* Any thread; concurrency 1, no operation cache. */
MP_CHECK mp_err mp_vips_start(mp_why *why);
/* Takes libvips' error buffer: "what: its last line". */
mp_err mp_vips_fail(mp_why *why, mp_err err, const char *what);
struct _VipsImage;
/* The EXIF fields of a picture that libvips has opened. */
void mp_vips_exif(struct _VipsImage *im, mp_exif *out);

#endif
