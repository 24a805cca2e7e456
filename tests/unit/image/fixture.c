/* fixture.c - see fixture.h. */
#include "fixture.h"

#include "base/os.h"
#include "image/vips.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <vips/vips.h>

mp_image fixture_image(int w, int h)
{
    mp_image im;
    mp_why why;
    assert_ok(mp_image_new(&im, w, h, 3, &why));
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            uint8_t *p = im.px + 3 * ((size_t)y * (size_t)w + (size_t)x);
            bool mark = y < h / 4 && x < w / 8;
            p[0] = mark ? 255 : (uint8_t)(x * 255 / w);
            p[1] = mark ? 255 : (uint8_t)(y * 255 / h);
            p[2] = mark ? 255 : 40;
        }
    return im;
}

bool fixture_encode_exif(const mp_image *im, const char *suffix, int orientation, const char *date,
                         mp_bytes *out)
{
    void *data = NULL;
    mp_why why;
    VipsImage *copy = NULL;
    assert_ok(mp_vips_start(&why));
    *out = (mp_bytes){0};
    VipsImage *v =
        vips_image_new_from_memory(im->px, (size_t)im->w * (size_t)im->h * (size_t)im->channels,
                                   im->w, im->h, im->channels, VIPS_FORMAT_UCHAR);
    assert_int_equal(
        vips_copy(v, &copy, "interpretation",
                  im->channels == 1 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB, NULL),
        0);
    if (orientation)
        vips_image_set_int(copy, VIPS_META_ORIENTATION, orientation);
    if (date)
        vips_image_set_string(copy, "exif-ifd2-DateTimeOriginal", date);
    bool ok = vips_image_write_to_buffer(copy, suffix, &data, &out->n, NULL) == 0;
    if (ok) { /* into malloc's memory of the exact size, so that ASan sees overruns */
        out->p = malloc(out->n);
        memcpy(out->p, data, out->n);
    }
    g_free(data);
    g_object_unref(copy);
    g_object_unref(v);
    vips_error_clear();
    return ok;
}

bool fixture_encode(const mp_image *im, const char *suffix, mp_bytes *out)
{
    return fixture_encode_exif(im, suffix, 0, NULL, out);
}

mp_bytes fixture_read(const char *path)
{
    mp_bytes b = {0};
    if (mp_file_read(path, 100 << 20, &b.p, &b.n, NULL) != MP_OK)
        return (mp_bytes){0};
    return b;
}

mp_decoder *fixture_decoder(const char *path, int workers, int timeout_ms)
{
    mp_decoder *d;
    mp_why why;
    mp_decoder_options opt = {.decoder = path,
                              .workers = workers,
                              .timeout_ms = timeout_ms,
                              .max_pixels = 50000000,
                              .max_side = 16384};
    assert_ok(mp_decoder_open(&d, &opt, &why));
    return d;
}

mp_span fixture_span(mp_bytes b)
{
    return (mp_span){b.p, b.n};
}

int fixture_difference(const mp_image *a, const mp_image *b)
{
    int most = 0;
    if (a->w != b->w || a->h != b->h || a->channels != b->channels)
        return 256;
    for (size_t i = 0; i < (size_t)a->w * (size_t)a->h * (size_t)a->channels; i++)
        most = MP_MAX(most, abs(a->px[i] - b->px[i]));
    return most;
}

int fixture_open_descriptors(void)
{
    int n = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (dir && readdir(dir))
        n++;
    if (dir)
        closedir(dir);
    return n;
}

int fixture_walk(const char *dir, void (*visit)(const char *path, void *context), void *context)
{
    struct dirent **names;
    int n = scandir(dir, &names, NULL, alphasort), files = 0;
    for (int i = 0; i < n; i++) {
        char path[4096];
        struct stat st;
        snprintf(path, sizeof path, "%s/%s", dir, names[i]->d_name);
        if (names[i]->d_name[0] != '.' && stat(path, &st) == 0) {
            if (S_ISDIR(st.st_mode)) {
                files += fixture_walk(path, visit, context);
            } else {
                visit(path, context);
                files++;
            }
        }
        free(names[i]);
    }
    if (n >= 0)
        free(names);
    return files;
}
