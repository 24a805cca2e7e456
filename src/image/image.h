/* image.h - from untrusted bytes to pixels, hashes, quality measures and thumbnails.
 *
 * Decoding always happens in a child process (the `magpie` binary as `magpie decode-worker`), under
 * seccomp, rlimits and a deadline; pixels come back through shared memory. A crash or a bomb ends
 * that child only. See decode.h for the pool; this header has the plain data both sides share.
 * Pixels are RGB, 8 bits, sRGB, row-major, interleaved, no padding, EXIF orientation applied,
 * alpha composed on white. Pure functions here are safe from any thread. */
#ifndef MP_IMAGE_H
#define MP_IMAGE_H

#include "base/base.h"

typedef enum mp_format {
    MP_FORMAT_NONE = 0, /* not a picture that we know */
    MP_JPEG,
    MP_PNG,
    MP_WEBP,
    MP_GIF,
    MP_TIFF,
    MP_AVIF,
    MP_HEIC,
    MP_PPM /* also PGM, PBM */
} mp_format;
/* Enough leading bytes for mp_sniff to decide. */
enum { MP_SNIFF_BYTES = 32 };
/* By magic bytes alone; a shorter span gives the same or MP_FORMAT_NONE. */
mp_format mp_sniff(mp_span head);
const char *mp_format_word(mp_format f); /* "jpeg"; "none" */

/* Owned pixels. channels 1 (grey) or 3. */
typedef struct mp_image {
    uint8_t *px; /* w * h * channels */
    int w, h, channels;
} mp_image;
MP_CHECK mp_err mp_image_new(mp_image *out, int w, int h, int channels, mp_why *why);
void mp_image_free(mp_image *im); /* leaves it empty; NULL allowed */

/* ---- resize: byte-exact with Pillow's passes (libImaging/Resample.c's arithmetic: support scaled
 * by the shrink factor, 22-bit fixed-point coefficients), always the horizontal pass first: what
 * Image.resize gives up to Pillow 12.1; later versions take another order for some shapes ---- */
typedef enum mp_kernel { MP_BILINEAR, MP_BICUBIC } mp_kernel; /* bicubic: a = -0.5 */
/* `out` must be empty; its size is w x h. Box is the whole input. Errors: NOMEM, INVALID. */
MP_CHECK mp_err mp_resize(const mp_image *in, int w, int h, mp_kernel filter, mp_image *out,
                          mp_why *why);

/* How a model wants to see a picture. */
typedef enum mp_fit {
    MP_FIT_CROP,  /* short side to `short_side`, then the centre width x height (torchvision's
                     Resize: long side = int(short_side * long / short); CenterCrop: offset
                     int(round((size - crop) / 2.0))) */
    MP_FIT_SQUASH /* both sides at once, aspect ignored; short_side unused */
} mp_fit;
typedef struct mp_view_spec {
    int width, height;
    mp_fit fit;
    int short_side;
    mp_kernel filter;
} mp_view_spec;
bool mp_view_spec_eq(const mp_view_spec *a, const mp_view_spec *b);
MP_CHECK mp_err mp_view_make(const mp_image *in, const mp_view_spec *spec, mp_image *out,
                             mp_why *why);

/* ---- 64-bit DCT pHash: bilinear to 32 x 32, luma, DCT-II, the 8 x 8 lowest frequencies (DC
 * included); a bit is set where a coefficient is above the median of the 64. Bit 63 is the first,
 * row-major. Whole numbers throughout: the same on every machine. ---- */
uint64_t mp_phash(const mp_image *im);
/* The eight symmetries of the square: identity, rotations by 90, 180, 270 degrees clockwise, then
 * the same four after a left-right mirror. out[0] == mp_phash(im). */
void mp_phash8(const mp_image *im, uint64_t out[8]);
int mp_hamming64(uint64_t a, uint64_t b);

/* ---- quality ---- */
typedef struct mp_quality {
    float sharpness;  /* variance of the Laplacian of luma at a long side of 256 px */
    float brightness; /* mean luma, 0..1 */
    float contrast;   /* standard deviation of luma, 0..1 */
    float entropy;    /* of the 256-bin luma histogram, bits */
    uint32_t issues;  /* MAGPIE_* issue bits: 1 dark, 2 bright, 4 blurred, 8 blank, 16 contrast */
} mp_quality;
void mp_quality_measure(const mp_image *im, mp_quality *out);

/* Luma with Pillow's "L" weights: (19595 R + 38470 G + 7471 B + 0x8000) >> 16. */
MP_CHECK mp_err mp_to_grey(const mp_image *in, mp_image *out, mp_why *why);

/* ---- encoding of our own pixels (trusted input, in process) ---- */
MP_CHECK mp_err mp_encode_webp(const mp_image *im, int quality, uint8_t **out, size_t *n,
                               mp_why *why); /* caller frees */
MP_CHECK mp_err mp_encode_png(const mp_image *im, uint8_t **out, size_t *n, mp_why *why);

#endif
