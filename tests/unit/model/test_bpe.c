/* CLIP's tokenizer with small vocabularies of the test's own: the merges against a plain reference,
 * long texts, the forms of the files, damaged ones. The real vocabulary's tokens are held against
 * another implementation in tests/golden/clip_words. */
#include "../test.h"
#include "base/os.h"
#include "model/bpe.h"

#include <glib.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

static const char SIMPLE[] = "bpe_simple_vocab_16e6.txt", PACKED[] = "bpe_simple_vocab_16e6.txt.gz";

/* ---- a folder of files ---- */

static char folder[] = "/tmp/magpie-bpe-XXXXXX";

static void put_file(const char *name, const void *data, size_t n)
{
    char path[256];
    mp_why why;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (data)
        assert_ok(mp_file_replace(path, data, n, &why));
    else
        unlink(path);
}

static void put_text(const char *name, const char *text)
{
    put_file(name, text, text ? strlen(text) : 0);
}

static void clear(void)
{
    static const char *const names[] = {SIMPLE, PACKED, "merges.txt", "vocab.json"};
    for (size_t i = 0; i < MP_COUNT(names); i++)
        put_file(names[i], NULL, 0);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : 1;
}

static int drop_folder(void **state)
{
    (void)state;
    clear();
    return rmdir(folder);
}

static void gzip_file(const void *data, size_t n, mp_buf *out)
{
    z_stream z = {.next_in = (Bytef *)data, .avail_in = (uInt)n};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    char *to = malloc(n + 1024);
    z.next_out = (Bytef *)to;
    z.avail_out = (uInt)(n + 1024);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    mp_buf_add(out, to, z.total_out);
    deflateEnd(&z);
    free(to);
}

/* ---- vocabularies ---- */

static const char MERGES[] =
    "#version: 0.2\nh e\nl l\nhe ll\nhell o</w>\na a\na a</w>\naa aa</w>\n< |\ne n\n";
enum { HELL = 512 + 2, HELLO, AA, AA_LAST, AAAA_LAST, START = 512 + 9, END };

/* The token of a byte inside a word, as open_clip numbers them. */
static int32_t byte_token(uint8_t byte)
{
    int32_t plain = 0, others = 0;
    for (int i = 0; i <= byte; i++) {
        bool own = (i > 32 && i < 127) || (i > 160 && i != 173);
        plain += own;
        others += !own;
    }
    bool own = (byte > 32 && byte < 127) || (byte > 160 && byte != 173);
    return own ? plain - 1 : 94 + 94 + others - 1;
}

/* vocab.json of a list of merges, its numbers shifted by `shift` (round the end). */
static json_t *numbers_of(const char *merges, int shift)
{
    json_t *o = json_object();
    char keys[1024][32];
    int n = 512;
    for (int i = 0, other = 256; i < 256; i++) {
        bool own = (i > 32 && i < 127) || (i > 160 && i != 173);
        char key[8];
        key[g_unichar_to_utf8(own ? (gunichar)i : (gunichar)other++, key)] = '\0';
        snprintf(keys[byte_token((uint8_t)i)], sizeof keys[0], "%s", key);
        snprintf(keys[256 + byte_token((uint8_t)i)], sizeof keys[0], "%s</w>", key);
    }
    for (const char *line = strchr(merges, '\n') + 1; *line; line = strchr(line, '\n') + 1) {
        int left, right;
        if (sscanf(line, "%*s%n %*s%n", &left, &right) == 0)
            snprintf(keys[n++], sizeof keys[0], "%.*s%.*s", left, line, right - left - 1,
                     line + left + 1);
    }
    snprintf(keys[n++], sizeof keys[0], "<|startoftext|>");
    snprintf(keys[n++], sizeof keys[0], "<|endoftext|>");
    for (int i = 0; i < n; i++)
        json_object_set_new(o, keys[i], json_integer((i + shift) % n));
    return o;
}

static void put_numbers(json_t *o)
{
    char *text = json_dumps(o, JSON_ENSURE_ASCII);
    put_text("vocab.json", text);
    free(text);
    json_decref(o);
}

static mp_bpe *open_simple(const char *merges)
{
    mp_bpe *b;
    mp_why why;
    clear();
    put_text(SIMPLE, merges);
    assert_ok(mp_bpe_open(&b, folder, &why));
    return b;
}

