/* body.c - see body.h. */
#include "http/body.h"

#include <math.h>
#include <string.h>
#include <strings.h>

static bool is_json_type(const char *type)
{
    static const char json[] = "application/json";
    size_t n = sizeof json - 1;
    return type && strncasecmp(type, json, n) == 0 && (type[n] == '\0' || strchr("; \t", type[n]));
}

static const char *type_word(int type)
{
    switch (type) {
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "a whole number";
    case JSON_REAL:
        return "a number";
    case JSON_ARRAY:
        return "a list";
    case JSON_OBJECT:
        return "an object";
    default:
        return "true or false";
    }
}

static bool has_type(const json_t *value, int type)
{
    if (type == MP_JSON_ANY)
        return true;
    if (type == JSON_TRUE)
        return json_is_boolean(value);
    return type == JSON_REAL ? json_is_number(value) : (int)json_typeof(value) == type;
}

/* 422 with the member's name; true when it is fine. */
static bool check(mp_request *r, const json_t *value, const mp_member *f)
{
    if (!value) {
        if (f->required)
            mp_reply_problem(r, 422, "%s is missing", f->name);
        return !f->required;
    }
    if (!has_type(value, f->type)) {
        mp_reply_problem(r, 422, "%s must be %s", f->name, type_word(f->type));
        return false;
    }
    bool text = f->type == JSON_STRING;
    bool number = json_is_number(value) && f->type != MP_JSON_ANY;
    double size = text ? (double)json_string_length(value) : number ? json_number_value(value) : 0;
    bool whole = !text || strlen(json_string_value(value)) == json_string_length(value);
    if ((text || number) && (size < f->least || size > f->most || !whole)) {
        if (text)
            mp_reply_problem(r, 422, "%s must have %.0f to %.0f bytes, none of them NUL, not %.0f",
                             f->name, f->least, f->most, size);
        else
            mp_reply_problem(r, 422, "%s must be from %.15g to %.15g", f->name, f->least, f->most);
        return false;
    }
    return true;
}

static const mp_member *field_of(const mp_member *fields, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
}

/* What the parser says, but for its names for things and what it quotes: a password may be in it.
 */
static void malformed(mp_request *r, const json_error_t *at)
{
    static const char *const ends[] = {" near ", " without JSON_"};
    int n = (int)strlen(at->text);
    for (size_t i = 0; i < MP_COUNT(ends); i++) {
        const char *end = strstr(at->text, ends[i]);
        n = end ? MP_MIN(n, (int)(end - at->text)) : n;
    }
    mp_reply_problem(
        r, 400, "malformed JSON at line %d, column %d: %.*s%s", at->line, at->column, n, at->text,
        strncmp(at->text, "invalid token", 13) == 0 ? " (numbers are finite, names stand in quotes)"
                                                    : "");
}

bool mp_body_read(mp_request *r, const mp_member *fields, size_t n)
{
    json_error_t at;
    const char *name;
    json_t *value;
    if (!r->json_form && !is_json_type(mp_request_header(r, "Content-Type"))) {
        mp_reply_problem(r, 415, "the body must be application/json");
        return false;
    }
    /* jansson would take a NUL for the end. A number alone is JSON, too; of another shape. */
    const char *text = r->body.p ? r->body.p : "";
    if (memchr(text, '\0', r->body.n)) {
        mp_reply_problem(r, 400, "malformed JSON: it holds a NUL");
        return false;
    }
    r->json = json_loadb(text, r->body.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &at);
    if (!r->json) {
        malformed(r, &at);
        return false;
    }
    if (!json_is_object(r->json)) {
        mp_reply_problem(r, 422, "the body must be a JSON object");
        return false;
    }
    json_object_foreach(r->json, name, value)
    {
        if (!field_of(fields, n, name)) {
            mp_reply_problem(r, 422, "%.60s is not known here", name);
            return false;
        }
    }
    for (size_t i = 0; i < n; i++)
        if (!check(r, json_object_get(r->json, fields[i].name), &fields[i]))
            return false;
    return true;
}

const char *mp_body_text(const mp_request *r, const char *name)
{
    const char *text = json_string_value(json_object_get(r->json, name));
    return text ? text : "";
}
