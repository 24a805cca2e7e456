/* api_key.c - keys for machines. See auth.h.
 *
 * "mpk_<id>_<secret>": the id finds the row, the secret's SHA-256 is compared in constant time. */
#include "service/inside.h"

#include "base/os.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SCOPES = 32, MOST_NAME = 100, TOUCH_MS = 60 * 1000 };
static const char PREFIX[] = "mpk_";

/* The scopes between blanks, in arena; NULL: out of memory. */
static const char *join(const mp_new_key *key, mp_arena *arena)
{
    mp_buf all = {0};
    for (size_t i = 0; i < key->n_scopes; i++) {
        mp_buf_str(&all, i ? " " : "");
        mp_buf_str(&all, key->scopes[i]);
    }
    const char *text = mp_arena_strdup(arena, (mp_str){all.p, all.n});
    mp_buf_free(&all);
    return text;
}

static mp_err check(const mp_new_key *key, mp_why *why)
{
    size_t n = strlen(key->name);
    if (n < 1 || n > MOST_NAME)
        return mp_fail(why, MP_INVALID, "a key's name has 1 to %d bytes", MOST_NAME);
    if (key->n_scopes < 1 || key->n_scopes > MOST_SCOPES)
        return mp_fail(why, MP_INVALID, "a key has 1 to %d scopes", MOST_SCOPES);
    for (size_t i = 0; i < key->n_scopes; i++)
        if (!mp_scope_is(key->scopes[i]))
            return mp_fail(why, MP_INVALID, "a scope is like assets.read, assets.* or *");
    return MP_OK;
}

mp_err mp_auth_add_key(mp_auth *a, const mp_new_key *key, int64_t user_id, const mp_caller *caller,
                       mp_arena *arena, mp_api_key *out, char text[MP_KEY_TEXT], mp_why *why)
{
    uint8_t hash[32];
    char secret[MP_SECRET_TEXT], detail[120]; /* of the log: the first scopes will do */
    int64_t now = mp_now_ms();
    *out = (mp_api_key){0};
    *text = '\0';
    mp_err err = check(key, why);
    if (err)
        return err;
    mp_api_key row = {.user_id = user_id,
                      .name = mp_arena_strdup(arena, mp_str_of(key->name)),
                      .scopes = join(key, arena),
                      .created_ms = now,
                      .expires_ms = key->valid_s ? now + key->valid_s * 1000 : 0};
    if (!row.name || !row.scopes)
        return mp_fail(why, MP_NOMEM, "no memory for a key");
    snprintf(detail, sizeof detail, "%s", row.scopes);
    mp_audit note = mp_service_note("key.create", user_id, detail, caller);
    mp_service_make_secret(secret, hash);
    err = mp_meta_add_api_key(a->meta, &row, hash, &note, &row.id, why);
    if (!err) {
        snprintf(text, MP_KEY_TEXT, "%s%lld_%s", PREFIX, (long long)row.id, secret);
        *out = row;
    }
    sodium_memzero(secret, sizeof secret);
    return err;
}

mp_err mp_auth_keys(mp_auth *a, int64_t user_id, mp_arena *arena, mp_api_key **out, size_t *n,
                    mp_why *why)
{
    return mp_meta_list_api_keys(a->meta, user_id, arena, out, n, why);
}

mp_err mp_auth_remove_key(mp_auth *a, int64_t id, int64_t user_id, const mp_caller *caller,
                          mp_why *why)
{
    mp_audit note = mp_service_note("key.remove", user_id, "", caller);
    return mp_meta_remove_api_key(a->meta, id, user_id, &note, why);
}

bool mp_auth_is_key(const char *text)
{
    return strncmp(text, PREFIX, sizeof PREFIX - 1) == 0;
}

/* The id and the secret's hash; false when the text is no key. */
static bool split(const char *text, int64_t *id, uint8_t hash[32])
{
    char *end;
    if (!mp_auth_is_key(text))
        return false;
    text += sizeof PREFIX - 1;
    errno = 0;
    *id = *text >= '1' && *text <= '9' ? strtoll(text, &end, 10) : 0;
    return *id > 0 && !errno && *end == '_' && mp_service_read_secret(end + 1, hash);
}

/* A key is good even when this cannot be written. */
static void note_use(mp_auth *a, const mp_api_key *key, int64_t now)
{
    mp_why why;
    if (key->used_ms > now - TOUCH_MS)
        return;
    if (mp_meta_touch_api_key(a->meta, key->id, now, &why))
        mp_log(MP_LOG_WARN, "the use of key %lld could not be noted: %s", (long long)key->id,
               why.text);
}

mp_err mp_auth_check_key(mp_auth *a, const char *text, mp_arena *arena, mp_user *user,
                         mp_api_key *out, mp_why *why)
{
    uint8_t shown[32], kept[32];
    int64_t id, now = mp_now_ms();
    *user = (mp_user){0};
    *out = (mp_api_key){0};
    mp_api_key key = {0};
    mp_err err = split(text, &id, shown) ? mp_meta_get_api_key(a->meta, id, arena, &key, kept, why)
                                         : MP_NOT_FOUND;
    bool right = !err && sodium_memcmp(shown, kept, sizeof shown) == 0 &&
                 (!key.expires_ms || key.expires_ms > now);
    if (!err && right)
        err = mp_meta_get_user(a->meta, key.user_id, arena, user, why);
    if (err == MP_NOT_FOUND || (!err && (!right || !user->active))) {
        *user = (mp_user){0};
        return mp_fail(why, MP_NOT_FOUND, "the key is not valid, or not any more");
    }
    if (err)
        return err;
    note_use(a, &key, now);
    *out = key;
    return MP_OK;
}
