/* tokenizer.c - see tokenizer.h. Unicode's categories and decompositions come from glib. */
#include "model/tokenizer.h"

#include "base/os.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_VOCAB = 16 * 1024 * 1024, MAX_WORD = 100 };

struct mp_tokenizer {
    char *text;         /* the vocabulary, lines NUL-terminated */
    GHashTable *number; /* token -> index + 1 */
    int32_t cls, sep, unk;
};

static int32_t find(const mp_tokenizer *t, const char *token)
{
    return GPOINTER_TO_INT(g_hash_table_lookup(t->number, token)) - 1;
}

mp_err mp_tokenizer_open(mp_tokenizer **out, const char *vocab_path, mp_why *why)
{
    uint8_t *bytes;
    size_t n;
    *out = NULL;
    mp_err err = mp_file_read(vocab_path, MAX_VOCAB, &bytes, &n, why);
    if (err)
        return err;
    mp_tokenizer *t = mp_xcalloc(1, sizeof *t);
    t->text = (char *)bytes; /* mp_file_read leaves room for the last NUL */
    t->text[n] = '\0';
    t->number = g_hash_table_new(g_str_hash, g_str_equal);
    int32_t index = 0;
    for (char *line = t->text; *line; index++) {
        char *end = strchr(line, '\n');
        if (end)
            *end = '\0';
        g_hash_table_insert(t->number, line, GINT_TO_POINTER(index + 1));
        if (!end)
            break;
        line = end + 1;
    }
    t->cls = find(t, "[CLS]");
    t->sep = find(t, "[SEP]");
    t->unk = find(t, "[UNK]");
    if (t->cls < 0 || t->sep < 0 || t->unk < 0) {
        mp_tokenizer_close(t);
        return mp_fail(why, MP_CORRUPT, "%s is not a WordPiece vocabulary", vocab_path);
    }
    *out = t;
    return MP_OK;
}

void mp_tokenizer_close(mp_tokenizer *t)
{
    if (!t)
        return;
    g_hash_table_destroy(t->number);
    free(t->text);
    free(t);
}

/* ---- characters ---- */

static bool is_space(gunichar c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == 0x2028 || c == 0x2029 ||
           g_unichar_type(c) == G_UNICODE_SPACE_SEPARATOR;
}

static bool is_control(gunichar c)
{
    GUnicodeType type = g_unichar_type(c);
    if (c == '\t' || c == '\n' || c == '\r')
        return false;
    return c == 0 || c == 0xFFFD || type == G_UNICODE_CONTROL || type == G_UNICODE_FORMAT ||
           type == G_UNICODE_SURROGATE || type == G_UNICODE_PRIVATE_USE ||
           type == G_UNICODE_UNASSIGNED;
}

static bool is_punctuation(gunichar c)
{
    if ((c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) ||
        (c >= 123 && c <= 126))
        return true;
    switch (g_unichar_type(c)) {
    case G_UNICODE_CONNECT_PUNCTUATION:
    case G_UNICODE_DASH_PUNCTUATION:
    case G_UNICODE_CLOSE_PUNCTUATION:
    case G_UNICODE_FINAL_PUNCTUATION:
    case G_UNICODE_INITIAL_PUNCTUATION:
    case G_UNICODE_OTHER_PUNCTUATION:
    case G_UNICODE_OPEN_PUNCTUATION:
        return true;
    default:
        return false;
    }
}

static bool is_cjk(gunichar c)
{
    return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
           (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B73F) ||
           (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
           (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

/* ---- words to pieces ---- */

typedef struct pieces {
    const mp_tokenizer *t;
    int32_t *ids;
    int n, max;
    mp_buf word;
    int word_chars;
} pieces;

static void add_id(pieces *p, int32_t id)
{
    if (p->n < p->max)
        p->ids[p->n++] = id;
}

/* Longest match first; a word with any part unknown is one [UNK]. */
static void end_word(pieces *p)
{
    char piece[MAX_WORD * 6 + 3];
    int began = p->n;
    size_t at = 0;
    if (!p->word.n)
        return;
    while (at < p->word.n && p->word_chars <= MAX_WORD) {
        size_t head = at ? 2 : 0, end = p->word.n;
        int32_t id = -1;
        memcpy(piece, "##", head);
        for (; end > at; end--) {
            if (end < p->word.n && ((unsigned char)p->word.p[end] & 0xC0) == 0x80)
                continue; /* inside a character */
            memcpy(piece + head, p->word.p + at, end - at);
            piece[head + end - at] = '\0';
            id = find(p->t, piece);
            if (id >= 0)
                break;
        }
        if (id < 0)
            break;
        add_id(p, id);
        at = end;
    }
    if (at < p->word.n) {
        p->n = began;
        add_id(p, p->t->unk);
    }
    p->word.n = 0;
    p->word_chars = 0;
}

static void add_char(pieces *p, gunichar c)
{
    char utf8[6];
    int n = g_unichar_to_utf8(c, utf8);
    mp_buf_add(&p->word, utf8, (size_t)n);
    p->word_chars++;
}

/* One character of the input after cleaning: decomposed, marks dropped, lower case. */
static void take(pieces *p, gunichar c)
{
    gunichar parts[G_UNICHAR_MAX_DECOMPOSITION_LENGTH];
    if (is_control(c))
        return;
    if (is_space(c)) {
        end_word(p);
        return;
    }
    bool alone = is_cjk(c);
    if (alone)
        end_word(p);
    gsize n = g_unichar_fully_decompose(c, FALSE, parts, MP_COUNT(parts));
    for (gsize i = 0; i < n; i++) {
        if (g_unichar_type(parts[i]) == G_UNICODE_NON_SPACING_MARK)
            continue;
        gunichar lower = g_unichar_tolower(parts[i]);
        if (is_punctuation(lower)) {
            end_word(p);
            add_char(p, lower);
            end_word(p);
        } else {
            add_char(p, lower);
        }
    }
    if (alone)
        end_word(p);
}

int mp_tokenize(const mp_tokenizer *t, mp_str text, int32_t ids[MP_MAX_TOKENS])
{
    pieces p = {.t = t, .ids = ids, .max = MP_MAX_TOKENS - 1};
    add_id(&p, t->cls);
    for (const char *at = text.p, *end = text.p + text.n; at < end && p.n < p.max;
         at = g_utf8_next_char(at))
        take(&p, g_utf8_get_char(at));
    end_word(&p);
    mp_buf_free(&p.word);
    p.ids[p.n++] = t->sep;
    return p.n;
}
