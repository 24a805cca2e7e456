/* trace.c - see trace.h. */
#include "http/trace.h"

#include "base/os.h"
#include "http/message.h"

#include <stdio.h>
#include <string.h>

enum { TRACE = 32, SPAN = 16, PARENT = 55, STATE = 512, MEMBERS = 32, KEY = 256, VALUE = 256 };

static const char hex[] = "0123456789abcdef";

static bool is_hex(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!p[i] || !strchr(hex, p[i]))
            return false;
    return true;
}

static bool is_id(const char *p, size_t n)
{
    return is_hex(p, n) && strspn(p, "0") < n;
}

static unsigned hex_byte(const char *p)
{
    return (unsigned)((strchr(hex, p[0]) - hex) << 4 | (strchr(hex, p[1]) - hex));
}

/* version "-" trace-id "-" parent-id "-" flags; a later version may go on behind a dash. */
bool mp_traceparent_read(const char *text, mp_trace *out)
{
    size_t n = strlen(text);
    if (n < PARENT || !is_hex(text, 2) || text[2] != '-' || !is_id(text + 3, TRACE) ||
        text[35] != '-' || !is_id(text + 36, SPAN) || text[52] != '-' || !is_hex(text + 53, 2))
        return false;
    unsigned version = hex_byte(text);
    if (version == 0xFF || (n > PARENT && (version == 0 || text[PARENT] != '-')))
        return false;
    snprintf(out->trace_id, sizeof out->trace_id, "%.*s", TRACE, text + 3);
    snprintf(out->parent_id, sizeof out->parent_id, "%.*s", SPAN, text + 36);
    out->sampled = hex_byte(text + 53) & 1;
    return true;
}

/* A key of small letters, digits and _-*@/ that begins with a letter or a digit, and printable
 * characters that do not end in a blank. */
static bool is_member(const char *p, size_t n)
{
    static const char first[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    static const char later[] = "abcdefghijklmnopqrstuvwxyz0123456789_-*@/";
    const char *equals = memchr(p, '=', n);
    size_t key = equals ? (size_t)(equals - p) : 0, value = equals ? n - key - 1 : 0;
    if (key == 0 || key > KEY || value == 0 || value > VALUE || !strchr(first, *p) ||
        strspn(p, later) < key)
        return false;
    for (size_t i = key + 1; i < n; i++)
        if (p[i] < 0x20 || p[i] > 0x7E || p[i] == '=')
            return false;
    return p[n - 1] != ' ';
}

bool mp_tracestate_is_good(const char *text)
{
    int members = 0;
    if (strlen(text) > STATE)
        return false;
    while (*text) {
        size_t n = strcspn(text, ","), from = strspn(text, " \t");
        const char *after = text + n + (text[n] == ',');
        from = MP_MIN(from, n);
        while (n > from && (text[n - 1] == ' ' || text[n - 1] == '\t'))
            n--;
        if (n > from && (!is_member(text + from, n - from) || ++members > MEMBERS))
            return false; /* empty members are allowed */
        text = after;
    }
    return members > 0;
}

static void random_id(char *out, size_t bytes)
{
    uint8_t id[TRACE / 2];
    mp_random_id(id, bytes);
    id[0] |= 1; /* not all zero */
    mp_hex(id, bytes, out);
}

void mp_trace_begin(mp_request *r, bool sampled)
{
    const char *parent = mp_request_headers(r, "traceparent");
    const char *state = mp_request_headers(r, "tracestate");
    mp_trace *t = &r->trace;
    *t = (mp_trace){.sampled = sampled};
    random_id(t->span_id, SPAN / 2);
    if (!parent || !mp_traceparent_read(parent, t))
        random_id(t->trace_id, TRACE / 2);
    else if (state && mp_tracestate_is_good(state))
        t->state = state;
}

const char *mp_trace_parent(mp_request *r)
{
    const mp_trace *t = &r->trace;
    return mp_request_text(r, "00-%s-%s-%02d", t->trace_id, t->span_id, t->sampled);
}
