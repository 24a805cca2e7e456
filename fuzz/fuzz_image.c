/* fuzz_image.c - our own parsers of picture bytes (magic, Netpbm header, EXIF time, ICC profile),
 * and resize arguments: every instruction set must give the scalar kernels' bytes. */
#include "image/load.h"
#include "image/resize.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void parsers(mp_span bytes)
{
    int64_t w, h;
    mp_format f = mp_sniff(bytes);
    if (f == MP_PPM && mp_netpbm_size(bytes, &w, &h) && (w < 1 || h < 1))
        abort();
    mp_icc_is_srgb(bytes);
    char *text = malloc(bytes.n + 1);
    if (bytes.n)
        memcpy(text, bytes.p, bytes.n);
    text[bytes.n] = '\0';
    mp_exif_time_ms(text);
    free(text);
}

static int take(mp_span *s, int below)
{
    if (s->n < 2)
        return 0;
    int v = s->p[0] << 8 | s->p[1];
    s->p += 2;
    s->n -= 2;
    return v % below - 1; /* also 0 and -1 */
}

static void resizes(mp_span s)
{
    mp_image in, want, have;
    int w = take(&s, 300), h = take(&s, 300), channels = take(&s, 5);
    mp_resize_job job = {.w = take(&s, 400), .h = take(&s, 400), .filter = (mp_kernel)take(&s, 4)};
    job.x = take(&s, 60);
    job.y = take(&s, 60);
    job.out_w = take(&s, 400);
    job.out_h = take(&s, 400);
    if (mp_image_new(&in, w, h, channels, NULL) != MP_OK)
        return;
    for (size_t i = 0; i < (size_t)w * (size_t)h * (size_t)channels; i++)
        in.px[i] = s.n ? s.p[i % s.n] : (uint8_t)(i * 29);
    job.kernels = mp_pixel_for(MP_ISA_SCALAR);
    mp_err err = mp_resize_window(&in, &job, &want, NULL);
    for (int isa = MP_ISA_NEON; isa <= (int)mp_simd_isa(); isa++) {
        job.kernels = mp_pixel_for((mp_isa)isa);
        if (mp_resize_window(&in, &job, &have, NULL) != err)
            abort();
        if (!err &&
            memcmp(want.px, have.px, (size_t)want.w * (size_t)want.h * (size_t)channels) != 0)
            abort();
        mp_image_free(&have);
    }
    mp_view_spec spec = {job.out_w, job.out_h, MP_FIT_CROP, job.w, MP_BICUBIC};
    if (mp_view_make(&in, &spec, &have, NULL) == MP_OK &&
        (have.w != spec.width || have.h != spec.height))
        abort();
    mp_image_free(&have);
    mp_image_free(&want);
    mp_image_free(&in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    parsers((mp_span){data, n});
    resizes((mp_span){data, n});
    return 0;
}