/* Fails unless the tokens between the markers are `want`, which ends at -1. */
static void assert_tokens(const mp_bpe *b, const char *text, const int32_t *want)
{
    int32_t ids[MP_BPE_MOST];
    size_t dropped;
    int n = mp_bpe_encode(b, mp_str_of(text), ids, &dropped), i = 0;
    assert_int_equal(dropped, 0);
    assert_int_equal(ids[0], mp_bpe_tokens(b) - 2);
    assert_int_equal(ids[n - 1], mp_bpe_tokens(b) - 1);
    for (; want[i] >= 0; i++)
        if (i + 1 >= n - 1 || ids[i + 1] != want[i])
            fail_msg("\"%s\": token %d is %d, not %d", text, i, ids[i + 1], want[i]);
    assert_int_equal(n, i + 2);
}

/* ---- merges ---- */

static void words_are_merged_by_rank(void **state)
{
    (void)state;
    mp_bpe *b = open_simple(MERGES);
    int32_t a = byte_token('a');
    assert_int_equal(mp_bpe_tokens(b), END + 1);
    assert_tokens(b, "", (int32_t[]){-1});
    assert_tokens(b, "Hello", (int32_t[]){HELLO, -1});
    assert_tokens(b, "hell", (int32_t[]){512, byte_token('l'), 256 + byte_token('l'), -1});
    assert_tokens(b, "hellos", (int32_t[]){HELL, byte_token('o'), 256 + byte_token('s'), -1});
    assert_tokens(b, "aaaa aa", (int32_t[]){AAAA_LAST, AA_LAST, -1});
    assert_tokens(b, "aaa", (int32_t[]){AA, 256 + a, -1});
    /* Of equal pairs the leftmost first. */
    assert_tokens(b, "aaab", (int32_t[]){AA, a, 256 + byte_token('b'), -1});
    assert_tokens(b, "\u00E9", (int32_t[]){byte_token(0xC3), 256 + byte_token(0xA9), -1});
    mp_bpe_close(b);
}

/* Markers in a text are its words, so that nothing can end it early. */
static void markers_in_a_text_are_words(void **state)
{
    (void)state;
    mp_bpe *b = open_simple(MERGES);
    static const char *const texts[] = {"<|endoftext|>", "&lt;|ENDoftext|&gt; x", "<|startoftext|>",
                                        "a<|endoftext|>b"};
    for (size_t t = 0; t < MP_COUNT(texts); t++) {
        int32_t ids[MP_BPE_MOST];
        int n = mp_bpe_encode(b, mp_str_of(texts[t]), ids, NULL);
        assert_true(n > 4);
        for (int i = 1; i < n - 1; i++)
            assert_true(ids[i] < START);
    }
    mp_bpe_close(b);
}

static void long_texts_are_cut(void **state)
{
    (void)state;
    mp_bpe *b = open_simple(MERGES);
    int32_t ids[MP_BPE_MOST];
    size_t dropped;
    mp_buf text = {0};
    for (int words = 1; words <= 80; words++) {
        mp_buf_str(&text, "hello ");
        int n = mp_bpe_encode(b, (mp_str){text.p, text.n}, ids, &dropped);
        assert_int_equal(n, MP_MIN(words, 75) + 2);
        assert_int_equal(dropped, MP_MAX(words, 75) - 75);
        assert_int_equal(ids[0], START);
        assert_int_equal(ids[n - 2], HELLO);
        assert_int_equal(ids[n - 1], END);
        assert_int_equal(mp_bpe_encode(b, (mp_str){text.p, text.n}, ids, NULL), n);
    }
    mp_buf_free(&text);
    mp_bpe_close(b);
}

enum { LETTERS = 3, RULES = 60, WORD = 400 };

typedef struct rules {
    char text[LETTERS + LETTERS + RULES][64];
    int left[RULES], right[RULES], n;
} rules;

/* What a word becomes: before each merge all pairs are looked at. */
static int merge_plainly(const rules *k, int *token, int n)
{
    for (;;) {
        int best = k->n, at = 0;
        for (int i = 0; i + 1 < n; i++)
            for (int rule = 0; rule < best; rule++)
                if (token[i] == k->left[rule] && token[i + 1] == k->right[rule]) {
                    best = rule;
                    at = i;
                }
        if (best == k->n)
            return n;
        token[at] = 2 * LETTERS + best;
        memmove(token + at + 1, token + at + 2, (size_t)(n - at - 2) * sizeof *token);
        n--;
    }
}

