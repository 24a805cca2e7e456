/* fixture.h - encoded pictures made on the spot, and a pool to decode them with. */
#ifndef MP_FIXTURE_H
#define MP_FIXTURE_H

#include "../test.h"
#include "image/decode.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

typedef struct mp_bytes {
    uint8_t *p;
    size_t n;
} mp_bytes;

/* The picture of most tests: red rises to the right, green downward, blue is 40; the first eighth
 * of the first rows is white, so that every turn and mirror of it looks different. */
mp_image fixture_image(int w, int h);
/* Encoded by libvips as `suffix` says (".png", ".jpg[Q=95]"). False: this libvips cannot. */
bool fixture_encode(const mp_image *im, const char *suffix, mp_bytes *out);
/* The same with EXIF orientation (0: none) and date (NULL: none) written in. */
bool fixture_encode_exif(const mp_image *im, const char *suffix, int orientation, const char *date,
                         mp_bytes *out);
mp_bytes fixture_read(const char *path); /* p NULL: no such file */
mp_decoder *fixture_decoder(const char *path, int workers, int timeout_ms);
mp_span fixture_span(mp_bytes b);
/* Largest difference of two pictures' samples; 256 if their sizes differ. */
int fixture_difference(const mp_image *a, const mp_image *b);
int fixture_open_descriptors(void);
/* Calls visit for every file below dir, sorted; returns how many there were. */
int fixture_walk(const char *dir, void (*visit)(const char *path, void *context), void *context);

#endif
