/* CLIP's tokens against those of the `tokenizers` package, over texts that make_golden.py has
 * written into $MAGPIE_GOLDEN, with the vocabulary in each of its forms.
 *
 * Left out are texts with characters that this glib does not know yet: whether they are letters,
 * and what they compose to, depends on the version of Unicode. */
#include "../../unit/test.h"
#include "base/os.h"
#include "model/bpe.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FORMS = 3, START = 49406, END = 49407, SHOWN = 20 };

static const char *const FORM[FORMS] = {"hf", "plain", "gz"};
static mp_bpe *forms[FORMS];

static size_t unhex(char *hex, size_t n)
{
    for (size_t i = 0; i < n / 2; i++)
        hex[i] =
            (char)(g_ascii_xdigit_value(hex[2 * i]) << 4 | g_ascii_xdigit_value(hex[2 * i + 1]));
    return n / 2;
}

static bool known(mp_str text)
{
    for (const char *at = text.p, *end = text.p + text.n; at < end; at = g_utf8_next_char(at))
        /* Noncharacters are unassigned for ever, so all agree on them. */
        if (g_unichar_type(g_utf8_get_char(at)) == G_UNICODE_UNASSIGNED &&
            (g_utf8_get_char(at) & 0xFFFE) != 0xFFFE)
            return false;
    return true;
}

/* `want`: how many tokens there are, a tab, the first of them. */
static bool same(const mp_bpe *b, mp_str text, const char *want)
{
    int32_t ids[MP_BPE_MOST], again[MP_BPE_MOST];
    size_t dropped;
    int n = mp_bpe_encode(b, text, ids, &dropped), i = 1;
    char *at;
    size_t all = strtoul(want, &at, 10);
    bool ok = n - 2 + dropped == all && (dropped == 0 || n == MP_BPE_MOST) && ids[0] == START &&
              ids[n - 1] == END;
    for (; *at == '\t' || *at == ' '; i++) {
        char *digits = at + 1;
        long id = strtol(digits, &at, 10);
        if (at == digits) /* none at all */
            break;
        ok = ok && i < n - 1 && ids[i] == id;
    }
    ok = ok && i == n - 1;
    return ok && mp_bpe_encode(b, text, again, NULL) == n &&
           memcmp(ids, again, (size_t)n * sizeof *ids) == 0;
}

static void tokens_are_those_of_the_package(void **state)
{
    (void)state;
    char path[1024], *line = NULL;
    size_t cap = 0, lines = 0, unknown = 0, different = 0;
    snprintf(path, sizeof path, "%s/words.txt", getenv("MAGPIE_GOLDEN"));
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    for (; getline(&line, &cap, f) > 0; lines++) {
        char *tab = strchr(line, '\t');
        assert_non_null(tab);
        mp_str text = {line, unhex(line, (size_t)(tab - line))};
        if (!known(text)) {
            unknown++;
            continue;
        }
        for (int i = 0; i < FORMS; i++)
            if (!same(forms[i], text, tab + 1) && different++ < SHOWN)
                print_message("line %zu of %s differs (%s): \"%.*s\"\n", lines + 1, path, FORM[i],
                              (int)MP_MIN(text.n, (size_t)200), text.p);
    }
    free(line);
    fclose(f);
    print_message("%zu texts, %zu left out: glib's Unicode is older; %zu with other tokens\n",
                  lines, unknown, different);
    assert_true(lines > 10000 && unknown < lines / 20);
    assert_int_equal(different, 0);
}

static void the_vocabulary_is_clips(void **state)
{
    (void)state;
    for (int i = 0; i < FORMS; i++)
        assert_int_equal(mp_bpe_tokens(forms[i]), 49408);
}

static int open_forms(void **state)
{
    (void)state;
    for (int i = 0; i < FORMS; i++) {
        char path[1024];
        mp_why why;
        snprintf(path, sizeof path, "%s/%s", getenv("MAGPIE_GOLDEN"), FORM[i]);
        double began = mp_monotonic_s();
        assert_ok(mp_bpe_open(&forms[i], path, &why));
        print_message("%s: opened in %.1f ms\n", FORM[i], (mp_monotonic_s() - began) * 1e3);
    }
    return 0;
}

static int close_forms(void **state)
{
    (void)state;
    for (int i = 0; i < FORMS; i++)
        mp_bpe_close(forms[i]);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vocabulary_is_clips),
        cmocka_unit_test(tokens_are_those_of_the_package),
    };
    if (!getenv("MAGPIE_GOLDEN")) {
        printf("SKIPPED: MAGPIE_GOLDEN is not set\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, open_forms, close_forms);
}
