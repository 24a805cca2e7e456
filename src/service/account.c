/* account.c - making accounts, and what administrators do with them. See auth.h. */
#include "service/inside.h"

#include "base/os.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

mp_err mp_auth_any_user(mp_auth *a, bool *out, mp_why *why)
{
    uint64_t n;
    mp_err err = mp_meta_count_users(a->meta, &n, why);
    *out = n > 0;
    return err;
}

static mp_err check_name(const char *name, mp_why *why)
{
    static const char fine[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t n = strlen(name);
    if (n < 3 || n > 32 || strspn(name, fine) != n)
        return mp_fail(why, MP_INVALID, "a name has 3 to 32 letters, digits, dots, _ and -");
    return MP_OK;
}

/* What any mail server takes is between this and a mail that arrives. A control character could add
 * lines to a mail's head. */
mp_err mp_service_check_email(const char *email, mp_why *why)
{
    const char *at = strchr(email, '@');
    size_t n = strlen(email);
    bool fine = n == 0 || (at && at > email && !strchr(at + 1, '@') && strchr(at + 1, '.') &&
                           n <= 254 && strcspn(email, " \"<>(),;:\\[]") == n);
    for (size_t i = 0; fine && i < n; i++)
        fine = (unsigned char)email[i] > 0x20 && email[i] != 0x7F;
    return fine ? MP_OK : mp_fail(why, MP_INVALID, "this is not an e-mail address");
}

/* Checks all, then hashes; *out without its id. `hash` keeps the password. */
static mp_err prepare(const mp_account *account, char hash[crypto_pwhash_STRBYTES], mp_user *out,
                      mp_why *why)
{
    mp_err err = check_name(account->username, why);
    if (!err)
        err = mp_service_check_email(account->email, why);
    if (!err)
        err = mp_service_check_password(account->password, account->username, why);
    if (!err && !mp_role_is(account->role))
        err = mp_fail(why, MP_INVALID, "a role is one of admin, operator, user, guest");
    if (!err)
        err = mp_service_hash_password(account->password, hash, why);
    *out = (mp_user){.username = account->username,
                     .email = account->email,
                     .password = hash,
                     .role = account->role,
                     .active = true,
                     .created_ms = mp_now_ms()};
    return err;
}

mp_err mp_auth_register(mp_auth *a, const mp_account *account, int64_t by, const mp_caller *caller,
                        mp_arena *arena, mp_user *out, mp_why *why)
{
    char hash[crypto_pwhash_STRBYTES];
    int64_t id = 0;
    mp_user user;
    *out = (mp_user){0};
    mp_audit note =
        mp_service_note(by ? "user.create" : "user.register", by, account->role, caller);
    mp_err err = prepare(account, hash, &user, why);
    if (!err)
        err = mp_meta_add_user(a->meta, &user, &note, &id, why);
    return err ? err : mp_meta_get_user(a->meta, id, arena, out, why);
}

mp_err mp_auth_register_invited(mp_auth *a, const mp_account *account, const char *invite,
                                const mp_caller *caller, mp_arena *arena, mp_user *out, mp_why *why)
{
    char hash[crypto_pwhash_STRBYTES], detail[64];
    uint8_t token[32];
    int64_t id = 0;
    mp_invite row;
    mp_user user;
    *out = (mp_user){0};
    if (!mp_service_read_secret(invite, token))
        return mp_fail(why, MP_NOT_FOUND, "this is no invitation");
    mp_err err = mp_meta_find_invite(a->meta, token, mp_now_ms(), arena, &row, why);
    if (err)
        return err;
    if (*row.email && *account->email && strcasecmp(row.email, account->email) != 0)
        return mp_fail(why, MP_INVALID, "this invitation is for another e-mail address");
    mp_account invited = *account;
    invited.role = row.role;
    invited.email = *row.email ? row.email : account->email;
    snprintf(detail, sizeof detail, "%s, invitation %lld", row.role, (long long)row.id);
    mp_audit note = mp_service_note("user.register", 0, detail, caller);
    err = prepare(&invited, hash, &user, why);
    if (!err)
        err = mp_meta_add_invited_user(a->meta, &user, token, &note, &id, why);
    return err ? err : mp_meta_get_user(a->meta, id, arena, out, why);
}

/* ---- administrators ---- */

mp_err mp_auth_users(mp_auth *a, const mp_user_query *query, mp_arena *arena, mp_user **out,
                     size_t *n, mp_why *why)
{
    return mp_meta_list_users(a->meta, query, arena, out, n, why);
}

mp_err mp_auth_user(mp_auth *a, int64_t id, mp_arena *arena, mp_user *out, mp_why *why)
{
    mp_err err = mp_meta_get_user(a->meta, id, arena, out, why);
    if (!err && out->deleted) {
        *out = (mp_user){0};
        err = mp_fail(why, MP_NOT_FOUND, "there is no such user");
    }
    return err;
}

mp_err mp_auth_change_user(mp_auth *a, int64_t id, const mp_user_change *change, int64_t by,
                           const mp_caller *caller, mp_why *why)
{
    char detail[96];
    if (change->role && !mp_role_is(change->role))
        return mp_fail(why, MP_INVALID, "a role is one of admin, operator, user, guest");
    mp_err err = mp_service_check_email(change->email ? change->email : "", why);
    if (err)
        return err;
    snprintf(detail, sizeof detail, "%s%s%s%s", change->role ? "role " : "",
             change->role ? change->role : "",
             change->active < 0 ? "" : (change->active ? " active" : " closed"),
             change->email ? " e-mail" : "");
    mp_audit note = mp_service_note("user.change", by, detail + (*detail == ' '), caller);
    return mp_meta_change_user(a->meta, id, change, &note, why);
}

mp_err mp_auth_delete_user(mp_auth *a, int64_t id, int64_t by, const mp_caller *caller, mp_why *why)
{
    mp_audit note = mp_service_note("user.delete", by, "", caller);
    return mp_meta_delete_user(a->meta, id, mp_now_ms(), &note, why);
}
