/* The type of a file by its first bytes; nothing is read behind the span. */
#include "../test.h"
#include "base/os.h"
#include "image/image.h"

#include <stdlib.h>
#include <string.h>

#define CASE(text, format)                                                                         \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1, format                                          \
    }

static const struct {
    const uint8_t *p;
    size_t n;
    mp_format format;
} cases[] = {
    CASE("\xFF\xD8\xFF\xE0", MP_JPEG),
    CASE("\x89PNG\r\n\x1A\n", MP_PNG),
    CASE("RIFF\x10\0\0\0WEBPVP8 ", MP_WEBP),
    CASE("GIF87a", MP_GIF),
    CASE("GIF89a", MP_GIF),
    CASE("II*\0\x08\0\0\0", MP_TIFF),
    CASE("MM\0*\0\0\0\x08", MP_TIFF),
    CASE("II+\0\x08\0\0\0", MP_TIFF),
    CASE("\0\0\0\x1C"
         "ftypavif\0\0\0\0mif1miaf",
         MP_AVIF),
    CASE("\0\0\0\x1C"
         "ftypavis\0\0\0\0",
         MP_AVIF),
    CASE("\0\0\0\x1C"
         "ftypmif1\0\0\0\0avifmiaf",
         MP_AVIF),
    CASE("\0\0\0\x18"
         "ftypheic\0\0\0\0mif1heic",
         MP_HEIC),
    CASE("\0\0\0\x18"
         "ftypmif1\0\0\0\0mif1heic",
         MP_HEIC),
    CASE("P6\n3 3\n255\n", MP_PPM),
    CASE("P4 8 8\n", MP_PPM),
    CASE("P5\n# a comment\n", MP_PPM),
    CASE("P1#c\n1 1\n0", MP_PPM),
    /* what must not be taken for a picture */
    CASE("P1 is the first parking level", MP_FORMAT_NONE),
    CASE("P7\nWIDTH 3\n", MP_FORMAT_NONE),
    CASE("P65 3\n", MP_FORMAT_NONE),
    CASE("RIFF\x10\0\0\0WAVEfmt ", MP_FORMAT_NONE),
    CASE("\0\0\0\x1C"
         "ftypisom\0\0\0\0mp41",
         MP_FORMAT_NONE),
    CASE("\0\0\0\x1C"
         "moovavif",
         MP_FORMAT_NONE),
    CASE("GIF88a", MP_FORMAT_NONE),
    CASE("\x89PNG\n\x1A\n\0", MP_FORMAT_NONE),
    CASE("%PDF-1.7", MP_FORMAT_NONE),
    CASE("<svg xmlns=", MP_FORMAT_NONE),
    CASE("BM\x36\0\0\0", MP_FORMAT_NONE),
    CASE("push graphic-context", MP_FORMAT_NONE),
};

static void magic_decides(void **state)
{
    (void)state;
    for (size_t i = 0; i < MP_COUNT(cases); i++)
        if (mp_sniff((mp_span){cases[i].p, cases[i].n}) != cases[i].format)
            fail_msg("case %zu is not %s", i, mp_format_word(cases[i].format));
}

/* A shorter span gives the same or none, and reads nothing behind its end (ASan looks). */
static void prefixes_are_safe(void **state)
{
    (void)state;
    for (size_t i = 0; i < MP_COUNT(cases); i++)
        for (size_t n = 0; n <= cases[i].n; n++) {
            uint8_t *exact = malloc(n ? n : 1);
            if (n)
                memcpy(exact, cases[i].p, n);
            mp_format f = mp_sniff((mp_span){n ? exact : NULL, n});
            /* mif1 alone says HEIC until a compatible brand says AVIF */
            assert_true(f == MP_FORMAT_NONE || f == cases[i].format || cases[i].format == MP_AVIF);
            free(exact);
        }
}

static void noise_is_no_picture(void **state)
{
    (void)state;
    mp_rng rng = {5};
    int taken = 0;
    for (int i = 0; i < 100000; i++) {
        uint8_t bytes[MP_SNIFF_BYTES];
        for (size_t k = 0; k < sizeof bytes; k++)
            bytes[k] = (uint8_t)mp_rng_u64(&rng);
        taken += mp_sniff((mp_span){bytes, sizeof bytes}) != MP_FORMAT_NONE;
    }
    assert_int_equal(taken, 0);
}

static void words(void **state)
{
    (void)state;
    assert_string_equal(mp_format_word(MP_FORMAT_NONE), "none");
    assert_string_equal(mp_format_word(MP_JPEG), "jpeg");
    assert_string_equal(mp_format_word(MP_HEIC), "heic");
    assert_string_equal(mp_format_word(MP_PPM), "ppm");
    assert_string_equal(mp_format_word((mp_format)99), "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(magic_decides),
        cmocka_unit_test(prefixes_are_safe),
        cmocka_unit_test(noise_is_no_picture),
        cmocka_unit_test(words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
