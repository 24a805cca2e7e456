/* notes.c - see notes.h. */
#include "http/notes.h"

#include "base/os.h"
#include "core/ports.h"
#include "http/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool read_number(const char *text, int64_t *out)
{
    char *end;
    errno = 0;
    *out = *text >= '1' && *text <= '9' ? strtoll(text, &end, 10) : 0;
    return *out > 0 && !*end && !errno;
}

bool mp_path_number(mp_request *r, const char *text, const char *what, int64_t *out)
{
    if (read_number(text, out))
        return true;
    mp_reply_problem(r, 404, "there is no such %s", what);
    return false;
}

bool mp_query_cursor(mp_request *r, int64_t *out)
{
    const char *text = mp_request_query(r, "cursor");
    *out = 0;
    if (!text || !*text || read_number(text, out))
        return true;
    mp_reply_problem(r, 422, "the cursor is not one of this list");
    return false;
}

json_t *mp_next_cursor(mp_request *r, bool more, int64_t last)
{
    return more ? json_string(mp_request_text(r, "%lld", (long long)last)) : json_null();
}

bool mp_name_fine(mp_request *r, const char *name)
{
    bool blank = true, plain = true;
    for (const unsigned char *c = (const unsigned char *)name; *c; c++) {
        blank = blank && *c == ' ';
        plain = plain && *c >= 32 && *c != 127;
    }
    if (blank || !plain)
        mp_reply_problem(r, 422, "name must have other than blanks and no control characters");
    return !blank && plain;
}

static bool keep_object(mp_request *r, const char *name, const json_t *value, const char **out)
{
    char *text = json_is_object(value) ? json_dumps(value, JSON_COMPACT) : NULL;
    bool fine = text && strlen(text) <= MP_OBJECT_BYTES;
    *out = fine ? mp_arena_strdup(r->arena, mp_str_of(text)) : NULL;
    free(text);
    if (!*out)
        mp_reply_problem(r, 422, "%s must be an object of at most %d bytes", name, MP_OBJECT_BYTES);
    return *out != NULL;
}

bool mp_body_object(mp_request *r, const char *name, const char **out)
{
    const json_t *value = json_object_get(r->json, name);
    *out = NULL;
    return !value || keep_object(r, name, value, out);
}

bool mp_text_object(mp_request *r, const char *name, const char *text, const char **out)
{
    json_t *value = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    bool fine = keep_object(r, name, value, out);
    json_decref(value);
    return fine;
}

json_t *mp_object_json(const char *text)
{
    json_t *value = json_loads(text, 0, NULL);
    return value ? value : json_object();
}

json_t *mp_loose_text(const char *text)
{
    json_t *s = json_string(text);
    if (s)
        return s;
    mp_buf clean = {0};
    for (; *text; text++)
        mp_buf_str(&clean, (unsigned char)*text < 128 ? (char[]){*text, 0} : "\xEF\xBF\xBD");
    s = json_string(clean.p ? clean.p : "");
    mp_buf_free(&clean);
    return s;
}

const char *mp_file_name(mp_request *r, const char *path, const char *otherwise)
{
    enum { MOST = 255 };
    const char *at = path;
    for (const char *c = path; *c; c++)
        if (*c == '/' || *c == '\\')
            at = c + 1;
    size_t n = strlen(at);
    if (n > MOST)
        at += n - MOST;
    while (n > MOST && ((unsigned char)*at & 0xC0) == 0x80) /* not in the middle of a character */
        at++;
    char *name = mp_arena_strdup(r->arena, mp_str_of(at));
    for (char *c = name; c && *c; c++)
        if ((unsigned char)*c < 32 || *c == 127)
            *c = '_';
    return name && *name ? name : otherwise;
}

const char *mp_joined_text(mp_request *r, const char *a, const char *b)
{
    mp_buf text = {0};
    mp_buf_str(&text, a);
    mp_buf_str(&text, b);
    const char *kept = mp_arena_strdup(r->arena, (mp_str){text.p, text.n});
    mp_buf_free(&text);
    return kept ? kept : a;
}

void mp_note_change(mp_request *r, const char *action, const char *format, ...)
{
    char detail[400];
    va_list args;
    mp_why why = {0};
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    json_t *words = json_string(detail); /* names of files may be anything */
    for (char *c = detail; !words && *c; c++)
        *c = (unsigned char)*c < 128 ? *c : '?';
    json_decref(words);
    mp_audit row = {.user_id = r->user.id,
                    .action = action,
                    .detail = detail,
                    .address = r->address,
                    .request_id = r->id};
    if (mp_meta_add_audit(mp_core_meta(r->service->library), &row, &why))
        mp_log(MP_LOG_ERROR, "request %s: %s was done, and is not in the audit log: %s", r->id,
               action, why.text);
}
