/* account.c - see account.h. */
#include "http/account.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { AGENT_BYTES = 200 };

mp_caller mp_caller_of(const mp_request *r)
{
    const char *agent = mp_request_header(r, "User-Agent");
    mp_str view = {agent, agent ? strnlen(agent, AGENT_BYTES) : 0};
    char *kept = mp_arena_strdup(r->arena, view);
    /* A client may send any bytes as its name: what is not plain ASCII is of no use in a list. */
    for (char *c = kept; c && *c; c++)
        *c = *c >= ' ' && *c <= '~' ? *c : '?';
    return (mp_caller){kept ? kept : "", r->address, r->id};
}

/* ---- limits ---- */

bool mp_within(mp_request *r, mp_limits *limits, const char *key)
{
    char *small = mp_arena_strdup(r->arena, mp_str_of(key));
    for (char *c = small; c && *c; c++)
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
    int wait = mp_limits_take(limits, small ? small : "");
    if (!wait)
        return true;
    mp_buf seconds = {0};
    mp_buf_printf(&seconds, "%d", wait);
    mp_reply_problem(r, 429, "too many attempts; wait %d s", wait);
    mp_reply_header(r, "Retry-After", mp_arena_strdup(r->arena, (mp_str){seconds.p, seconds.n}));
    mp_buf_free(&seconds);
    return false;
}

bool mp_may_try(mp_request *r, const char *name)
{
    mp_buf key = {0};
    mp_buf_printf(&key, "%s %s", r->address, name);
    bool may = mp_within(r, r->service->logins, key.p);
    mp_buf_free(&key);
    return may;
}

bool mp_by_person(mp_request *r)
{
    if (!r->scopes)
        return true;
    mp_reply_problem(r, 403, "an API key may not do this; sign in");
    return false;
}

/* ---- answers ---- */

void mp_refuse(mp_request *r, mp_err err, const mp_why *why)
{
    if (err != MP_NOT_FOUND) {
        mp_reply_failure(r, err, why);
        return;
    }
    mp_reply_problem(r, 401, "%s", why->text);
    mp_reply_header(r, "WWW-Authenticate", "Bearer");
}

void mp_reply_done(mp_request *r, mp_err err, const mp_why *why)
{
    if (err)
        mp_reply_failure(r, err, why);
    else
        mp_reply_text(r, 204, NULL, (mp_str){0});
}

json_t *mp_user_json(const mp_user *u)
{
    return json_pack("{s:I, s:s, s:s, s:s, s:b, s:I}", "id", (json_int_t)u->id, "username",
                     u->username, "email", u->email, "role", u->role, "active", (int)u->active,
                     "created_at", (json_int_t)(u->created_ms / 1000));
}

json_t *mp_seconds_json(int64_t at_ms)
{
    return at_ms ? json_integer((json_int_t)(at_ms / 1000)) : json_null();
}

/* ---- numbers ---- */

/* Digits alone, so that there is one way to write a number. */
static bool read_number(const char *text, int64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoll(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && !errno;
}

bool mp_path_id(mp_request *r, int64_t *out)
{
    if (r->param[0] && read_number(r->param[0], out) && *out > 0)
        return true;
    mp_reply_problem(r, 404, "there is nothing with this id");
    return false;
}

bool mp_query_number(mp_request *r, const char *name, int64_t least, int64_t most,
                     int64_t otherwise, int64_t *out)
{
    const char *text = mp_request_query(r, name);
    *out = otherwise;
    if (!text || (read_number(text, out) && *out >= least && *out <= most))
        return true;
    mp_reply_problem(r, 422, "%s must be a number from %lld to %lld", name, (long long)least,
                     (long long)most);
    return false;
}

int64_t mp_body_number(const mp_request *r, const char *name, int64_t otherwise)
{
    const json_t *value = json_object_get(r->json, name);
    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}
