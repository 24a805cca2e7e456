/* request.c - reading a request's words: methods, escapes, the query. */
#include "http/message.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
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

const char *mp_request_text(mp_request *r, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const char *kept = mp_arena_strdup(r->arena, mp_str_of(text));
    return kept ? kept : "";
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

bool mp_request_number(mp_request *r, const char *name, long long least, long long most,
                       long long otherwise, long long *out)
{
    const char *text = mp_request_query(r, name);
    char *end = NULL;
    errno = 0;
    *out = text ? strtoll(text, &end, 10) : otherwise;
    if (!text || (*text >= '0' && *text <= '9' && !*end && !errno && *out >= least && *out <= most))
        return true;
    mp_reply_problem(r, 422, "%s must be a number from %lld to %lld", name, least, most);
    return false;
}

bool mp_request_choice(mp_request *r, const char *name, const char *words, int *out)
{
    const char *text = mp_request_query(r, name), *at = words;
    *out = 0;
    if (!text)
        return true;
    for (int i = 0; *at; i++) {
        size_t n = strcspn(at, "|");
        if (strlen(text) == n && memcmp(text, at, n) == 0) {
            *out = i;
            return true;
        }
        at += n + (at[n] == '|');
    }
    mp_reply_problem(r, 422, "%s must be one of %s", name, words);
    return false;
}
