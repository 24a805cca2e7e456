/* bench_phash.c - the eight hashes of a picture in memory, at several sizes. */
#include "timing.h"

#include "image/image.h"

int main(int argc, char **argv)
{
    static const int sides[][2] = {{32, 32}, {400, 530}, {1600, 1200}};
    int rounds = argc > 1 ? atoi(argv[1]) : 200;
    uint64_t mix = 0;
    printf("{\"bench\": \"phash\",");
    for (size_t s = 0; s < MP_COUNT(sides); s++) {
        timing t = {0};
        mp_image im;
        mp_rng rng = {s};
        char name[64];
        if (mp_image_new(&im, sides[s][0], sides[s][1], 3, NULL) != MP_OK)
            return 1;
        for (int k = 0; k < im.w * im.h * 3; k++)
            im.px[k] = (uint8_t)mp_rng_u64(&rng);
        for (int r = 0; r < rounds; r++) {
            uint64_t hash[8];
            double start = mp_monotonic_s();
            mp_phash8(&im, hash);
            timing_add(&t, (mp_monotonic_s() - start) * 1e3);
            mix = mix * 31 + hash[0];
        }
        snprintf(name, sizeof name, "phash8_rgb_%dx%d", im.w, im.h);
        timing_print(name, &t, s == 0);
        mp_image_free(&im);
    }
    printf(",\n  \"mix\": \"%016llx\",\n  ", (unsigned long long)mix);
    timing_machine();
    printf("}\n");
    return 0;
}
