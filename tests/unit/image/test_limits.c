/* Broken and oversized pictures: refused with the right code, quickly, and the pool lives on. */
#include "fixture.h"

#include "base/os.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static mp_decoder *decoder;
static const mp_decode_spec everything = {
    .view = {{224, 224, MP_FIT_CROP, 224, MP_BICUBIC}, {224, 224, MP_FIT_SQUASH, 0, MP_BICUBIC}},
    .n_views = 2,
    .analysis = true,
    .thumbnail = 256};

static int open_pool(void **state)
{
    (void)state;
    decoder = fixture_decoder(DECODE_WORKER, 1, 20000);
    return 0;
}

static int close_pool(void **state)
{
    (void)state;
    mp_decoder_close(decoder);
    return 0;
}

static mp_err try_bytes(const void *p, size_t n, mp_why *why)
{
    mp_decoded d;
    mp_err err = mp_decode_bytes(decoder, (mp_span){p, n}, &everything, &d, why);
    if (err)
        assert_true(!d.view[0].px && !d.thumbnail && !d.width);
    mp_decoded_free(&d);
    return err;
}

/* Cut anywhere but in the last few bytes, a picture is broken, not half shown. */
static void truncated_files_are_broken(void **state)
{
    (void)state;
    static const char *const suffixes[] = {".jpg[Q=90]",
                                           ".jpg[Q=90,interlace]",
                                           ".png",
                                           ".webp[Q=90]",
                                           ".webp[lossless]",
                                           ".gif",
                                           ".tiff",
                                           ".tiff[compression=deflate]",
                                           ".ppm",
                                           ".avif[effort=0]",
                                           ".heic[compression=hevc,effort=0]"};
    static const int shares[] = {5, 30, 50, 75, 90, 97};
    mp_image im = fixture_image(300, 200);
    mp_rng rng = {1};
    for (int i = 0; i < 300 * 200 * 3; i++) /* something to compress */
        im.px[i] = (uint8_t)(im.px[i] ^ (mp_rng_u64(&rng) & 31));
    for (size_t i = 0; i < MP_COUNT(suffixes); i++) {
        mp_bytes b;
        mp_why why = {""};
        if (!fixture_encode(&im, suffixes[i], &b))
            continue;
        for (size_t s = 0; s < MP_COUNT(shares); s++) {
            mp_err err = try_bytes(b.p, b.n * (size_t)shares[s] / 100, &why);
            if (err != MP_CORRUPT)
                fail_msg("%s cut to %d %%: %s %s", suffixes[i], shares[s], mp_err_word(err),
                         why.text);
            assert_true(why.text[0]);
        }
        assert_ok(try_bytes(b.p, b.n, &why));
        free(b.p);
    }
    mp_image_free(&im);
}

static void what_is_no_picture(void **state)
{
    (void)state;
    mp_why why;
    static const char *const texts[] = {
        "hello",
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"/>",
        "%PDF-1.4 ...",
        "push graphic-context\nviewbox 0 0 9 9\n",
        "#define x_width 8",
        "BM123456"};
    for (size_t i = 0; i < MP_COUNT(texts); i++)
        assert_int_equal(try_bytes(texts[i], strlen(texts[i]), &why), MP_UNSUPPORTED);
    assert_int_equal(try_bytes("", 0, &why), MP_UNSUPPORTED);
    assert_string_equal(why.text, "the file is empty");
    mp_decoded d;
    FILE *dir = fopen("/", "re");
    assert_int_equal(mp_decode_fd(decoder, fileno(dir), &everything, &d, &why), MP_UNSUPPORTED);
    fclose(dir);
    assert_int_equal(mp_decode_fd(decoder, -1, &everything, &d, &why), MP_IO);
}

/* The right magic, then nothing, zeros or noise. */
static void magic_and_then_nonsense(void **state)
{
    (void)state;
    static const struct {
        const char *p;
        size_t n;
    } heads[] = {{"\xFF\xD8\xFF\xE0", 4},
                 {"\x89PNG\r\n\x1A\n", 8},
                 {"RIFF\xFF\0\0\0WEBPVP8 ", 16},
                 {"GIF89a", 6},
                 {"II*\0\x08\0\0\0", 8},
                 {"MM\0*\0\0\0\x08", 8},
                 {"\0\0\0\x18"
                  "ftypheic\0\0\0\0mif1heic",
                  24},
                 {"\0\0\0\x18"
                  "ftypavif\0\0\0\0mif1avif",
                  24},
                 {"P6\n9 9\n255\n", 11}};
    mp_rng rng = {2};
    mp_why why;
    for (size_t i = 0; i < MP_COUNT(heads); i++)
        for (int kind = 0; kind < 6; kind++) {
            uint8_t bytes[200] = {0};
            size_t n = kind == 0 ? heads[i].n : heads[i].n + 100;
            memcpy(bytes, heads[i].p, heads[i].n);
            for (size_t k = heads[i].n; kind > 1 && k < n; k++)
                bytes[k] = (uint8_t)mp_rng_u64(&rng);
            mp_err err = try_bytes(bytes, n, &why);
            assert_true(err == MP_CORRUPT || err == MP_TOO_BIG);
        }
}

static uint32_t crc32_of(const uint8_t *p, size_t n)
{
    uint32_t crc = ~0u;
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    return ~crc;
}

static void put32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

