/* A folder as somebody tells it, and as it is kept. */
#include "../test.h"
#include "core/core.h"

#include <string.h>

static void what_is_told_is_made_harmless(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {NULL, ""},
        {"", ""},
        {"holiday", "holiday"},
        {"holiday/rome", "holiday/rome"},
        {"/etc/ssl/", "etc/ssl"},
        {"//a///b//", "a/b"},
        {"..", ""},
        {"../../etc", "etc"},
        {"a/../../b", "a/b"},
        {"./a/./b/.", "a/b"},
        {".../.a", ".../.a"},
        {"C:\\Users\\ada\\Pictures", "Users/ada/Pictures"},
        {"c:", ""},
        {"a/c:", "a/c:"},
        {"a\nb/\x7f\x01", "a_b/__"},
        {"\xC3\x9C"
         "ber/\xE6\x97\xA5\xE6\x9C\xAC",
         "\xC3\x9C"
         "ber/\xE6\x97\xA5\xE6\x9C\xAC"},
        {"\xFF\xC3/fine", "__/fine"},
        {"a \" b/' OR 1", "a \" b/' OR 1"},
    };
    for (size_t i = 0; i < MP_COUNT(rows); i++) {
        char out[MP_FOLDER_BYTES + 1];
        mp_core_clean_folder(rows[i][0], out);
        assert_string_equal(out, rows[i][1]);
    }
}

static void it_is_cut_between_names(void **state)
{
    (void)state;
    char told[2000], out[MP_FOLDER_BYTES + 1];
    memset(told, 'x', sizeof told);
    for (size_t i = 100; i < sizeof told; i += 101)
        told[i] = '/';
    told[sizeof told - 1] = '\0';
    mp_core_clean_folder(told, out);
    assert_int_equal(strlen(out), 5 * 101 - 1);
    told[MP_FOLDER_BYTES] = '\0'; /* one name that fits, one that is too long by a byte */
    memset(told, 'y', MP_FOLDER_BYTES);
    mp_core_clean_folder(told, out);
    assert_string_equal(out, told);
    memset(told, 'y', MP_FOLDER_BYTES + 1);
    told[MP_FOLDER_BYTES + 1] = '\0';
    mp_core_clean_folder(told, out);
    assert_string_equal(out, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_told_is_made_harmless),
        cmocka_unit_test(it_is_cut_between_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