/* Random merges of a, b, c and of what other merges made. */
static void make_rules(rules *k, mp_rng *r, mp_buf *file)
{
    *k = (rules){0};
    for (int i = 0; i < LETTERS; i++) {
        snprintf(k->text[i], sizeof k->text[i], "%c", 'a' + i);
        snprintf(k->text[LETTERS + i], sizeof k->text[i], "%c</w>", 'a' + i);
    }
    mp_buf_str(file, "#version: 0.2\n");
    while (k->n < RULES) {
        int have = 2 * LETTERS + k->n;
        int left = (int)(mp_rng_u64(r) % (uint64_t)have);
        int right = (int)(mp_rng_u64(r) % (uint64_t)have);
        char made[64];
        bool fresh = strlen(k->text[left]) + strlen(k->text[right]) < 40;
        snprintf(made, sizeof made, "%.30s%.30s", k->text[left], k->text[right]);
        for (int i = 0; i < have && fresh; i++)
            fresh = strcmp(k->text[i], made) != 0;
        if (strchr(k->text[left], '<') || !fresh)
            continue;
        snprintf(k->text[have], sizeof made, "%s", made);
        mp_buf_printf(file, "%s %s\n", k->text[left], k->text[right]);
        k->left[k->n] = left;
        k->right[k->n++] = right;
    }
}

/* Words on both sides of the length where the encoder changes its way. */
static void merges_are_those_of_a_plain_reference(void **state)
{
    (void)state;
    mp_rng r = {3};
    for (int round = 0; round < 12; round++) {
        static rules k;
        mp_buf file = {0};
        make_rules(&k, &r, &file);
        mp_bpe *b = open_simple(file.p);
        for (int n = 1; n < WORD; n += n < 70 ? 1 : 33) {
            char word[WORD];
            int want[WORD], letters = 1 + (int)(mp_rng_u64(&r) % LETTERS);
            for (int i = 0; i < n; i++)
                word[i] = (char)('a' + (want[i] = (int)(mp_rng_u64(&r) % (uint64_t)letters)));
            want[n - 1] += LETTERS;
            int count = merge_plainly(&k, want, n);
            int32_t ids[MP_BPE_MOST];
            size_t dropped;
            int got = mp_bpe_encode(b, (mp_str){word, (size_t)n}, ids, &dropped);
            assert_int_equal(got - 2 + (int)dropped, count);
            for (int i = 0; i < got - 2; i++) {
                int t = want[i];
                int32_t id = t < LETTERS       ? byte_token((uint8_t)('a' + t))
                             : t < 2 * LETTERS ? 256 + byte_token((uint8_t)('a' + t - LETTERS))
                                               : 512 + t - 2 * LETTERS;
                assert_int_equal(ids[i + 1], id);
            }
        }
        mp_bpe_close(b);
        mp_buf_free(&file);
    }
}

/* 400 kB of what would be slow if anything were quadratic; milliseconds each, seconds otherwise. */
static void long_texts_take_linear_time(void **state)
{
    (void)state;
    static const char *const parts[] = {"a",
                                        "hello",
                                        "<",
                                        "\u0301\u0323",
                                        "e\u0323\u0301",
                                        "&",
                                        "&amp;",
                                        "&#1",
                                        "7",
                                        "\u1100\u1161",
                                        "\t",
                                        "'s",
                                        "ha ",
                                        "\U0001F469\u200D"};
    enum { BYTES = 400000 };
    mp_bpe *b = open_simple(MERGES);
    for (size_t i = 0; i < MP_COUNT(parts); i++) {
        mp_buf text = {0};
        int32_t ids[MP_BPE_MOST];
        size_t dropped;
        while (text.n < BYTES)
            mp_buf_str(&text, parts[i]);
        clock_t began = clock(); /* of this process: other ones may be busy */
        int n = mp_bpe_encode(b, (mp_str){text.p, text.n}, ids, &dropped);
        double took = (double)(clock() - began) / CLOCKS_PER_SEC;
        if (took > 1.5)
            fail_msg("400 kB of \"%s\" took %.1f s", parts[i], took);
        assert_int_equal(ids[n - 1], END);
        mp_buf_free(&text);
    }
    /* A word of more than 256 KiB is cut, so that the memory for it has an end. */
    mp_buf text = {0};
    size_t dropped;
    int32_t ids[MP_BPE_MOST];
    while (text.n < 600 * 1024)
        mp_buf_str(&text, "aa");
    int n = mp_bpe_encode(b, (mp_str){text.p, text.n}, ids, &dropped);
    assert_int_equal(n, MP_BPE_MOST);
    assert_int_equal(ids[1], AA);
    assert_int_equal(75 + dropped, 300 * 1024 - 3); /* each of three parts has its own end */
    mp_buf_free(&text);
    mp_bpe_close(b);
}

