/* query_text.c - the words of queries as search logs keep them; no locale has a say. */
#include "meta/search_logs.h"

#include <string.h>

const char *mp_query_type_word(mp_query_type type)
{
    static const char *const words[MP_QUERY_TYPES] = {"text", "image", "mixed", "similar"};
    return (unsigned)type < MP_COUNT(words) ? words[type] : "";
}

/* Lower case within U+0080..U+07FF, where both forms take two bytes. */
static uint32_t lower(uint32_t c)
{
    static const struct {
        uint16_t first, last; /* of the capitals */
        uint8_t distance;     /* 1: capitals and small letters take turns, beginning with `first` */
    } ranges[] = {{0xC0, 0xD6, 32},   {0xD8, 0xDE, 32},   {0x100, 0x12E, 1},  {0x132, 0x136, 1},
                  {0x139, 0x147, 1},  {0x14A, 0x176, 1},  {0x179, 0x17D, 1},  {0x391, 0x3A1, 32},
                  {0x3A3, 0x3A9, 32}, {0x400, 0x40F, 80}, {0x410, 0x42F, 32}, {0x460, 0x480, 1}};
    for (size_t i = 0; i < MP_COUNT(ranges); i++)
        if (c >= ranges[i].first && c <= ranges[i].last &&
            (ranges[i].distance > 1 || (c - ranges[i].first) % 2 == 0))
            return c + ranges[i].distance;
    return c;
}

static bool is_blank(unsigned char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* One character in lower case; returns its bytes. */
static size_t add_character(const unsigned char *p, mp_buf *out)
{
    char two[2] = {(char)p[0], (char)p[1]};
    if (p[0] >= 'A' && p[0] <= 'Z')
        two[0] = (char)(p[0] + 32);
    bool pair = p[0] >= 0xC2 && p[0] <= 0xDF && (p[1] & 0xC0) == 0x80;
    if (pair) {
        uint32_t c = lower((uint32_t)(p[0] & 0x1F) << 6 | (p[1] & 0x3F));
        two[0] = (char)(0xC0 | c >> 6);
        two[1] = (char)(0x80 | (c & 0x3F));
    }
    mp_buf_add(out, two, pair ? 2 : 1);
    return pair ? 2 : 1;
}

void mp_query_normalise(const char *text, mp_buf *out)
{
    const unsigned char *p = (const unsigned char *)text;
    bool any = false;
    while (*p) {
        if (!is_blank(*p)) {
            p += add_character(p, out);
            any = true;
            continue;
        }
        while (is_blank(*p))
            p++;
        if (any && *p)
            mp_buf_str(out, " ");
    }
}
