/* json_text.c - see json_text.h.
 *
 * An answer to a search has a few hundred members, and its text was a tenth of what it cost:
 * jansson hands over one piece per character that is not plain, and asks the C library for each
 * number. Here a string is copied in runs up to the next character that must be escaped, and
 * numbers of ordinary size are split into digits by integers. */
#include "http/json_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { DIGITS = 9 };

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\';
}

/* The same of eight at once: the borrow of a byte that is 0 reaches its high bit (Mycroft). A byte
 * above 0x7F may be taken for one that is not plain, which costs a look at it. */
static bool are_plain(const char *p)
{
    const uint64_t ones = 0x0101010101010101u, highs = ones << 7;
    uint64_t x;
    memcpy(&x, p, sizeof x);
    uint64_t quote = x ^ ones * '"', slash = x ^ ones * '\\';
    return !((x | (x - ones * 0x20) | (quote - ones) | (slash - ones)) & highs);
}

/* RFC 8259, 7. The short forms where there is one. */
static void write_escape(unsigned char c, mp_buf *out)
{
    static const char hex[] = "0123456789ABCDEF", from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    const char *at = c ? strchr(from, c) : NULL;
    if (at)
        mp_buf_add(out, (char[]){'\\', to[at - from]}, 2);
    else
        mp_buf_add(out, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
}

void mp_json_write_string(const char *text, size_t n, mp_buf *out)
{
    size_t from = 0;
    mp_buf_add(out, "\"", 1);
    for (size_t i = 0; i < n; i++) {
        while (n - i > 8 && are_plain(text + i))
            i += 8;
        if (is_plain((unsigned char)text[i]))
            continue;
        mp_buf_add(out, text + from, i - from);
        write_escape((unsigned char)text[i], out);
        from = i + 1;
    }
    mp_buf_add(out, text + from, n - from);
    mp_buf_add(out, "\"", 1);
}

void mp_json_write_integer(int64_t x, mp_buf *out)
{
    char text[MP_DECIMAL];
    mp_buf_add(out, text, mp_decimal(x, text));
}

/* As printf's %.9g, and a ".0" where that would look whole. */
static void write_by_printf(double x, mp_buf *out)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%.*g", DIGITS, x);
    char *comma = strchr(text, ','); /* a locale's */
    if (comma)
        *comma = '.';
    mp_buf_add(out, text, (size_t)n);
    if (!strpbrk(text, ".e"))
        mp_buf_add(out, ".0", 2);
}

/* The same for 1e-4 <= x < 1e9: x times a power of ten that doubles hold exactly, rounded, is the
 * nine digits; only a tie in the tenth may go the other way. */
void mp_json_write_real(double x, mp_buf *out)
{
    static const double powers[] = {1e-3, 1e-2, 1e-1, 1e0, 1e1, 1e2,  1e3,  1e4,
                                    1e5,  1e6,  1e7,  1e8, 1e9, 1e10, 1e11, 1e12};
    static const double *const power = powers + 3;
    double size = fabs(x);
    int before = -3; /* digits before the point; below 0: noughts behind it */
    if (size < 1e-4 || !(size < 999999999)) {
        write_by_printf(x, out);
        return;
    }
    while (before < DIGITS && size >= power[before])
        before++;
    uint64_t scaled = (uint64_t)llrint(size * power[DIGITS - before]); /* ties to even */
    if (scaled >= (uint64_t)1e9) {                                     /* 0.9999999999 */
        scaled /= 10;
        before++;
    }
    char text[MP_DECIMAL], *at = text, *end = text + mp_decimal((int64_t)scaled, text);
    while (end > at + MP_MAX(before, 0) + 1 && end[-1] == '0')
        end--;
    if (x < 0)
        mp_buf_add(out, "-", 1);
    if (before > 0)
        mp_buf_add(out, at, (size_t)before);
    else
        mp_buf_add(out, "0", 1);
    mp_buf_add(out, ".000", before > 0 ? 1 : (size_t)(1 - before));
    at += MP_MAX(before, 0);
    if (end > at)
        mp_buf_add(out, at, (size_t)(end - at));
    else
        mp_buf_add(out, "0", 1);
}

static void write_object(const json_t *value, mp_buf *out)
{
    const char *key;
    json_t *member, *object = (json_t *)(uintptr_t)value; /* only looked at */
    const char *before = "{";
    json_object_foreach(object, key, member)
    {
        mp_buf_add(out, before, 1);
        before = ",";
        mp_json_write_string(key, strlen(key), out);
        mp_buf_add(out, ":", 1);
        mp_json_write(member, out);
    }
    if (*before == '{')
        mp_buf_add(out, "{", 1);
    mp_buf_add(out, "}", 1);
}

static void write_array(const json_t *value, mp_buf *out)
{
    size_t n = json_array_size(value);
    mp_buf_add(out, "[", 1);
    for (size_t i = 0; i < n; i++) {
        if (i)
            mp_buf_add(out, ",", 1);
        mp_json_write(json_array_get(value, i), out);
    }
    mp_buf_add(out, "]", 1);
}

void mp_json_write(const json_t *value, mp_buf *out)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        write_object(value, out);
        break;
    case JSON_ARRAY:
        write_array(value, out);
        break;
    case JSON_STRING:
        mp_json_write_string(json_string_value(value), json_string_length(value), out);
        break;
    case JSON_INTEGER:
        mp_json_write_integer(json_integer_value(value), out);
        break;
    case JSON_REAL:
        mp_json_write_real(json_real_value(value), out);
        break;
    default:
        mp_buf_str(out, json_is_true(value) ? "true" : json_is_false(value) ? "false" : "null");
    }
}
