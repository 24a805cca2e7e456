/* fuzz_bpe.c - CLIP's tokenizer, and the reader of its vocabulary. The first byte says which: a
 * text for a small vocabulary, or a vocabulary (plain or gzip) that has to encode a few words. */
#include "model/bpe.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char WORDS[] = "#version: 0.2\na a\naa a\nt h\nth e</w>\n\xC3\xB0 \xC5\x81\nl t</w>\n";

static char folder[] = "/tmp/magpie-fuzz-XXXXXX";

static void drop_folder(void)
{
    rmdir(folder);
}

/* The vocabulary in a file of these bytes, or NULL. */
static mp_bpe *read_vocabulary(const void *data, size_t n)
{
    static bool made;
    char path[128];
    mp_bpe *b = NULL;
    if (!made && (!mkdtemp(folder) || atexit(drop_folder) != 0))
        abort();
    made = true;
    snprintf(path, sizeof path, "%s/bpe_simple_vocab_16e6.txt", folder);
    FILE *f = fopen(path, "we");
    if (!f || fwrite(data, 1, n, f) != n || fclose(f) != 0)
        abort();
    mp_err err = mp_bpe_open(&b, folder, NULL);
    unlink(path);
    if ((err == MP_OK) != (b != NULL))
        abort();
    return b;
}

/* Two markers, at the ends and nowhere else; tokens are dropped only where there is no room. */
static void encode(const mp_bpe *b, const char *text, size_t n)
{
    int32_t ids[MP_BPE_MOST];
    size_t dropped;
    int32_t all = mp_bpe_tokens(b);
    int count = mp_bpe_encode(b, (mp_str){text, n}, ids, &dropped);
    if (count < 2 || count > MP_BPE_MOST || (dropped && count < MP_BPE_MOST))
        abort();
    if (ids[0] != all - 2 || ids[count - 1] != all - 1)
        abort();
    for (int i = 1; i < count - 1; i++)
        if (ids[i] < 0 || ids[i] >= all - 2)
            abort();
}

/* glib calls a NUL invalid; for us it is a character like others. */
static bool is_text(const char *text, size_t n)
{
    for (const char *end; n && (end = memchr(text, '\0', n)); text = end + 1) {
        if (!g_utf8_validate_len(text, (size_t)(end - text), NULL))
            return false;
        n -= (size_t)(end + 1 - text);
    }
    return g_utf8_validate_len(text, n, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char some[] = "the cat sat on <|endoftext|> &amp; aaaaaa \xF0\x9F\x91\xA9";
    static mp_bpe *small;
    if (!small && !(small = read_vocabulary(WORDS, sizeof WORDS - 1)))
        abort();
    if (!n)
        return 0;
    if (data[0] % 2) {
        char *text = malloc(n - 1 ? n - 1 : 1); /* its own end: a read beyond it is seen */
        memcpy(text, data + 1, n - 1);
        if (is_text(text, n - 1))
            encode(small, text, n - 1);
        free(text);
        return 0;
    }
    mp_bpe *b = read_vocabulary(data + 1, n - 1);
    if (b)
        encode(b, some, sizeof some - 1);
    mp_bpe_close(b);
    return 0;
}
