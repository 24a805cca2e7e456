/* reset.c - new passwords by e-mail. See auth.h.
 *
 * A request only puts its address into a queue; one thread looks it up, makes the token and sends
 * the mail. So a request takes as long for an address that nobody has. What waits in the queue is
 * lost when the service stops: the answer promised nothing more than an attempt. */
#include "service/inside.h"

#include "base/os.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAITING = 64 };
static const int64_t VALID_MS = 3600 * 1000;

typedef struct wish {
    char email[255], address[64], request_id[80];
} wish;

struct mp_outbox {
    mp_auth *auth;
    mp_send_mail send;
    void *context;
    char *url;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards the rest */
    pthread_cond_t changed;
    wish wishes[WAITING];
    size_t first, n;
    bool stop;
};

/* ---- the thread ---- */

static mp_err mail(mp_outbox *o, const mp_user *user, const char *token, mp_why *why)
{
    mp_buf text = {0};
    mp_buf_printf(&text,
                  "Hello %s,\n\n"
                  "somebody, probably you, asked for a new password for your account. With this "
                  "you can set one, once, within an hour:\n\n"
                  "%s%s\n\n"
                  "If it was not you, there is nothing to do: your password is as it was.\n",
                  user->username, o->url, token);
    mp_err err = o->send(o->context, user->email, "A new password", text.p, why);
    sodium_memzero(text.p, text.n);
    mp_buf_free(&text);
    return err;
}

/* Looks the address up; *user is active with just this address, or id 0. */
static mp_err find(mp_outbox *o, const char *email, mp_arena *arena, mp_user *user, mp_why *why)
{
    mp_err err = mp_meta_find_user(o->auth->meta, email, arena, user, why);
    if (err == MP_NOT_FOUND || (!err && (!user->active || !*user->email))) {
        *user = (mp_user){0};
        return MP_OK;
    }
    return err;
}

static mp_err answer(mp_outbox *o, const wish *w, mp_arena *arena, mp_why *why)
{
    mp_meta *meta = o->auth->meta;
    char token[MP_SECRET_TEXT];
    uint8_t hash[32];
    mp_user user;
    mp_caller caller = {"", w->address, w->request_id};
    mp_err err = find(o, w->email, arena, &user, why);
    if (err)
        return err;
    mp_audit note = mp_service_note("password.forgot", user.id, "", &caller);
    if (!user.id)
        return mp_meta_add_audit(meta, &note, why);
    mp_service_make_secret(token, hash);
    err = mp_meta_add_reset(meta, user.id, hash, mp_now_ms() + VALID_MS, &note, why);
    if (!err)
        err = mail(o, &user, token, why);
    sodium_memzero(token, sizeof token);
    return err;
}

static bool next_wish(mp_outbox *o, wish *out)
{
    pthread_mutex_lock(&o->mutex);
    while (!o->n && !o->stop)
        pthread_cond_wait(&o->changed, &o->mutex);
    bool go_on = !o->stop;
    if (go_on) {
        *out = o->wishes[o->first];
        o->first = (o->first + 1) % WAITING;
        o->n--;
    }
    pthread_mutex_unlock(&o->mutex);
    return go_on;
}

static void *run(void *context)
{
    mp_outbox *o = context;
    wish w;
    while (next_wish(o, &w)) {
        mp_why why = {0};
        mp_arena *arena = mp_arena_new(0);
        if (answer(o, &w, arena, &why))
            mp_log(MP_LOG_ERROR, "request %s: no mail for a new password: %s", w.request_id,
                   why.text);
        mp_arena_free(arena);
    }
    return NULL;
}

mp_outbox *mp_outbox_new(mp_auth *a, const mp_auth_options *opt)
{
    mp_outbox *o = mp_xcalloc(1, sizeof *o);
    o->auth = a;
    o->send = opt->send;
    o->context = opt->send_context;
    o->url = mp_xstrdup(opt->reset_url ? opt->reset_url : "");
    pthread_mutex_init(&o->mutex, NULL);
    pthread_cond_init(&o->changed, NULL);
    if (pthread_create(&o->thread, NULL, run, o) != 0)
        abort();
    return o;
}

void mp_outbox_free(mp_outbox *o)
{
    if (!o)
        return;
    pthread_mutex_lock(&o->mutex);
    o->stop = true;
    pthread_cond_signal(&o->changed);
    pthread_mutex_unlock(&o->mutex);
    pthread_join(o->thread, NULL);
    pthread_cond_destroy(&o->changed);
    pthread_mutex_destroy(&o->mutex);
    free(o->url);
    free(o);
}

/* ---- requests ---- */

bool mp_auth_has_mail(const mp_auth *a)
{
    return a->outbox != NULL;
}

mp_err mp_auth_forgot(mp_auth *a, const char *email, const mp_caller *caller, mp_why *why)
{
    mp_outbox *o = a->outbox;
    if (!o)
        return mp_fail(why, MP_UNSUPPORTED,
                       "no mail server is set here, so passwords cannot be renewed by e-mail; ask "
                       "an administrator");
    mp_err err = mp_service_check_email(email, why);
    if (!err && !*email)
        err = mp_fail(why, MP_INVALID, "this is not an e-mail address");
    if (err)
        return err;
    pthread_mutex_lock(&o->mutex);
    if (o->n == WAITING) {
        err = mp_fail(why, MP_BUSY, "too many mails wait already");
    } else {
        wish *w = &o->wishes[(o->first + o->n++) % WAITING];
        snprintf(w->email, sizeof w->email, "%s", email);
        snprintf(w->address, sizeof w->address, "%s", caller->address);
        snprintf(w->request_id, sizeof w->request_id, "%s", caller->request_id);
        pthread_cond_signal(&o->changed);
    }
    pthread_mutex_unlock(&o->mutex);
    return err;
}

mp_err mp_auth_reset(mp_auth *a, const char *token, const char *password, const mp_caller *caller,
                     mp_why *why)
{
    uint8_t token_hash[32];
    char hash[crypto_pwhash_STRBYTES];
    mp_user user;
    mp_audit note = mp_service_note("password.reset", 0, "", caller);
    if (!mp_service_read_secret(token, token_hash))
        return mp_fail(why, MP_NOT_FOUND, "this is no token for a new password");
    mp_arena *arena = mp_arena_new(0);
    mp_err err = mp_meta_find_reset(a->meta, token_hash, mp_now_ms(), arena, &user, why);
    if (err == MP_NOT_FOUND)
        (void)mp_fail(why, err, "this token is not valid, or not any more");
    if (!err)
        err = mp_service_check_password(password, user.username, why);
    if (!err)
        err = mp_service_hash_password(password, hash, why);
    if (!err)
        err = mp_meta_use_reset(a->meta, token_hash, mp_now_ms(), hash, &note, why);
    mp_arena_free(arena);
    return err;
}