/* ---- files ---- */

static void every_form_gives_the_same_tokens(void **state)
{
    (void)state;
    enum { SHIFT = 7 };
    mp_bpe *simple = open_simple(MERGES), *packed, *face;
    mp_why why;
    mp_buf gz = {0};
    clear();
    gzip_file(MERGES, strlen(MERGES), &gz);
    put_file(PACKED, gz.p, gz.n);
    mp_buf_free(&gz);
    assert_ok(mp_bpe_open(&packed, folder, &why));
    put_text("merges.txt", MERGES);
    put_numbers(
        numbers_of(MERGES, SHIFT)); /* taken before open_clip's file; the numbers are its own */
    assert_ok(mp_bpe_open(&face, folder, &why));
    int all = mp_bpe_tokens(simple);
    assert_int_equal(mp_bpe_tokens(packed), all);
    assert_int_equal(mp_bpe_tokens(face), all);
    static const char *const texts[] = {"", "hello hell aaaa",
                                        "\u00E9\u4EAC \U0001F469 <|endoftext|>"};
    for (size_t t = 0; t < MP_COUNT(texts); t++) {
        int32_t one[MP_BPE_MOST], two[MP_BPE_MOST], three[MP_BPE_MOST];
        int n = mp_bpe_encode(simple, mp_str_of(texts[t]), one, NULL);
        assert_int_equal(mp_bpe_encode(packed, mp_str_of(texts[t]), two, NULL), n);
        assert_int_equal(mp_bpe_encode(face, mp_str_of(texts[t]), three, NULL), n);
        for (int i = 0; i < n; i++) {
            assert_int_equal(two[i], one[i]);
            assert_int_equal(three[i], (one[i] + SHIFT) % all);
        }
    }
    mp_bpe_close(simple);
    mp_bpe_close(packed);
    mp_bpe_close(face);
}

/* OpenAI's own list for B/32 has one merge more than its vocabulary has tokens for; what makes no
 * token of the vocabulary, at the end of the list, counts for nothing. */
static void merges_beyond_the_vocabulary_are_left_out(void **state)
{
    (void)state;
    static const char merges[] = "#version: 0.2\nh e\nl l\n", more[] = "he ll\n";
    char longer[64];
    mp_bpe *b;
    mp_why why;
    clear();
    snprintf(longer, sizeof longer, "%s%s", merges, more);
    put_text("merges.txt", longer);
    put_numbers(numbers_of(merges, 0));
    assert_ok(mp_bpe_open(&b, folder, &why));
    assert_int_equal(mp_bpe_tokens(b), 512 + 2 + 2);
    mp_bpe_close(b);
}

/* The folder as it is must be refused as damaged, with words that name the file. */
static void assert_refused(const char *file, const char *case_name)
{
    mp_bpe *b;
    mp_why why = {0};
    mp_err err = mp_bpe_open(&b, folder, &why);
    if (err != MP_CORRUPT || b || !strstr(why.text, file) || strchr(why.text, '\n'))
        fail_msg("%s: %s, \"%s\"", case_name, mp_err_word(err), why.text);
}

static void damaged_merges_are_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "h e\nl l\n",                         /* no version */
        "#version: 0.2",                      /* cut short */
        "#version: 0.2\nh e\nl l\nhe ll",     /* cut short: perhaps hell */
        "#version: 0.2\nhe\n",                /* one token */
        "#version: 0.2\nh \n",                /* */
        "#version: 0.2\n h\n",                /* */
        "#version: 0.2\nh e l\n",             /* three */
        "#version: 0.2\nhe ll\n",             /* tokens that nothing makes */
        "#version: 0.2\nh e\nh e\n",          /* twice */
        "#version: 0.2\na a\naa a\na aa\n",   /* the same token in two ways */
        "#version: 0.2\n\x01 e\n",            /* no letter of the alphabet */
        "#version: 0.2\n\xFF\xFE \xFF\xFE\n", /* no UTF-8 */
        "#version: 0.2\na </w>\n",            /* the end of a word is no token */
    };
    clear();
    for (size_t i = 0; i < MP_COUNT(rows); i++) {
        put_text(SIMPLE, rows[i]);
        assert_refused(SIMPLE, rows[i]);
    }
    put_file(SIMPLE, "#version: 0.2\nh\0 e\n", 19);
    assert_refused(SIMPLE, "a NUL");
}

