/* bpe_text.c - see bpe_text.h. Unicode's categories and lower case come from glib. */
#include "model/bpe_text.h"

#include "model/entities.h"
#include "model/nfc.h"

#include <glib.h>
#include <string.h>

typedef enum kind { OTHER, LETTER, NUMBER, SPACE } kind;

static const uint8_t KINDS[] = {
    [G_UNICODE_LOWERCASE_LETTER] = LETTER, [G_UNICODE_MODIFIER_LETTER] = LETTER,
    [G_UNICODE_OTHER_LETTER] = LETTER,     [G_UNICODE_TITLECASE_LETTER] = LETTER,
    [G_UNICODE_UPPERCASE_LETTER] = LETTER, [G_UNICODE_DECIMAL_NUMBER] = NUMBER,
    [G_UNICODE_LETTER_NUMBER] = NUMBER,    [G_UNICODE_OTHER_NUMBER] = NUMBER,
    [G_UNICODE_LINE_SEPARATOR] = SPACE,    [G_UNICODE_PARAGRAPH_SEPARATOR] = SPACE,
    [G_UNICODE_SPACE_SEPARATOR] = SPACE, /* the last of GUnicodeType */
};

/* White space is Unicode's property White_Space: the separators and six controls. */
static kind kind_of(gunichar c)
{
    if ((c >= '\t' && c <= '\r') || c == 0x85)
        return SPACE;
    return KINDS[g_unichar_type(c)];
}

/* ---- a clean text ---- */

/* glib leaves what is no letter: the capitals among the Roman numerals and the circled letters. */
static gunichar lower(gunichar c)
{
    if (c >= 0x2160 && c <= 0x216F)
        return c + 16;
    if (c >= 0x24B6 && c <= 0x24CF)
        return c + 26;
    return g_unichar_tolower(c);
}

/* U+0130 is the one letter whose lower case is two characters whatever stands around it. */
static void add_lower(mp_buf *out, gunichar c)
{
    char utf8[6];
    if (c == 0x130)
        mp_buf_str(out, "i\u0307");
    else
        mp_buf_add(out, utf8, (size_t)g_unichar_to_utf8(lower(c), utf8));
}

static void lower_and_collapse(mp_buf *out, mp_str text)
{
    bool gap = false;
    size_t began = out->n;
    if (!text.n)
        return;
    for (const char *at = text.p, *end = text.p + text.n; at < end; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        if (kind_of(c) == SPACE) {
            gap = out->n > began;
            continue;
        }
        if (gap)
            mp_buf_add(out, " ", 1);
        gap = false;
        add_lower(out, c);
    }
}

static bool is_ascii(mp_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] & 0x80)
            return false;
    return true;
}

void mp_bpe_clean(mp_buf *out, mp_str text)
{
    mp_buf step[3] = {{0}};
    for (int i = 0; i < 2 && text.n && memchr(text.p, '&', text.n); i++) {
        mp_unescape(&step[i], text);
        text = (mp_str){step[i].p, step[i].n};
    }
    if (!is_ascii(text)) {
        mp_nfc(&step[2], text);
        text = (mp_str){step[2].p, step[2].n};
    }
    lower_and_collapse(out, text);
    for (size_t i = 0; i < MP_COUNT(step); i++)
        mp_buf_free(&step[i]);
}

/* ---- its words ---- */

static size_t contraction(mp_str s)
{
    static const char *const ends[] = {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"};
    for (size_t i = 0; s.n && *s.p == '\'' && i < MP_COUNT(ends); i++) {
        size_t n = strlen(ends[i]);
        if (s.n >= n && memcmp(s.p, ends[i], n) == 0)
            return n;
    }
    return 0;
}

bool mp_bpe_word(mp_str *rest, mp_str *word)
{
    if (!rest->n)
        return false;
    const char *at = rest->p, *end = rest->p + rest->n;
    while (at < end && *at == ' ')
        at++;
    if (at == end)
        return false;
    word->p = at;
    word->n = contraction((mp_str){at, (size_t)(end - at)});
    if (word->n) {
        at += word->n;
    } else {
        kind first = kind_of(g_utf8_get_char(at));
        do
            at = g_utf8_next_char(at);
        while (at < end && first != NUMBER && kind_of(g_utf8_get_char(at)) == first);
        word->n = (size_t)(at - word->p);
    }
    *rest = (mp_str){at, (size_t)(end - at)};
    return true;
}
