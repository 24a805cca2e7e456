/* Quality thresholds on real photographs: how many are called bad that are not, and how many spoilt
 * copies are found. Prints the figures that quality.c's thresholds stand on. */
#include "fixture.h"

#include "base/os.h"
#include "image/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DARK = 1, BRIGHT = 2, BLURRED = 4, BLANK = 8, FLAT = 16, STEP = SANITIZED ? 25 : 5 };

typedef struct spoiling {
    const char *name;
    uint32_t wanted; /* any of these issues will do */
    void (*spoil)(mp_image *im, mp_rng *rng);
    int floor; /* percent that must be found */
} spoiling;

static void each(mp_image *im, double scale, double offset, double noise, mp_rng *rng)
{
    for (int i = 0; i < im->w * im->h * 3; i++) {
        double v = im->px[i] * scale + offset + noise * (mp_rng_unit(rng) - 0.5);
        im->px[i] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
    }
}

static void darken(mp_image *im, mp_rng *rng)
{
    each(im, 0.12, 0, 2, rng);
}

static void overexpose(mp_image *im, mp_rng *rng)
{
    each(im, 0.8, 235, 2, rng);
}

static void fade(mp_image *im, mp_rng *rng)
{
    each(im, 0.1, 110, 2, rng);
}

static void empty(mp_image *im, mp_rng *rng)
{
    each(im, 0, (double)(mp_rng_u64(rng) % 256), 3, rng);
}

/* Out of focus: what is left when 1/16 of the size is all there is. */
static void blur(mp_image *im, mp_rng *rng)
{
    mp_image small, large;
    mp_why why;
    (void)rng;
    assert_ok(
        mp_resize(im, MP_MAX(im->w / 16, 1), MP_MAX(im->h / 16, 1), MP_BILINEAR, &small, &why));
    assert_ok(mp_resize(&small, im->w, im->h, MP_BICUBIC, &large, &why));
    mp_image_free(&small);
    mp_image_free(im);
    *im = large;
}

static const spoiling spoilings[] = {
    {"darkened to 12 %", DARK | BLANK, darken, 95}, /* hardly any contrast to begin with: blank */
    {"overexposed", BRIGHT | BLANK, overexpose, 95}, {"blurred by 16", BLURRED, blur, 90},
    {"faded to a tenth", FLAT | BLANK, fade, 95},    {"emptied", BLANK, empty, 99},
};

typedef struct tally {
    int seen, pictures, alarms[5], any, found[5];
    float *sharpness;
    mp_rng rng;
} tally;

static mp_image copy_of(const mp_image *im)
{
    mp_image out;
    mp_why why;
    assert_ok(mp_image_new(&out, im->w, im->h, 3, &why));
    memcpy(out.px, im->px, (size_t)im->w * (size_t)im->h * 3);
    return out;
}

static void visit(const char *path, void *context)
{
    static const mp_load_limits limits = {50000000, 16384};
    tally *t = context;
    mp_quality q;
    mp_loaded l;
    mp_why why;
    if (!strstr(path, ".jpg") || t->seen++ % STEP)
        return;
    mp_bytes b = fixture_read(path);
    assert_ok(mp_load(fixture_span(b), &limits, 0, 512, &l, &why));
    free(b.p);
    mp_quality_measure(&l.image, &q);
    for (int i = 0; i < 5; i++)
        t->alarms[i] += (q.issues >> i) & 1;
    if (q.issues) {
        t->any++;
        print_message("  %s: issues %u, sharpness %.0f, brightness %.2f, contrast %.3f\n",
                      strrchr(path, '/') + 1, q.issues, (double)q.sharpness, (double)q.brightness,
                      (double)q.contrast);
    }
    t->sharpness[t->pictures++] = q.sharpness;
    for (size_t s = 0; s < MP_COUNT(spoilings); s++) {
        mp_image bad = copy_of(&l.image);
        spoilings[s].spoil(&bad, &t->rng);
        mp_quality_measure(&bad, &q);
        t->found[s] += (q.issues & spoilings[s].wanted) != 0;
        mp_image_free(&bad);
    }
    mp_image_free(&l.image);
}

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void measure(const char *folder, double most_alarms)
{
    tally t = {.rng = {3}, .sharpness = mp_xcalloc(2000, sizeof(float))};
    char dir[4096];
    snprintf(dir, sizeof dir, "%s/data/%s", MAGPIE_SHARED_DIR, folder);
    if (!fixture_walk(dir, visit, &t) || !t.pictures) {
        print_message("../shared/data/%s is missing: skipped\n", folder);
        free(t.sharpness);
        return;
    }
    qsort(t.sharpness, (size_t)t.pictures, sizeof *t.sharpness, by_value);
    print_message("%s: %d pictures as they are: dark %d, bright %d, blurred %d, blank %d, flat %d; "
                  "any %d; sharpness 1 %%: %.0f, 5 %%: %.0f, median: %.0f\n",
                  folder, t.pictures, t.alarms[0], t.alarms[1], t.alarms[2], t.alarms[3],
                  t.alarms[4], t.any, (double)t.sharpness[t.pictures / 100],
                  (double)t.sharpness[t.pictures / 20], (double)t.sharpness[t.pictures / 2]);
    for (size_t s = 0; s < MP_COUNT(spoilings); s++) {
        print_message("  %s: %d of %d found\n", spoilings[s].name, t.found[s], t.pictures);
        assert_true(t.found[s] * 100 >= t.pictures * spoilings[s].floor);
    }
    assert_true(t.any <= t.pictures * most_alarms);
    free(t.sharpness);
}

static void clothing(void **state)
{
    (void)state;
    measure("clothing", 0.03);
}

static void grocery(void **state)
{
    (void)state;
    measure("grocery", 0.03);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(clothing), cmocka_unit_test(grocery)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
