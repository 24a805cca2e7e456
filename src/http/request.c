/* request.c - reading a request's words: methods, escapes, the query. */
#include "http/message.h"

#include <string.h>

const char *mp_method_word(mp_method m)
{
    static const char *const words[MP_METHODS] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    return (unsigned)m < MP_METHODS ? words[m] : "";
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

const char *mp_request_decode(const mp_request *r, const char *p, size_t n, bool form)
{
    char *out = mp_arena_strdup(r->arena, (mp_str){p, n});
    size_t at = 0;
    for (size_t i = 0; out && i < n; i++) {
        int c = (unsigned char)p[i];
        if (c == '%') {
            int high = i + 2 < n ? hex_digit(p[i + 1]) : -1;
            int low = i + 2 < n ? hex_digit(p[i + 2]) : -1;
            if (high < 0 || low < 0)
                return NULL;
            c = high << 4 | low;
            i += 2;
        } else if (c == '+' && form) {
            c = ' ';
        }
        if (c < 0x20 || c == 0x7F)
            return NULL;
        out[at++] = (char)c;
    }
    if (out)
        out[at] = '\0';
    return out;
}

const char *mp_request_query(const mp_request *r, const char *name)
{
    for (const char *p = r->query; *p;) {
        size_t n = strcspn(p, "&"), key = strcspn(p, "=&");
        const char *decoded = mp_request_decode(r, p, key, true);
        if (decoded && strcmp(decoded, name) == 0)
            return key < n ? mp_request_decode(r, p + key + 1, n - key - 1, true) : "";
        p += n + (p[n] == '&');
    }
    return NULL;
}
