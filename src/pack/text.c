/* text.c - see text.h. */
#include "pack/text.h"

#include <string.h>
#include <time.h>

int mp_pack_utf8(const char *s, uint32_t *code)
{
    const unsigned char *p = (const unsigned char *)s;
    *code = p[0];
    if (p[0] < 0x80)
        return p[0] != 0;
    int n = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    if (p[0] < 0xC2 || p[0] > 0xF4)
        return 0;
    uint32_t c = p[0] & (0x7Fu >> n);
    for (int i = 1; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80) /* also stops at the final NUL */
            return 0;
        c = c << 6 | (p[i] & 0x3Fu);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (c < least[n] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        return 0;
    *code = c;
    return n;
}

bool mp_pack_is_hidden(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {{0, 0x1F},        {0x7F, 0x9F},      {0x61C, 0x61C},   {0x200E, 0x200F},
                  {0x2028, 0x202E}, {0x2060, 0x2060},  {0x2066, 0x2069}, {0xFEFF, 0xFEFF},
                  {0xFFF9, 0xFFFB}, {0xE0000, 0xE007F}};
    for (size_t i = 0; i < MP_COUNT(ranges); i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    return false;
}

void mp_pack_clean(mp_buf *out, const char *s)
{
    while (s && *s) {
        uint32_t c;
        int n = mp_pack_utf8(s, &c);
        if (n)
            mp_buf_add(out, s, (size_t)n);
        else
            mp_buf_str(out, "\xEF\xBF\xBD");
        s += n ? n : 1;
    }
    mp_buf_add(out, "", 0); /* an empty text is "", not NULL */
}

/* Always quoted, so that a program that splits at semicolons or tabs finds no new cell inside. */
void mp_pack_csv(mp_buf *out, const char *s)
{
    mp_buf clean = {0};
    mp_pack_clean(&clean, s);
    mp_buf_str(out, "\"");
    if (*clean.p && strchr("=+-@\t\r\n", *clean.p))
        mp_buf_str(out, "'");
    for (const char *p = clean.p; *p; p++) {
        if (*p == '"')
            mp_buf_str(out, "\"");
        mp_buf_add(out, p, 1);
    }
    mp_buf_str(out, "\"");
    mp_buf_free(&clean);
}

static char *instant(char *out, int64_t unix_ms, const char *format)
{
    /* Rounded down, also before 1970. */
    time_t seconds = (time_t)(unix_ms / 1000 - (unix_ms % 1000 < 0));
    struct tm utc;
    *out = '\0';
    if (unix_ms && gmtime_r(&seconds, &utc))
        strftime(out, MP_PACK_INSTANT, format, &utc);
    return out;
}

char *mp_pack_instant(char out[MP_PACK_INSTANT], int64_t unix_ms)
{
    return instant(out, unix_ms, "%Y-%m-%dT%H:%M:%SZ");
}

char *mp_pack_instant_coco(char out[MP_PACK_INSTANT], int64_t unix_ms)
{
    return instant(out, unix_ms, "%Y-%m-%d %H:%M:%S");
}
