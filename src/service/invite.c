/* invite.c - invitations to make an account. See auth.h. */
#include "service/inside.h"

#include "base/os.h"

mp_err mp_auth_invite(mp_auth *a, const mp_new_invite *invite, int64_t by, const mp_caller *caller,
                      mp_arena *arena, mp_invite *out, char token[MP_SECRET_TEXT], mp_why *why)
{
    uint8_t hash[32];
    int64_t now = mp_now_ms();
    *out = (mp_invite){0};
    *token = '\0';
    mp_err err = mp_service_check_email(invite->email, why);
    if (!err && !mp_role_is(invite->role))
        err = mp_fail(why, MP_INVALID, "a role is one of admin, operator, user, guest");
    if (err)
        return err;
    mp_invite row = {.role = mp_arena_strdup(arena, mp_str_of(invite->role)),
                     .email = mp_arena_strdup(arena, mp_str_of(invite->email)),
                     .created_by = by,
                     .created_ms = now,
                     .expires_ms = now + invite->valid_s * 1000};
    if (!row.role || !row.email)
        return mp_fail(why, MP_NOMEM, "no memory for an invitation");
    mp_audit note = mp_service_note("invite.create", by, invite->role, caller);
    mp_service_make_secret(token, hash);
    err = mp_meta_add_invite(a->meta, &row, hash, &note, &row.id, why);
    if (err)
        *token = '\0';
    else
        *out = row;
    return err;
}

mp_err mp_auth_invites(mp_auth *a, mp_arena *arena, mp_invite **out, size_t *n, mp_why *why)
{
    return mp_meta_list_invites(a->meta, arena, out, n, why);
}

mp_err mp_auth_remove_invite(mp_auth *a, int64_t id, int64_t by, const mp_caller *caller,
                             mp_why *why)
{
    mp_audit note = mp_service_note("invite.remove", by, "", caller);
    return mp_meta_remove_invite(a->meta, id, &note, why);
}
