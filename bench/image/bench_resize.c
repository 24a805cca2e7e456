/* bench_resize.c - the resize at each instruction set, interleaved, and the ratios. */
#include "timing.h"

#include "image/resize.h"

enum { ISAS = MP_ISA_AVX512 + 1 };

static const struct shape {
    const char *name;
    int w, h, to_w, to_h, channels;
    mp_kernel filter;
} shapes[] = {
    {"rgb_400x530_to_224x296_bicubic", 400, 530, 224, 296, 3, MP_BICUBIC},
    {"rgb_400x530_to_32x32_bilinear", 400, 530, 32, 32, 3, MP_BILINEAR},
    {"rgb_2000x1500_to_224x224_bicubic", 2000, 1500, 224, 224, 3, MP_BICUBIC},
    {"rgb_224x224_to_448x448_bicubic", 224, 224, 448, 448, 3, MP_BICUBIC},
    {"grey_1000x1000_to_256x256_bicubic", 1000, 1000, 256, 256, 1, MP_BICUBIC},
};

static double once(const mp_image *in, const struct shape *s, mp_isa isa)
{
    mp_resize_job job = {.w = s->to_w,
                         .h = s->to_h,
                         .out_w = s->to_w,
                         .out_h = s->to_h,
                         .filter = s->filter,
                         .kernels = mp_pixel_for(isa)};
    mp_image out;
    mp_why why;
    double start = mp_monotonic_s();
    if (mp_resize_window(in, &job, &out, &why) != MP_OK)
        exit(1);
    double took = (mp_monotonic_s() - start) * 1e3;
    mp_image_free(&out);
    return took;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 60;
    printf("{\"bench\": \"resize\",");
    for (size_t i = 0; i < MP_COUNT(shapes); i++) {
        const struct shape *s = &shapes[i];
        timing t[ISAS] = {0};
        double median[ISAS] = {0};
        mp_image in;
        mp_rng rng = {1};
        if (mp_image_new(&in, s->w, s->h, s->channels, NULL) != MP_OK)
            return 1;
        for (int k = 0; k < s->w * s->h * s->channels; k++)
            in.px[k] = (uint8_t)mp_rng_u64(&rng);
        for (int r = 0; r < rounds; r++)
            for (int isa = MP_ISA_SCALAR; isa <= (int)mp_simd_isa(); isa++)
                timing_add(&t[isa], once(&in, s, (mp_isa)isa));
        for (int isa = MP_ISA_SCALAR; isa <= (int)mp_simd_isa(); isa++) {
            char name[100];
            if (mp_pixel_for((mp_isa)isa) == mp_pixel_for(MP_ISA_SCALAR) && isa != MP_ISA_SCALAR) {
                free(t[isa].ms);
                continue;
            }
            median[isa] = timing_quantile(&t[isa], 0.5);
            snprintf(name, sizeof name, "%s_%s", s->name, mp_isa_word((mp_isa)isa));
            timing_print(name, &t[isa], i == 0 && isa == 0);
        }
        double best = median[mp_simd_isa()];
        printf(",\n  \"%s_ratio\": %.2f", s->name, best > 0 ? median[MP_ISA_SCALAR] / best : 1);
        mp_image_free(&in);
    }
    printf(",\n  ");
    timing_machine();
    printf("}\n");
    return 0;
}
