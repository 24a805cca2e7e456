/* resize_tool.c - the image room's pixel functions as a filter, for a comparison from outside.
 *
 * Reads requests from standard input until its end: one line of text
 *     OP width height channels a b c d
 * and the pixels; writes "width height channels\n" and the pixels of the result. OP is
 *     resize (a x b, filter c), crop (a x b out of short side c, filter d), grey, orient (a),
 *     phash (the eight hashes as 64 bytes, big-endian; 64 x 1 x 1). */
#include "image/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct request {
    char op[16];
    int w, h, channels, a, b, c, d;
} request;

static mp_err phash(const mp_image *in, mp_image *out, mp_why *why)
{
    uint64_t hash[8];
    mp_err err = mp_image_new(out, 64, 1, 1, why);
    if (err)
        return err;
    mp_phash8(in, hash);
    for (int i = 0; i < 64; i++)
        out->px[i] = (uint8_t)(hash[i / 8] >> (56 - 8 * (i % 8)));
    return MP_OK;
}

static mp_err perform(const request *r, mp_image *in, mp_image *out, mp_why *why)
{
    if (strcmp(r->op, "resize") == 0)
        return mp_resize(in, r->a, r->b, (mp_kernel)r->c, out, why);
    if (strcmp(r->op, "crop") == 0) {
        mp_view_spec spec = {r->a, r->b, MP_FIT_CROP, r->c, (mp_kernel)r->d};
        return mp_view_make(in, &spec, out, why);
    }
    if (strcmp(r->op, "grey") == 0)
        return mp_to_grey(in, out, why);
    if (strcmp(r->op, "phash") == 0)
        return phash(in, out, why);
    mp_err err = mp_image_orient(in, r->a, why);
    *out = *in;
    *in = (mp_image){0};
    return err;
}

int main(void)
{
    request r;
    while (scanf("%15s %d %d %d %d %d %d %d", r.op, &r.w, &r.h, &r.channels, &r.a, &r.b, &r.c,
                 &r.d) == 8 &&
           getchar() == '\n') {
        mp_image in = {0}, out = {0};
        mp_why why;
        mp_err err = mp_image_new(&in, r.w, r.h, r.channels, &why);
        size_t n = (size_t)r.w * (size_t)r.h * (size_t)r.channels;
        if (!err && fread(in.px, 1, n, stdin) != n)
            return 1;
        if (!err)
            err = perform(&r, &in, &out, &why);
        if (err) {
            fprintf(stderr, "%s: %s\n", r.op, why.text);
            return 1;
        }
        printf("%d %d %d\n", out.w, out.h, out.channels);
        fwrite(out.px, 1, (size_t)out.w * (size_t)out.h * (size_t)out.channels, stdout);
        fflush(stdout);
        mp_image_free(&in);
        mp_image_free(&out);
    }
    return 0;
}