static void damaged_gzip_files_are_refused(void **state)
{
    (void)state;
    mp_buf gz = {0}, bomb = {0};
    enum { HUGE_BYTES = 65 * 1024 * 1024 };
    clear();
    gzip_file(MERGES, strlen(MERGES), &gz);
    for (size_t n = 2; n < gz.n; n++) {
        put_file(PACKED, gz.p, n);
        assert_refused(PACKED, "cut short");
    }
    for (size_t i = 10; i < gz.n; i++) {
        gz.p[i] ^= 0x10;
        put_file(PACKED, gz.p, gz.n);
        assert_refused(PACKED, "a changed byte");
        gz.p[i] ^= 0x10;
    }
    mp_buf_str(&gz, "more");
    put_file(PACKED, gz.p, gz.n);
    assert_refused(PACKED, "bytes behind it");
    char *zeros = calloc(HUGE_BYTES, 1);
    gzip_file(zeros, HUGE_BYTES, &bomb);
    put_file(PACKED, bomb.p, bomb.n);
    assert_refused(PACKED, "a bomb");
    free(zeros);
    mp_buf_free(&gz);
    mp_buf_free(&bomb);
}

/* vocab.json after `change` must be refused; the merges stay whole. */
static void assert_numbers_refused(const char *key, json_t *value, const char *case_name)
{
    json_t *o = numbers_of(MERGES, 0);
    if (value)
        json_object_set_new(o, key, value);
    else
        json_object_del(o, key);
    put_numbers(o);
    assert_refused("", case_name);
}

static void damaged_numbers_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "{", "[]", "3", "{}", "{\"a\":0}", "{\"a\":0,\"a\":1}", "\xFF\xFE{}"};
    int n = END + 1;
    clear();
    put_text("merges.txt", MERGES);
    for (size_t i = 0; i < MP_COUNT(texts); i++) {
        put_text("vocab.json", texts[i]);
        assert_refused("vocab.json", texts[i]);
    }
    assert_numbers_refused("zz", json_integer(n), "a token that no merge makes");
    assert_numbers_refused("a", json_integer(0), "a number twice");
    assert_numbers_refused("a", json_integer(-1), "below 0");
    assert_numbers_refused("a", json_integer(n), "beyond the end");
    assert_numbers_refused("a", json_integer(1LL << 40), "far beyond the end");
    assert_numbers_refused("a", json_string("1"), "no number");
    assert_numbers_refused("a", json_real(0.5), "half a number");
    assert_numbers_refused("<|endoftext|>", NULL, "no marker");
    json_t *o = numbers_of(MERGES, 0);
    json_object_set_new(o, "<|pad|>", json_integer(n)); /* other markers are none of ours */
    put_numbers(o);
    mp_bpe *b;
    mp_why why;
    assert_ok(mp_bpe_open(&b, folder, &why));
    mp_bpe_close(b);
    put_numbers(numbers_of(MERGES, 0));
    put_text("merges.txt", "#version: 0.2\nh e\nl l\nhe ll\n"); /* ends early */
    assert_refused("merges.txt", "merges are missing");
    put_text("merges.txt", "#version: 0.2\nh e\nl l\nhe ll\nhell l\n");
    assert_refused("merges.txt", "a merge makes no token");
}

static void missing_files_are_named(void **state)
{
    (void)state;
    mp_bpe *b;
    mp_why why;
    clear();
    assert_int_equal(mp_bpe_open(&b, folder, &why), MP_NOT_FOUND);
    assert_non_null(strstr(why.text, "vocab.json"));
    put_text("merges.txt", MERGES);
    assert_int_equal(mp_bpe_open(&b, folder, &why), MP_NOT_FOUND);
    assert_non_null(strstr(why.text, "vocab.json"));
    clear();
    put_numbers(numbers_of(MERGES, 0));
    assert_int_equal(mp_bpe_open(&b, folder, &why), MP_NOT_FOUND);
    assert_non_null(strstr(why.text, "merges.txt"));
    assert_null(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_merged_by_rank),
        cmocka_unit_test(markers_in_a_text_are_words),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(merges_are_those_of_a_plain_reference),
        cmocka_unit_test(long_texts_take_linear_time),
        cmocka_unit_test(every_form_gives_the_same_tokens),
        cmocka_unit_test(damaged_merges_are_refused),
        cmocka_unit_test(merges_beyond_the_vocabulary_are_left_out),
        cmocka_unit_test(damaged_gzip_files_are_refused),
        cmocka_unit_test(damaged_numbers_are_refused),
        cmocka_unit_test(missing_files_are_named),
    };
    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
