/* bench_decode.c - what one picture costs from encoded bytes to everything that adding it needs
 * (224 crop, 224 squash, 256 thumbnail, hashes, quality), part by part, and through the pool.
 *
 *     bench_decode [ROUNDS [FILE...]]
 * Without files: 50 of the clothing photographs (400 x 530 and the like). */
#include "timing.h"

#include "image/decode.h"
#include "image/load.h"

#include <glob.h>

enum { LOAD, CROP, SQUASH, THUMB_SIZE, THUMB_CODE, HASH, QUALITY, SUM, POOL, START, PARTS };
static const char *const names[PARTS] = {
    "load",   "view_crop", "view_squash",    "thumbnail_resize", "thumbnail_webp",
    "phash8", "quality",   "sum_in_process", "through_pool",     "worker_start_and_first"};

static const mp_decode_spec spec = {
    .view = {{224, 224, MP_FIT_CROP, 224, MP_BICUBIC}, {224, 224, MP_FIT_SQUASH, 0, MP_BICUBIC}},
    .n_views = 2,
    .analysis = true,
    .thumbnail = 256};

static void must(mp_err err, const mp_why *why)
{
    if (err) {
        fprintf(stderr, "%s\n", why->text);
        exit(1);
    }
}

static void in_parts(mp_span bytes, timing *t)
{
    const mp_load_limits limits = {50000000, 16384};
    double at[PARTS + 1];
    mp_why why;
    mp_loaded l;
    mp_image crop, squash, small;
    mp_quality q;
    uint64_t hash[8];
    uint8_t *webp;
    size_t n;
    at[LOAD] = mp_monotonic_s();
    must(mp_load(bytes, &limits, 448, 512, &l, &why), &why);
    at[CROP] = mp_monotonic_s();
    must(mp_view_make(&l.image, &spec.view[0], &crop, &why), &why);
    at[SQUASH] = mp_monotonic_s();
    must(mp_view_make(&l.image, &spec.view[1], &squash, &why), &why);
    at[THUMB_SIZE] = mp_monotonic_s();
    int longest = MP_MAX(MP_MAX(l.image.w, l.image.h), 256);
    must(mp_resize(&l.image, l.image.w * 256 / longest, l.image.h * 256 / longest, MP_BICUBIC,
                   &small, &why),
         &why);
    at[THUMB_CODE] = mp_monotonic_s();
    must(mp_encode_webp(&small, 80, &webp, &n, &why), &why);
    at[HASH] = mp_monotonic_s();
    mp_phash8(&l.image, hash);
    at[QUALITY] = mp_monotonic_s();
    mp_quality_measure(&l.image, &q);
    at[SUM] = mp_monotonic_s();
    for (int i = 0; i < SUM; i++)
        timing_add(&t[i], (at[i + 1] - at[i]) * 1e3);
    timing_add(&t[SUM], (at[SUM] - at[LOAD]) * 1e3);
    mp_image_free(&l.image);
    mp_image_free(&crop);
    mp_image_free(&squash);
    mp_image_free(&small);
    free(webp);
}

static void through_pool(mp_decoder *d, mp_span bytes, timing *t)
{
    mp_decoded out;
    mp_why why;
    double start = mp_monotonic_s();
    must(mp_decode_bytes(d, bytes, &spec, &out, &why), &why);
    timing_add(t, (mp_monotonic_s() - start) * 1e3);
    mp_decoded_free(&out);
}

static mp_decoder *pool(void)
{
    mp_decoder *d;
    mp_why why;
    mp_decoder_options opt = {.decoder = DECODE_WORKER,
                              .workers = 1,
                              .timeout_ms = 60000,
                              .max_pixels = 50000000,
                              .max_side = 16384};
    must(mp_decoder_open(&d, &opt, &why), &why);
    return d;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 10;
    size_t n_files = argc > 2 ? (size_t)argc - 2 : 0;
    char **files = argv + 2;
    glob_t found = {0};
    timing t[PARTS] = {0};
    if (!n_files) {
        glob(MAGPIE_SHARED_DIR "/data/clothing/*/*.jpg", 0, NULL, &found);
        n_files = MP_MIN(found.gl_pathc, (size_t)50);
        files = found.gl_pathv;
    }
    if (!n_files) {
        printf("{\"bench\": \"decode\", \"skipped\": \"../shared/data/clothing is missing\"}\n");
        return 0;
    }
    mp_span *bytes = mp_xcalloc(n_files, sizeof *bytes);
    for (size_t i = 0; i < n_files; i++) {
        uint8_t *p;
        mp_why why;
        must(mp_file_read(files[i], 100 << 20, &p, &bytes[i].n, &why), &why);
        bytes[i].p = p;
    }
    for (int i = 0; i < 5; i++) {
        mp_decoder *d = pool();
        through_pool(d, bytes[0], &t[START]);
        mp_decoder_close(d);
    }
    mp_decoder *d = pool();
    through_pool(d, bytes[0], &(timing){0});
    in_parts(bytes[0], (timing[PARTS]){0});
    for (int r = 0; r < rounds; r++)
        for (size_t i = 0; i < n_files; i++) {
            in_parts(bytes[i], t);
            through_pool(d, bytes[i], &t[POOL]);
        }
    mp_decoder_close(d);
    printf("{\"bench\": \"decode\", \"files\": %zu,", n_files);
    for (int i = 0; i < PARTS; i++)
        timing_print(names[i], &t[i], i == 0);
    printf(",\n  ");
    timing_machine();
    printf("}\n");
    for (size_t i = 0; i < n_files; i++)
        free((void *)(uintptr_t)bytes[i].p);
    free(bytes);
    globfree(&found);
    return 0;
}
