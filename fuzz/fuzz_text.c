/* fuzz_text.c - the parsers of text: --where filters and the tokenizer. */
#include "meta/filter.h"
#include "model/tokenizer.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static mp_tokenizer *tokenizer(void)
{
    static const char words[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n##b\nun\n##a\n,\n\xE4\xBA\xAC\n";
    static mp_tokenizer *t;
    char path[64];
    int fd = t ? -1 : memfd_create("vocabulary", MFD_CLOEXEC);
    if (fd < 0)
        return t;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (write(fd, words, sizeof words - 1) != (ssize_t)sizeof words - 1 ||
        mp_tokenizer_open(&t, path, NULL) != MP_OK)
        abort();
    close(fd);
    return t;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    int32_t ids[MP_MAX_TOKENS];
    const mp_filter *filter;
    mp_arena *arena = mp_arena_new(0);
    char *text = malloc(n + 1);
    if (n)
        memcpy(text, data, n);
    text[n] = '\0';
    if (mp_filter_parse(text, arena, &filter, NULL) == MP_OK)
        (void)mp_filter_wants_trashed(filter);
    if (g_utf8_validate(text, (gssize)n, NULL)) {
        int count = mp_tokenize(tokenizer(), (mp_str){text, n}, ids);
        if (count < 2 || count > MP_MAX_TOKENS)
            abort();
    }
    free(text);
    mp_arena_free(arena);
    return 0;
}
