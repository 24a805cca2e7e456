/* Outside corpora through the pool: PngSuite is accepted or refused as its names say; no fuzzed
 * file costs more than its deadline or harms the parent; odd formats open. */
#include "fixture.h"

#include "base/os.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEADLINE_MS = 10000 };

static const mp_decode_spec everything = {
    .view = {{224, 224, MP_FIT_CROP, 224, MP_BICUBIC}, {224, 224, MP_FIT_SQUASH, 0, MP_BICUBIC}},
    .n_views = 2,
    .analysis = true,
    .thumbnail = 256,
    .fit_long_side = 64};

typedef struct tally {
    mp_decoder *d;
    int answers, errors, wrong, deaths, timeouts;
    double slowest_s;
} tally;

static mp_err try_file(tally *t, const char *path, const mp_decode_spec *spec, mp_decoded *out,
                       mp_why *why)
{
    mp_bytes b = fixture_read(path);
    double start = mp_monotonic_s();
    *why = (mp_why){""};
    mp_err err = mp_decode_bytes(t->d, fixture_span(b), spec, out, why);
    t->slowest_s = MP_MAX(t->slowest_s, mp_monotonic_s() - start);
    err ? t->errors++ : t->answers++;
    t->deaths += strstr(why->text, "died") != NULL;
    t->timeouts += err == MP_TIMEOUT;
    if (err && !why->text[0])
        fail_msg("%s: refused without a word", path);
    free(b.p);
    return err;
}

/* PngSuite comes with the pixels that each valid file must have: RGBA, 8 bits. */
static void compare_with_reference(tally *t, const char *path, const mp_image *have)
{
    char reference[4096];
    snprintf(reference, sizeof reference, "%.*s.rgba", (int)(strlen(path) - 4), path);
    mp_bytes b = fixture_read(reference);
    size_t pixels = (size_t)have->w * (size_t)have->h;
    if (!b.p)
        return;
    if (b.n != pixels * 4) {
        print_message("%s: %zu bytes of reference for %zu pixels\n", path, b.n, pixels);
        t->wrong++;
    }
    int most = 0;
    for (size_t i = 0; i < pixels && b.n == pixels * 4; i++)
        for (int c = 0; c < 3; c++) {
            int a = b.p[4 * i + 3];
            int want = (b.p[4 * i + (size_t)c] * a + 255 * (255 - a) + 127) / 255;
            most = MP_MAX(most, abs(want - have->px[3 * i + (size_t)c]));
        }
    if (most > 1) {
        print_message("%s: off by %d\n", path, most);
        t->wrong++;
    }
    free(b.p);
}

static void visit_pngsuite(const char *path, void *context)
{
    tally *t = context;
    const char *name = strrchr(path, '/') + 1;
    mp_decoded out;
    mp_why why;
    if (!strstr(name, ".png"))
        return;
    mp_err err = try_file(t, path, &(mp_decode_spec){.fit_long_side = 256}, &out, &why);
    if (name[0] == 'x' ? err != MP_CORRUPT && err != MP_UNSUPPORTED : err != MP_OK) {
        print_message("%s: %s %s\n", path, mp_err_word(err), why.text);
        t->wrong++;
    }
    if (!err)
        compare_with_reference(t, path, &out.fitted);
    mp_decoded_free(&out);
}

static void pngsuite(void **state)
{
    tally t = {.d = *state};
    if (!fixture_walk(MAGPIE_SHARED_DIR "/corpora/pngsuite", visit_pngsuite, &t)) {
        print_message("../shared/corpora/pngsuite is missing: skipped\n");
        return;
    }
    print_message("PngSuite: %d accepted, %d refused, %d against its name\n", t.answers, t.errors,
                  t.wrong);
    assert_int_equal(t.wrong, 0);
    assert_true(t.answers > 50 && t.errors == 3);
}

static void visit_hostile(const char *path, void *context)
{
    tally *t = context;
    mp_decoded out;
    mp_why why;
    mp_err err = try_file(t, path, &everything, &out, &why);
    if (err && err != MP_CORRUPT && err != MP_UNSUPPORTED && err != MP_TOO_BIG && err != MP_TIMEOUT)
        fail_msg("%s: %s %s", path, mp_err_word(err), why.text);
    if (strstr(why.text, "died") || err == MP_TIMEOUT)
        print_message("%s: %s\n", path, why.text);
    mp_decoded_free(&out);
}

static void hostile(void **state)
{
    tally t = {.d = *state};
    double start = mp_monotonic_s();
    int n = fixture_walk(MAGPIE_SHARED_DIR "/corpora/hostile-images", visit_hostile, &t);
    if (!n) {
        print_message("../shared/corpora/hostile-images is missing: skipped\n");
        return;
    }
    print_message("hostile: %d files, %d answers, %d errors, %d workers died, %d timeouts, slowest "
                  "%.2f s, all %.1f s\n",
                  n, t.answers, t.errors, t.deaths, t.timeouts, t.slowest_s,
                  mp_monotonic_s() - start);
    assert_true(t.slowest_s < DEADLINE_MS / 1000.0 + 3);
    assert_int_equal(t.answers + t.errors, n);
}

static void visit_good(const char *path, void *context)
{
    tally *t = context;
    mp_decoded out;
    mp_why why;
    mp_err err = try_file(t, path, &everything, &out, &why);
    if (err) {
        print_message("%s: %s %s\n", path, mp_err_word(err), why.text);
        t->wrong++;
    }
    mp_decoded_free(&out);
}

static void odd_formats(void **state)
{
    tally t = {.d = *state};
    if (!fixture_walk(MAGPIE_SHARED_DIR "/data/duplicates", visit_good, &t)) {
        print_message("../shared/data/duplicates is missing: skipped\n");
        return;
    }
    assert_int_equal(t.wrong, 0);
    assert_true(t.answers >= 16);
}

static int open_pool(void **state)
{
    *state = fixture_decoder(DECODE_WORKER, 1, DEADLINE_MS);
    return 0;
}

static int close_pool(void **state)
{
    mp_decoder_close(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pngsuite),
        cmocka_unit_test(hostile),
        cmocka_unit_test(odd_formats),
    };
    return cmocka_run_group_tests(tests, open_pool, close_pool);
}
