/* bench_to224.c - from a JPEG's bytes to a model's 224 x 224 view, beside libvips' own thumbnail of
 * the same file: one process, one thread, in turns.
 *
 *     bench_to224 [ROUNDS]
 * Photographs as they are (400 x 530 and the like) and enlarged to 12 megapixels, where both let
 * the JPEG decoder scale first and keep at least twice the size for the resize that follows. Ours
 * is Pillow's bicubic over the whole support, libvips' a box and Lanczos; the crop is in the
 * middle. */
#include "timing.h"

#include "image/load.h"

#include <glob.h>
#include <vips/vips.h>

enum { SMALL = 50, LARGE = 5, SIDE = 224, LARGE_SIDE = 4000 };

typedef struct files {
    mp_span *bytes;
    size_t n;
} files;

static void must(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "bench_to224: %s: %s\n", what, vips_error_buffer());
        exit(1);
    }
}

static double ours(mp_span bytes)
{
    const mp_load_limits limits = {50000000, 16384};
    const mp_view_spec spec = {SIDE, SIDE, MP_FIT_CROP, SIDE, MP_BICUBIC};
    mp_loaded l;
    mp_image view;
    double start = mp_monotonic_s();
    must(mp_load(bytes, &limits, 2 * SIDE, 0, &l, NULL) == MP_OK &&
             mp_view_make(&l.image, &spec, &view, NULL) == MP_OK,
         "a view");
    double took = mp_monotonic_s() - start;
    mp_image_free(&l.image);
    mp_image_free(&view);
    return took * 1e3;
}

static double theirs(mp_span bytes)
{
    VipsImage *im;
    size_t n;
    double start = mp_monotonic_s();
    must(vips_thumbnail_buffer((void *)(uintptr_t)bytes.p, bytes.n, &im, SIDE, "height", SIDE,
                               "crop", VIPS_INTERESTING_CENTRE, NULL) == 0,
         "a thumbnail");
    void *px = vips_image_write_to_memory(im, &n);
    double took = mp_monotonic_s() - start;
    must(px && n == SIDE * SIDE * 3, "its pixels");
    g_free(px);
    g_object_unref(im);
    return took * 1e3;
}

static files photographs(void)
{
    glob_t found = {0};
    glob(MAGPIE_SHARED_DIR "/data/clothing/*/*.jpg", 0, NULL, &found);
    files f = {mp_xcalloc(SMALL, sizeof(mp_span)), MP_MIN(found.gl_pathc, (size_t)SMALL)};
    for (size_t i = 0; i < f.n; i++) {
        uint8_t *p;
        must(mp_file_read(found.gl_pathv[i], 100 << 20, &p, &f.bytes[i].n, NULL) == MP_OK,
             "a file");
        f.bytes[i].p = p;
    }
    globfree(&found);
    return f;
}

static files enlarged(const files *small)
{
    files f = {mp_xcalloc(LARGE, sizeof(mp_span)), MP_MIN(small->n, (size_t)LARGE)};
    for (size_t i = 0; i < f.n; i++) {
        VipsImage *im = NULL, *large = NULL;
        void *data = NULL;
        must(vips_jpegload_buffer((void *)(uintptr_t)small->bytes[i].p, small->bytes[i].n, &im,
                                  NULL) == 0 &&
                 vips_resize(im, &large,
                             (double)LARGE_SIDE /
                                 MP_MAX(vips_image_get_width(im), vips_image_get_height(im)),
                             NULL) == 0 &&
                 vips_jpegsave_buffer(large, &data, &f.bytes[i].n, "Q", 90, NULL) == 0,
             "a large picture");
        f.bytes[i].p = data;
        g_object_unref(large);
        g_object_unref(im);
    }
    return f;
}

static void compare(const char *name, const files *f, int rounds, bool first)
{
    timing mine = {0}, vips = {0};
    char label[60];
    for (int r = 0; r < rounds; r++)
        for (size_t i = 0; i < f->n; i++) {
            timing_add(&mine, ours(f->bytes[i]));
            timing_add(&vips, theirs(f->bytes[i]));
        }
    double ratio = timing_quantile(&vips, 0.5) / timing_quantile(&mine, 0.5);
    snprintf(label, sizeof label, "%s_magpie", name);
    timing_print(label, &mine, first);
    snprintf(label, sizeof label, "%s_libvips", name);
    timing_print(label, &vips, false);
    printf(",\n  \"%s_ratio\": %.2f", name, ratio);
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 10;
    must(vips_init("bench_to224") == 0, "libvips");
    vips_concurrency_set(1);
    files small = photographs();
    if (!small.n) {
        printf("{\"bench\": \"to224\", \"skipped\": \"../shared/data/clothing is missing\"}\n");
        return 0;
    }
    files large = enlarged(&small);
    ours(small.bytes[0]);
    theirs(small.bytes[0]);
    printf("{\"bench\": \"to224\", \"libvips\": \"%s\",", vips_version_string());
    compare("photograph", &small, rounds, true);
    compare("enlarged", &large, rounds, false);
    printf(",\n  ");
    timing_machine();
    printf("}\n");
    return 0;
}
