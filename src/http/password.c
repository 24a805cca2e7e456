/* password.c - new passwords: by the old one, or by a token from a mail. */
#include "http/account.h"
#include "http/body.h"

void mp_handle_password(mp_request *r)
{
    static const mp_member members[] = {{"old_password", JSON_STRING, true, 1, MP_PASSWORD_BYTES},
                                        {"new_password", JSON_STRING, true, 1, MP_PASSWORD_BYTES}};
    mp_caller caller = mp_caller_of(r);
    mp_why why = {0};
    if (!mp_by_person(r) || !mp_body_read(r, members, MP_COUNT(members)) ||
        !mp_may_try(r, r->user.username))
        return;
    mp_err err = mp_auth_set_password(r->service->auth, &r->user, r->session,
                                      mp_body_text(r, "old_password"),
                                      mp_body_text(r, "new_password"), &caller, &why);
    if (err == MP_NOT_FOUND)
        mp_reply_problem(r, 403, "%s", why.text);
    else
        mp_reply_done(r, err, &why);
}

/* One answer for an address that an account has and for one that none has. */
void mp_handle_forgot(mp_request *r)
{
    static const mp_member members[] = {{"email", JSON_STRING, true, 1, MP_NAME_BYTES}};
    mp_caller caller = mp_caller_of(r);
    mp_why why = {0};
    if (!mp_body_read(r, members, MP_COUNT(members)))
        return;
    const char *email = mp_body_text(r, "email");
    if (!mp_may_try(r, "forgot") || !mp_within(r, r->service->mails, email))
        return;
    mp_err err = mp_auth_forgot(r->service->auth, email, &caller, &why);
    if (err == MP_UNSUPPORTED)
        mp_reply_problem(r, 503, "%s", why.text);
    else if (err)
        mp_reply_failure(r, err, &why);
    else
        mp_reply_json(
            r, 202,
            json_pack("{s:s}", "message", "if an account has this address, a mail is on its way"));
}

void mp_handle_reset(mp_request *r)
{
    static const mp_member members[] = {{"token", JSON_STRING, true, 1, 128},
                                        {"new_password", JSON_STRING, true, 1, MP_PASSWORD_BYTES}};
    mp_caller caller = mp_caller_of(r);
    mp_why why = {0};
    if (!mp_body_read(r, members, MP_COUNT(members)) || !mp_may_try(r, "reset"))
        return;
    mp_err err = mp_auth_reset(r->service->auth, mp_body_text(r, "token"),
                               mp_body_text(r, "new_password"), &caller, &why);
    if (err == MP_NOT_FOUND)
        mp_reply_problem(r, 403, "%s", why.text);
    else
        mp_reply_done(r, err, &why);
}