/* A few bytes that promise many pixels: refused by the header, before memory is taken. */
static void bombs_by_header(void **state)
{
    (void)state;
    static const uint32_t sizes[][2] = {
        {100000, 100000}, {16385, 1}, {1, 16385}, {10000, 5001}, {0x7FFFFFFF, 0x7FFFFFFF}};
    mp_image im = fixture_image(30, 20);
    mp_bytes png, gif;
    mp_why why;
    assert_true(fixture_encode(&im, ".png", &png) && fixture_encode(&im, ".gif", &gif));
    for (size_t i = 0; i < MP_COUNT(sizes); i++) {
        double start = mp_monotonic_s();
        put32(png.p + 16, sizes[i][0]);
        put32(png.p + 20, sizes[i][1]);
        put32(png.p + 29, crc32_of(png.p + 12, 17));
        mp_err err = try_bytes(png.p, png.n, &why);
        /* libpng refuses sides above a million itself */
        if (err != MP_TOO_BIG && (err != MP_CORRUPT || sizes[i][0] < 1000000))
            fail_msg("PNG %u x %u: %s", sizes[i][0], sizes[i][1], mp_err_word(err));
        char ppm[64];
        int n = snprintf(ppm, sizeof ppm, "P6\n%u %u\n255\n....", sizes[i][0], sizes[i][1]);
        err = try_bytes(ppm, (size_t)n, &why);
        if (err != MP_TOO_BIG && err != MP_CORRUPT)
            fail_msg("PPM %u x %u: %s %s", sizes[i][0], sizes[i][1], mp_err_word(err), why.text);
        assert_true(mp_monotonic_s() - start < 5);
    }
    /* A logical screen alone may lie (libnsgif then goes by the frame); with its frame it counts.
     */
    static const uint8_t huge[4] = {0x40, 0x9C, 0x40, 0x9C}; /* 40,000 x 40,000 */
    uint8_t *frame = memchr(gif.p + 13 + 3 * (2 << (gif.p[10] & 7)), 0x2C, 64);
    assert_non_null(frame);
    memcpy(gif.p + 6, huge, 4);
    memcpy(frame + 5, huge, 4);
    mp_err err = try_bytes(gif.p, gif.n, &why);
    if (err != MP_TOO_BIG)
        fail_msg("GIF of 40000 x 40000: %s %s", mp_err_word(err), why.text);
    free(png.p);
    free(gif.p);
    mp_image_free(&im);
}

/* Just inside the limits all goes well: 50 million pixels in less than the default memory. */
static void the_largest_allowed(void **state)
{
    (void)state;
    if (SANITIZED)
        return; /* takes a minute there, and has no memory limit to test */
    mp_image im;
    mp_why why;
    mp_bytes b;
    mp_decoded d;
    assert_ok(mp_image_new(&im, 10000, 5000, 3, &why));
    for (size_t i = 0; i < 150000000; i++)
        im.px[i] = (uint8_t)(i / 30000 + i % 251);
    static const char *const suffixes[] = {".jpg[Q=80]", ".jpg[Q=80,interlace]",
                                           ".png[compression=1]"};
    for (size_t i = 0; i < MP_COUNT(suffixes); i++) {
        assert_true(fixture_encode_exif(&im, suffixes[i], 6, NULL, &b));
        double start = mp_monotonic_s();
        assert_ok(mp_decode_bytes(decoder, fixture_span(b), &everything, &d, &why));
        print_message("50 MP %s: %.2f s\n", suffixes[i], mp_monotonic_s() - start);
        mp_decoded_free(&d);
        free(b.p);
    }
    mp_image_free(&im);
}

/* Pictures and limits do not bleed into what comes after. */
static void a_good_picture_after_all_that(void **state)
{
    (void)state;
    mp_image im = fixture_image(64, 64);
    mp_bytes b;
    mp_why why;
    assert_true(fixture_encode(&im, ".png", &b));
    for (int i = 0; i < 5; i++) {
        assert_int_equal(try_bytes("\x89PNG\r\n\x1A\n", 8, &why), MP_CORRUPT);
        assert_ok(try_bytes(b.p, b.n, &why));
    }
    free(b.p);
    mp_image_free(&im);
}

/* Bytes flipped at random in good files of each format: an answer or a clear error, every time. */
static void flipped_bytes(void **state)
{
    (void)state;
    static const char *const suffixes[] = {".jpg",  ".png", ".webp",          ".gif",
                                           ".tiff", ".ppm", ".avif[effort=0]"};
    mp_image im = fixture_image(60, 40);
    mp_rng rng = {77};
    mp_why why;
    int answers = 0, errors = 0;
    for (size_t s = 0; s < MP_COUNT(suffixes); s++) {
        mp_bytes b;
        if (!fixture_encode(&im, suffixes[s], &b))
            continue;
        for (int round = 0; round < (SANITIZED ? 30 : 150); round++) {
            uint8_t *bad = malloc(b.n);
            memcpy(bad, b.p, b.n);
            for (int k = 0; k < 6; k++) {
                size_t range = k & 1 ? b.n : MP_MIN(b.n, (size_t)200);
                bad[mp_rng_u64(&rng) % range] = (uint8_t)mp_rng_u64(&rng);
            }
            mp_err err = try_bytes(bad, b.n, &why);
            assert_true(err == MP_OK || err == MP_CORRUPT || err == MP_TOO_BIG ||
                        err == MP_UNSUPPORTED);
            err ? errors++ : answers++;
            free(bad);
        }
        free(b.p);
    }
    print_message("%d answers, %d errors\n", answers, errors);
    mp_image_free(&im);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(truncated_files_are_broken),    cmocka_unit_test(what_is_no_picture),
        cmocka_unit_test(magic_and_then_nonsense),       cmocka_unit_test(bombs_by_header),
        cmocka_unit_test(the_largest_allowed),           cmocka_unit_test(flipped_bytes),
        cmocka_unit_test(a_good_picture_after_all_that),
    };
    return cmocka_run_group_tests(tests, open_pool, close_pool);
}
