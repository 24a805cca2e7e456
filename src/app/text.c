/* text.c - see text.h. */
#include "app/text.h"

#include "pack/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

static const char REPLACEMENT[] = "\xEF\xBF\xBD"; /* U+FFFD */

/* ---- characters ---- */

static bool is_control(uint32_t c)
{
    return c < 0x20 || c == 0x7F;
}

static void control_for_terminal(mp_buf *out, uint32_t c)
{
    if (c == '\n')
        mp_buf_str(out, "\\n");
    else if (c == '\t')
        mp_buf_str(out, "\\t");
    else if (c == '\r')
        mp_buf_str(out, "\\r");
    else
        mp_buf_printf(out, "\\x%02x", (unsigned)c);
}

void text_for_terminal(mp_buf *out, const char *s)
{
    while (*s) {
        uint32_t c;
        int n = mp_pack_utf8(s, &c);
        if (n == 0 || is_control(c))
            control_for_terminal(out, c);
        else if (mp_pack_is_hidden(c))
            mp_buf_printf(out, "\\u{%x}", (unsigned)c);
        else
            mp_buf_add(out, s, (size_t)n);
        s += n ? n : 1;
    }
    mp_buf_add(out, "", 0); /* an empty text is "", not NULL */
}

static const char *html_entity(uint32_t c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void text_for_html(mp_buf *out, const char *s)
{
    while (*s) {
        uint32_t c;
        int n = mp_pack_utf8(s, &c);
        const char *entity = n ? html_entity(c) : NULL;
        if (entity)
            mp_buf_str(out, entity);
        else if (n == 0 || (is_control(c) && c != '\n') || mp_pack_is_hidden(c))
            mp_buf_str(out, REPLACEMENT);
        else
            mp_buf_add(out, s, (size_t)n);
        s += n ? n : 1;
    }
    mp_buf_add(out, "", 0);
}

void text_base64(mp_buf *out, const uint8_t *p, size_t n)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)p[i] << 16;
        v |= i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0;
        v |= i + 2 < n ? p[i + 2] : 0u;
        char four[4] = {digit[v >> 18], digit[v >> 12 & 63], digit[v >> 6 & 63], digit[v & 63]};
        if (i + 1 >= n)
            four[2] = '=';
        if (i + 2 >= n)
            four[3] = '=';
        mp_buf_add(out, four, 4);
    }
    mp_buf_add(out, "", 0);
}

/* ---- columns ---- */

static int columns_of(uint32_t c)
{
    int w = wcwidth((wchar_t)c);
    return w < 0 ? 1 : w;
}

int text_width(const char *s)
{
    int width = 0;
    while (*s) {
        uint32_t c;
        int n = mp_pack_utf8(s, &c);
        width += n ? columns_of(c) : 1;
        s += n ? n : 1;
    }
    return width;
}

/* The start of the tail of `s` that takes at most `columns`. */
static const char *tail_of(const char *s, int columns)
{
    int width = text_width(s);
    while (*s && width > columns) {
        uint32_t c;
        int n = mp_pack_utf8(s, &c);
        width -= n ? columns_of(c) : 1;
        s += n ? n : 1;
    }
    return s;
}

void text_clip(mp_buf *out, const char *s, int columns, const char *ellipsis)
{
    int room = columns - text_width(ellipsis), used = 0;
    if (text_width(s) <= columns || room < 1) {
        mp_buf_str(out, text_width(s) <= columns ? s : tail_of(s, columns));
        return;
    }
    int head = room / 3;
    const char *p = s;
    while (*p) {
        uint32_t c;
        int n = mp_pack_utf8(p, &c), w = n ? columns_of(c) : 1;
        if (used + w > head)
            break;
        used += w;
        p += n ? n : 1;
    }
    mp_buf_add(out, s, (size_t)(p - s));
    mp_buf_str(out, ellipsis);
    mp_buf_str(out, tail_of(p, room - used));
}

/* ---- numbers ---- */

char *text_size(char out[TEXT_SMALL], double bytes)
{
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB", "PB"};
    size_t unit = 0;
    bool negative = bytes < 0;
    bytes = fabs(bytes);
    /* 1023.6 KB would print as "1024 KB": go on to the next unit. */
    while (unit + 1 < MP_COUNT(units) && bytes >= (unit ? 999.5 : 1000)) {
        bytes /= 1024;
        unit++;
    }
    snprintf(out, TEXT_SMALL, unit && bytes < 9.95 ? "%s%.1f %s" : "%s%.0f %s", negative ? "-" : "",
             bytes, units[unit]);
    return out;
}

char *text_count(char out[TEXT_SMALL], uint64_t n)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n), at = 0;
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}

char *text_span(char out[TEXT_SMALL], double seconds)
{
    if (!(seconds >= 0) || seconds > 1e9) /* also NaN */
        snprintf(out, TEXT_SMALL, "?");
    else if (seconds < 9.95)
        snprintf(out, TEXT_SMALL, "%.1f s", seconds);
    else if (seconds < 59.5)
        snprintf(out, TEXT_SMALL, "%.0f s", seconds);
    else {
        long s = lround(seconds);
        if (s < 3600)
            snprintf(out, TEXT_SMALL, "%ld:%02ld", s / 60, s % 60);
        else
            snprintf(out, TEXT_SMALL, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    }
    return out;
}

char *text_score(char out[TEXT_SMALL], double score)
{
    if (!isfinite(score))
        snprintf(out, TEXT_SMALL, "-");
    else
        snprintf(out, TEXT_SMALL, "%.3f", fabs(score) < 0.0005 ? 0.0 : score); /* no "-0.000" */
    return out;
}

static char *stamp(char out[TEXT_SMALL], int64_t unix_ms, const char *format)
{
    time_t t = (time_t)(unix_ms >= 0 ? unix_ms / 1000 : (unix_ms - 999) / 1000);
    struct tm tm;
    if (unix_ms == 0 || !gmtime_r(&t, &tm) || strftime(out, TEXT_SMALL, format, &tm) == 0)
        snprintf(out, TEXT_SMALL, "-");
    return out;
}

char *text_day(char out[TEXT_SMALL], int64_t unix_ms)
{
    return stamp(out, unix_ms, "%Y-%m-%d");
}

char *text_instant(char out[TEXT_SMALL], int64_t unix_ms)
{
    return stamp(out, unix_ms, "%Y-%m-%dT%H:%M:%SZ");
}

const char *text_plural(uint64_t n, const char *one, const char *many)
{
    return n == 1 ? one : many;
}
