/* import_lines.c - JSON lines: one object per line.
 *
 * jansson says whether a line is JSON and what its strings are. Numbers and the members that go
 * into metadata are taken as they are written, found by walking over the text of the line beside
 * jansson's members, which come in the order of the text: so no number passes through a float. */
#include "service/import_parts.h"

#include <jansson.h>
#include <string.h>

/* ---- lines ---- */

mp_err import_lines_open(mp_import *in, mp_why *why)
{
    size_t i = in->at;
    while (i < in->filled && strchr(" \t\r\n", in->block[i]))
        i++;
    if (i < in->filled && in->block[i] == '[')
        return mp_fail(why, MP_INVALID,
                       "the file is a JSON array; one object per line is needed, without commas");
    return MP_OK;
}

/* The next line without its end, in in->row; *whole is false when it is longer than that. NOT_FOUND
 * at the end of the file. */
static mp_err read_line(mp_import *in, bool *whole, mp_why *why)
{
    bool any = false, ended = false;
    mp_err err = MP_OK;
    in->n_row = 0;
    *whole = true;
    while (!ended && !(err = import_fill(in, why)) && in->at < in->filled) {
        const uint8_t *from = in->block + in->at;
        const uint8_t *end = memchr(from, '\n', in->filled - in->at);
        size_t n = end ? (size_t)(end - from) : in->filled - in->at;
        *whole = *whole && n <= MP_IMPORT_ROW_MAX - in->n_row;
        if (*whole) {
            memcpy(in->row + in->n_row, from, n);
            in->n_row += n;
        }
        in->at += n + (end ? 1 : 0);
        any = true;
        ended = end != NULL;
    }
    in->done = in->before + in->at;
    in->next_line++;
    return err || any ? err : mp_fail(why, MP_NOT_FOUND, "the file has ended");
}

static bool is_blank(const mp_import *in)
{
    for (size_t i = 0; i < in->n_row; i++)
        if (in->row[i] == '\0' || !strchr(" \t\r", in->row[i]))
            return false;
    return true;
}

/* ---- the text of an object's members ---- */

typedef struct scan {
    const char *p, *end;
} scan;

static void skip_blanks(scan *s)
{
    while (s->p < s->end && strchr(" \t\r\n", *s->p))
        s->p++;
}

static void skip_string(scan *s)
{
    for (s->p++; s->p < s->end && *s->p != '"'; s->p++)
        if (*s->p == '\\' && s->end - s->p > 1)
            s->p++;
    s->p += s->p < s->end;
}

/* A string, or all up to the ',', '}' or ']' that ends the value. */
static void skip_value(scan *s)
{
    size_t depth = 0;
    for (; s->p < s->end; s->p++) {
        while (s->p < s->end && *s->p == '"')
            skip_string(s);
        if (s->p == s->end || (depth == 0 && strchr(",}]", *s->p)))
            return;
        if (strchr("{[", *s->p))
            depth++;
        else if (strchr("}]", *s->p))
            depth--;
    }
}

/* The next member of the object that s walks over; its texts with their quotes. */
static bool next_member(scan *s, mp_str *key, mp_str *value)
{
    skip_blanks(s);
    if (s->p < s->end && strchr("{,", *s->p))
        s->p++;
    skip_blanks(s);
    if (s->p == s->end || *s->p != '"')
        return false;
    const char *from = s->p;
    skip_string(s);
    *key = (mp_str){from, (size_t)(s->p - from)};
    skip_blanks(s);
    if (s->p == s->end || *s->p != ':')
        return false;
    s->p++;
    skip_blanks(s);
    from = s->p;
    skip_value(s);
    const char *to = s->p;
    while (to > from && strchr(" \t\r\n", to[-1]))
        to--;
    *value = (mp_str){from, (size_t)(to - from)};
    return true;
}

/* ---- products ---- */

static mp_err take_member(mp_import *in, const char *name, const json_t *value, mp_str key,
                          mp_str text, mp_arena *arena, mp_product_row *row, mp_why *why)
{
    import_field field = import_field_of(in, mp_str_of(name));
    if (field == FIELD_NONE)
        return MP_OK;
    if (field == FIELD_OTHER) {
        row->fields |= MP_PRODUCT_METADATA;
        import_add_other(in, key, text);
        return MP_OK;
    }
    mp_err err = import_claim(&in->fields, field, why);
    if (err)
        return err;
    row->fields |= 1u << field;
    if (json_is_null(value))
        text = (mp_str){"", 0};
    else if (field == FIELD_METADATA && !json_is_object(value))
        return mp_fail(why, MP_INVALID, "metadata: it must be a JSON object");
    else if (json_is_string(value))
        text = (mp_str){json_string_value(value), json_string_length(value)};
    else if (field != FIELD_METADATA && !json_is_number(value))
        return mp_fail(why, MP_INVALID, "%s: it must be a string or a number",
                       import_field_name(field));
    return import_set(&row->product, field, text, arena, why);
}

/* Holds the walk against jansson's member, where the name says itself what it is. */
static bool is_name(mp_str key, const char *name)
{
    mp_str inner = {key.p + 1, key.n - 2};
    return memchr(key.p, '\\', key.n) || mp_str_eq(inner, mp_str_of(name));
}

static mp_err take_object(mp_import *in, json_t *object, mp_arena *arena, mp_product_row *row,
                          mp_why *why)
{
    const char *name;
    json_t *value;
    scan s = {in->row, in->row + in->n_row};
    mp_str key, text;
    mp_err err = MP_OK;
    in->fields = 0; /* of this object alone */
    json_object_foreach(object, name, value)
    {
        if (!next_member(&s, &key, &text) || !is_name(key, name))
            return mp_fail(why, MP_INTERNAL, "a line was read in two ways");
        err = take_member(in, name, value, key, text, arena, row, why);
        if (err)
            return err;
    }
    return import_finish(in, row, arena, why);
}

static mp_err parse_failed(const json_error_t *at, mp_why *why)
{
    switch (json_error_code(at)) {
    case json_error_duplicate_key:
        return mp_fail(why, MP_INVALID, "the line has a name twice (byte %d)", at->position);
    case json_error_numeric_overflow:
        return mp_fail(why, MP_INVALID, "a number is too large (byte %d)", at->position);
    case json_error_invalid_utf8:
        return mp_fail(why, MP_INVALID, "the line is not valid UTF-8 (byte %d)", at->position);
    default:
        return mp_fail(why, MP_INVALID, "the line is not a JSON object (byte %d)", at->position);
    }
}

mp_err import_lines_next(mp_import *in, mp_arena *arena, mp_product_row *row, uint64_t *line,
                         mp_why *why)
{
    json_error_t at;
    bool whole;
    mp_err err;
    do {
        *line = in->next_line;
        err = read_line(in, &whole, why);
    } while (!err && whole && is_blank(in));
    if (err == MP_NOT_FOUND)
        *line = 0;
    if (err)
        return err;
    if (!whole)
        return mp_fail(why, MP_INVALID, "the line is longer than 1 MiB");
    json_t *object = json_loadb(in->row, in->n_row, JSON_REJECT_DUPLICATES, &at);
    if (!object)
        return parse_failed(&at, why);
    err = json_is_object(object) ? take_object(in, object, arena, row, why)
                                 : mp_fail(why, MP_INVALID, "the line is not a JSON object");
    json_decref(object);
    return err;
}
