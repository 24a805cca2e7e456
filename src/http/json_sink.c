/* json_sink.c - see json_sink.h. */
#include "http/json_sink.h"

#include "http/json_text.h"

#include <assert.h>
#include <math.h>
#include <string.h>

mp_sink mp_sink_to_text(mp_buf *out)
{
    return (mp_sink){.text = out};
}

mp_sink mp_sink_to_tree(void)
{
    return (mp_sink){.text = NULL};
}

json_t *mp_sink_tree(mp_sink *s)
{
    json_t *tree = s->open[0];
    s->open[0] = NULL;
    return tree;
}

/* ---- places ---- */

/* The comma and the key before what comes next in the text. */
static void lead_in(mp_sink *s, const char *key)
{
    size_t n = key ? strlen(key) : 0;
    mp_buf_grow(s->text, n + 4);
    char *to = s->text->p + s->text->n;
    if (s->any)
        *to++ = ',';
    s->any = true;
    if (key) {
        *to++ = '"';
        memcpy(to, key, n);
        to += n;
        *to++ = '"';
        *to++ = ':';
    }
    *to = '\0';
    s->text->n = (size_t)(to - s->text->p);
}

/* Into what is open in the tree; takes the reference. */
static void attach(mp_sink *s, const char *key, json_t *value)
{
    json_t *in = s->depth ? s->open[s->depth - 1] : NULL;
    if (!in)
        s->open[0] = value;
    else if (key)
        json_object_set_new_nocheck(in, key, value);
    else
        json_array_append_new(in, value);
}

static void open_one(mp_sink *s, const char *key, bool object)
{
    assert(s->depth < MP_SINK_DEPTH);
    if (s->text) {
        lead_in(s, key);
        mp_buf_add(s->text, object ? "{" : "[", 1);
        s->any = false;
    } else {
        json_t *value = object ? json_object() : json_array();
        attach(s, key, value);
        s->open[s->depth] = value;
    }
    s->closing[s->depth++] = object ? '}' : ']';
}

void mp_sink_object(mp_sink *s, const char *key)
{
    open_one(s, key, true);
}

void mp_sink_array(mp_sink *s, const char *key)
{
    open_one(s, key, false);
}

void mp_sink_end(mp_sink *s)
{
    assert(s->depth > 0);
    s->depth--;
    if (s->text)
        mp_buf_add(s->text, &s->closing[s->depth], 1);
    s->any = true;
}

/* ---- values ---- */

static json_t *string_of(const char *text)
{
    json_t *s = json_string(text);
    mp_buf clean = {0};
    if (s)
        return s;
    for (; *text; text++)
        mp_buf_str(&clean, (unsigned char)*text < 128 ? (char[]){*text, 0} : "\xEF\xBF\xBD");
    s = json_string(clean.p);
    mp_buf_free(&clean);
    return s;
}

static bool is_ascii(const char *text, size_t n)
{
    uint64_t any = 0, eight;
    size_t i = 0;
    for (; i + sizeof eight <= n; i += sizeof eight) {
        memcpy(&eight, text + i, sizeof eight);
        any |= eight;
    }
    for (; i < n; i++)
        any |= (uint64_t)(unsigned char)text[i];
    return !(any & 0x8080808080808080u);
}

void mp_sink_text(mp_sink *s, const char *key, const char *text)
{
    size_t n = s->text && text ? strlen(text) : 0;
    if (s->text && text && is_ascii(text, n)) {
        lead_in(s, key);
        mp_json_write_string(text, n, s->text);
        return;
    }
    json_t *value = text ? string_of(text) : json_null(); /* jansson knows what UTF-8 is */
    if (!s->text) {
        attach(s, key, value);
        return;
    }
    lead_in(s, key);
    mp_json_write(value, s->text);
    json_decref(value);
}

void mp_sink_integer(mp_sink *s, const char *key, int64_t x)
{
    if (!s->text) {
        attach(s, key, json_integer(x));
        return;
    }
    lead_in(s, key);
    mp_json_write_integer(x, s->text);
}

void mp_sink_real(mp_sink *s, const char *key, double x)
{
    if (!s->text) {
        attach(s, key, isfinite(x) ? json_real(x) : json_null());
        return;
    }
    lead_in(s, key);
    if (isfinite(x))
        mp_json_write_real(x, s->text);
    else
        mp_buf_str(s->text, "null");
}

void mp_sink_bool(mp_sink *s, const char *key, bool x)
{
    if (!s->text) {
        attach(s, key, json_boolean(x));
        return;
    }
    lead_in(s, key);
    mp_buf_str(s->text, x ? "true" : "false");
}
