/* unescape.c - see entities.h. */
#include "model/entities.h"

#include <glib.h>
#include <string.h>

enum {
    LONGEST_NAME = 31, /* of the table; a longer run is no name */
    LONGEST_BARE = 6,
    LAST_POINT = 0x10FFFF,
    REPLACEMENT = 0xFFFD
};

/* What a number of 0x80..0x9F stands for: Windows-1252, where that has a character. */
static const uint16_t WINDOWS[32] = {
    0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x008D, 0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178};

static void add_point(mp_buf *out, uint32_t c)
{
    char utf8[6];
    mp_buf_add(out, utf8, (size_t)g_unichar_to_utf8(c, utf8));
}

/* Numbers that stand for nothing: most controls and the noncharacters. */
static bool is_nothing(uint32_t c)
{
    return (c >= 0x1 && c <= 0x8) || c == 0xB || (c >= 0xE && c <= 0x1F) || c == 0x7F ||
           (c >= 0xFDD0 && c <= 0xFDEF) || (c & 0xFFFE) == 0xFFFE;
}

static void add_number(mp_buf *out, uint32_t c)
{
    if (c == 0 || c > LAST_POINT || (c >= 0xD800 && c <= 0xDFFF))
        add_point(out, REPLACEMENT);
    else if (c >= 0x80 && c <= 0x9F)
        add_point(out, WINDOWS[c - 0x80]);
    else if (!is_nothing(c))
        add_point(out, c);
}

/* Of the text after "&#": the bytes that belong to the reference, 0 when it is none. */
static size_t number(mp_buf *out, mp_str s)
{
    bool hex = s.n && (*s.p == 'x' || *s.p == 'X');
    size_t first = hex, i = first;
    uint32_t c = 0;
    for (; i < s.n; i++) {
        int digit = hex ? g_ascii_xdigit_value(s.p[i]) : g_ascii_digit_value(s.p[i]);
        if (digit < 0)
            break;
        c = MP_MIN(c * (hex ? 16 : 10) + (uint32_t)digit, (uint32_t)LAST_POINT + 1);
    }
    if (i == first)
        return 0;
    add_number(out, c);
    return i + (i < s.n && s.p[i] == ';');
}

static const mp_entity *find(const char *name, size_t n)
{
    size_t low = 0, high = mp_entities_n;
    while (low < high) {
        size_t at = low + (high - low) / 2;
        int order = strncmp(mp_entities[at].name, name, n);
        if (order == 0 && !mp_entities[at].name[n])
            return &mp_entities[at];
        if (order < 0)
            low = at + 1;
        else
            high = at;
    }
    return NULL;
}

/* Of the text after "&": the bytes that belong to the reference, 0 when it is none. */
static size_t named(mp_buf *out, mp_str s)
{
    const mp_entity *found = NULL;
    size_t run = 0, used;
    while (run < s.n && run <= LONGEST_NAME && g_ascii_isalnum(s.p[run]))
        run++;
    used = run + 1;
    if (run < s.n && s.p[run] == ';')
        found = find(s.p, run);
    for (size_t n = MP_MIN(run, (size_t)LONGEST_BARE); !found && n > 1; n--) {
        found = find(s.p, n);
        if (found && !found->bare)
            found = NULL;
        used = n;
    }
    if (!found)
        return 0;
    for (size_t i = 0; i < MP_COUNT(found->text) && found->text[i]; i++)
        add_point(out, found->text[i]);
    return used;
}

void mp_unescape(mp_buf *out, mp_str text)
{
    if (!text.n)
        return;
    const char *at = text.p, *end = text.p + text.n;
    while (at < end) {
        const char *mark = memchr(at, '&', (size_t)(end - at));
        if (!mark)
            break;
        mp_buf_add(out, at, (size_t)(mark - at));
        mp_str rest = {mark + 1, (size_t)(end - mark - 1)};
        size_t used;
        if (rest.n && *rest.p == '#') {
            used = number(out, (mp_str){rest.p + 1, rest.n - 1});
            used += used > 0;
        } else {
            used = named(out, rest);
        }
        if (!used)
            mp_buf_add(out, "&", 1);
        at = rest.p + used;
    }
    if (at < end)
        mp_buf_add(out, at, (size_t)(end - at));
}
