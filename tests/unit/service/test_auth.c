/* Accounts from inside: mails for new passwords, signing keys, keys for machines, and all of it
 * from several threads. */
#include "../test.h"

#include "base/os.h"
#include "core/ports.h"
#include "service/auth.h"

#include <ftw.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char PASSWORD[] = "correct horse battery", URL[] = "https://x.org/#reset=";
static const char SECRET[] = "0123456789abcdef0123456789abcdef";
static const mp_caller HERE = {"test", "127.0.0.1", "r1"};

/* Where mails go. */
typedef struct post {
    pthread_mutex_t mutex; /* guards the rest */
    pthread_cond_t changed;
    char to[64], subject[64], text[1024];
    int n;       /* mails that came */
    bool held;   /* the next one waits */
    bool broken; /* and is refused */
} post;

typedef struct world {
    magpie *library;
    mp_auth *auth;
    mp_arena *arena;
    post post;
    char folder[64];
} world;

static mp_err deliver(void *context, const char *to, const char *subject, const char *text,
                      mp_why *why)
{
    post *p = context;
    pthread_mutex_lock(&p->mutex);
    snprintf(p->to, sizeof p->to, "%s", to);
    snprintf(p->subject, sizeof p->subject, "%s", subject);
    snprintf(p->text, sizeof p->text, "%s", text);
    p->n++;
    pthread_cond_broadcast(&p->changed);
    while (p->held)
        pthread_cond_wait(&p->changed, &p->mutex);
    mp_err err = p->broken ? mp_fail(why, MP_IO, "the mail server is on fire") : MP_OK;
    pthread_mutex_unlock(&p->mutex);
    return err;
}

/* Waits until that many mails came; false after ten seconds. */
static bool wait_for_mails(post *p, int n)
{
    struct timespec until;
    int code = 0;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 10;
    pthread_mutex_lock(&p->mutex);
    while (p->n < n && code == 0)
        code = pthread_cond_timedwait(&p->changed, &p->mutex, &until);
    bool came = p->n == n;
    pthread_mutex_unlock(&p->mutex);
    return came;
}

static void set_post(post *p, bool held, bool broken)
{
    pthread_mutex_lock(&p->mutex);
    p->held = held;
    p->broken = broken;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->mutex);
}

static void open_auth(world *w, const char *secret, bool mails)
{
    mp_why why;
    mp_auth_options opt = {.library = w->library,
                           .jwt_secret = secret,
                           .send = mails ? deliver : NULL,
                           .send_context = &w->post,
                           .reset_url = URL};
    mp_auth_close(w->auth);
    assert_ok(mp_auth_open(&w->auth, &opt, &why));
}

static int start(void **state)
{
    magpie_why outer;
    world *w = mp_xcalloc(1, sizeof *w);
    snprintf(w->folder, sizeof w->folder, "/tmp/test-auth-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    magpie_options opt = {.library = w->folder, .model = "builtin", .create = true};
    assert_int_equal(magpie_open(&w->library, &opt, &outer), MAGPIE_OK);
    w->arena = mp_arena_new(0);
    pthread_mutex_init(&w->post.mutex, NULL);
    pthread_cond_init(&w->post.changed, NULL);
    *state = w;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
    (void)st, (void)flag, (void)at;
    return remove(path);
}

static int stop(void **state)
{
    world *w = *state;
    mp_auth_close(w->auth);
    magpie_close(w->library);
    mp_arena_free(w->arena);
    pthread_cond_destroy(&w->post.changed);
    pthread_mutex_destroy(&w->post.mutex);
    nftw(w->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(w);
    return 0;
}

static mp_user add(world *w, const char *name, const char *email, const char *role)
{
    mp_why why;
    mp_user user;
    mp_account account = {name, email, PASSWORD, role};
    assert_ok(mp_auth_register(w->auth, &account, 0, &HERE, w->arena, &user, &why));
    return user;
}

static mp_err login(world *w, const char *name, const char *password, mp_tokens *out)
{
    mp_why why;
    mp_user user;
    return mp_auth_login(w->auth, name, password, &HERE, w->arena, &user, out, &why);
}

static mp_err check(world *w, const char *access)
{
    mp_why why;
    mp_user user;
    const char *session;
    return mp_auth_check(w->auth, access, w->arena, &user, &session, &why);
}

/* The newest row of the log that begins so; {0}: none. */
static mp_audit newest(world *w, const char *action)
{
    mp_why why;
    mp_audit *list;
    size_t n;
    mp_audit_query q = {.limit = 1, .action = action};
    assert_ok(mp_auth_audit(w->auth, &q, w->arena, &list, &n, &why));
    return n ? list[0] : (mp_audit){0};
}

/* The token of the mail that came. */
static void token_of(world *w, char token[MP_SECRET_TEXT])
{
    pthread_mutex_lock(&w->post.mutex);
    const char *at = strstr(w->post.text, URL);
    assert_non_null(at);
    snprintf(token, MP_SECRET_TEXT, "%s", at + strlen(URL));
    pthread_mutex_unlock(&w->post.mutex);
}

/* ---- mails ---- */

static void a_mail_brings_a_new_password(void **state)
{
    world *w = *state;
    mp_why why;
    mp_tokens before, after;
    char token[MP_SECRET_TEXT], first[MP_SECRET_TEXT];
    open_auth(w, NULL, true);
    mp_user ada = add(w, "ada", "ada@example.org", "user");
    assert_ok(login(w, "ada", PASSWORD, &before));
    assert_ok(mp_auth_forgot(w->auth, "ADA@example.org", &HERE, &why));
    assert_true(wait_for_mails(&w->post, 1));
    assert_string_equal(w->post.to, "ada@example.org"); /* as it is in the account */
    token_of(w, first);
    assert_ok(mp_auth_forgot(w->auth, "ada@example.org", &HERE, &why));
    assert_true(wait_for_mails(&w->post, 2));
    token_of(w, token);
    assert_string_not_equal(first, token);
    assert_int_equal(mp_auth_reset(w->auth, first, "another password", &HERE, &why), MP_NOT_FOUND);
    assert_int_equal(mp_auth_reset(w->auth, token, "short", &HERE, &why), MP_INVALID);
    assert_int_equal(mp_auth_reset(w->auth, token, "ada", &HERE, &why), MP_INVALID);
    assert_int_equal(check(w, before.access), MP_OK); /* nothing has happened yet */
    assert_ok(mp_auth_reset(w->auth, token, "another password", &HERE, &why));
    assert_int_equal(mp_auth_reset(w->auth, token, "third password", &HERE, &why), MP_NOT_FOUND);
    assert_int_equal(check(w, before.access), MP_NOT_FOUND);
    assert_int_equal(login(w, "ada", PASSWORD, &after), MP_NOT_FOUND);
    assert_ok(login(w, "ada", "another password", &after));
    assert_int_equal(newest(w, "password.reset").user_id, ada.id);
    assert_int_equal(newest(w, "password.forgot").user_id, ada.id);
    for (const char *const *bad = (const char *const[]){"", "x", "00", first, NULL}; *bad; bad++)
        assert_int_equal(mp_auth_reset(w->auth, *bad, "third password", &HERE, &why), MP_NOT_FOUND);
}

static void nobody_else_gets_a_mail(void **state)
{
    world *w = *state;
    mp_why why;
    open_auth(w, NULL, true);
    add(w, "ada", "ada@example.org", "admin");
    mp_user bob = add(w, "bob", "bob@example.org", "user");
    mp_user_change close = {.active = 0};
    assert_ok(mp_auth_change_user(w->auth, bob.id, &close, 1, &HERE, &why));
    static const char *const nobody[] = {"carl@example.org", "bob@example.org", "a@b.c"};
    for (size_t i = 0; i < MP_COUNT(nobody); i++)
        assert_ok(mp_auth_forgot(w->auth, nobody[i], &HERE, &why));
    assert_ok(mp_auth_forgot(w->auth, "ada@example.org", &HERE, &why));
    assert_true(wait_for_mails(&w->post, 1)); /* they are answered one after the other */
    assert_string_equal(w->post.to, "ada@example.org");
    static const char *const bad[] = {"", "ada", "a@b", "a@b.c\r\nBcc: x@y.z", "a@b.c,d@e.f"};
    for (size_t i = 0; i < MP_COUNT(bad); i++)
        assert_int_equal(mp_auth_forgot(w->auth, bad[i], &HERE, &why), MP_INVALID);
    open_auth(w, NULL, false);
    assert_int_equal(mp_auth_forgot(w->auth, "ada@example.org", &HERE, &why), MP_UNSUPPORTED);
    assert_non_null(strstr(why.text, "no mail server"));
}

/* Requests do not wait for the mail server, and the queue has an end. */
static void a_slow_mail_server_holds_nobody_up(void **state)
{
    world *w = *state;
    mp_why why;
    mp_err err = MP_OK;
    int taken = 0;
    open_auth(w, NULL, true);
    add(w, "ada", "ada@example.org", "user");
    set_post(&w->post, true, false);
    assert_ok(mp_auth_forgot(w->auth, "ada@example.org", &HERE, &why));
    assert_true(wait_for_mails(&w->post, 1));
    double began = mp_monotonic_s();
    while (!err && taken < 1000) {
        err = mp_auth_forgot(w->auth, "nobody@example.org", &HERE, &why);
        taken += !err;
    }
    assert_int_equal(err, MP_BUSY);
    assert_int_equal(taken, 64);
    assert_true(mp_monotonic_s() - began < 5);
    set_post(&w->post, false, false);
    mp_auth_close(w->auth); /* does not wait for the rest */
    w->auth = NULL;
}

static void a_mail_that_fails_is_no_end(void **state)
{
    world *w = *state;
    mp_why why;
    char token[MP_SECRET_TEXT];
    open_auth(w, NULL, true);
    add(w, "ada", "ada@example.org", "user");
    set_post(&w->post, false, true);
    assert_ok(mp_auth_forgot(w->auth, "ada@example.org", &HERE, &why));
    assert_true(wait_for_mails(&w->post, 1));
    set_post(&w->post, false, false);
    assert_ok(mp_auth_forgot(w->auth, "ada@example.org", &HERE, &why));
    assert_true(wait_for_mails(&w->post, 2));
    token_of(w, token);
    assert_ok(mp_auth_reset(w->auth, token, "another password", &HERE, &why));
}

/* ---- signing keys ---- */

static void the_one_key_of_before_goes_on_signing(void **state)
{
    world *w = *state;
    mp_why why;
    uint8_t key[32] = {1, 2, 3}, hash[32];
    char hex[65], kid[17], left[8];
    mp_signing_key got;
    mp_tokens t;
    mp_hex(key, sizeof key, hex);
    mp_meta *meta = mp_core_meta(w->library);
    assert_ok(mp_meta_set_setting(meta, "auth_key", hex, &why));
    open_auth(w, NULL, false);
    assert_ok(mp_meta_get_signing_key(meta, NULL, &got, &why));
    assert_memory_equal(got.key, key, sizeof key);
    crypto_hash_sha256(hash, key, sizeof key);
    mp_hex(hash, 8, kid);
    assert_string_equal(got.kid, kid); /* tokens that are out stay good */
    assert_int_equal(mp_meta_get_setting(meta, "auth_key", left, sizeof left, &why), MP_NOT_FOUND);
    add(w, "ada", "", "user");
    assert_ok(login(w, "ada", PASSWORD, &t));
    open_auth(w, NULL, false);
    assert_ok(check(w, t.access));
}

static void a_damaged_key_is_told(void **state)
{
    world *w = *state;
    mp_why why;
    mp_auth_options opt = {.library = w->library};
    assert_ok(mp_meta_set_setting(mp_core_meta(w->library), "auth_key", "00ff", &why));
    assert_int_equal(mp_auth_open(&w->auth, &opt, &why), MP_CORRUPT);
    assert_null(w->auth);
}

/* A token that was verified holds for the rest of its second (recent.h). */
static void let_the_second_pass(void)
{
    int64_t second = mp_now_ms() / 1000;
    while (mp_now_ms() / 1000 == second)
        nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
}

static void an_old_key_is_believed_for_an_hour(void **state)
{
    world *w = *state;
    mp_why why;
    mp_tokens first, second;
    mp_signing_key key;
    mp_meta *meta = mp_core_meta(w->library);
    open_auth(w, NULL, false);
    mp_user ada = add(w, "ada", "", "admin");
    assert_ok(login(w, "ada", PASSWORD, &first));
    assert_ok(mp_auth_rotate(w->auth, ada.id, &HERE, &key, &why));
    for (size_t i = 0; i < sizeof key.key; i++)
        assert_int_equal(key.key[i], 0); /* it is nobody's business */
    assert_ok(login(w, "ada", PASSWORD, &second));
    assert_ok(check(w, first.access));
    assert_ok(check(w, second.access));
    assert_string_equal(newest(w, "keys.rotate").detail, key.kid);
    /* As if the next rotation had been an hour ago. */
    mp_signing_key past = {.kid = "past", .key = {1}};
    past.created_ms = mp_now_ms() - 3600 * 1000;
    assert_ok(mp_meta_rotate_signing_key(meta, &past, 0, NULL, &why));
    let_the_second_pass();
    assert_int_equal(check(w, second.access), MP_NOT_FOUND);
    assert_ok(check(w, first.access)); /* retired by the clock a moment ago */
    assert_ok(mp_auth_rotate(w->auth, ada.id, &HERE, &key, &why));
    assert_int_equal(check(w, second.access), MP_NOT_FOUND);
}

/* And for longer, where tokens are valid for longer. */
static void an_old_key_is_believed_while_its_tokens_are(void **state)
{
    world *w = *state;
    mp_why why;
    mp_tokens token;
    mp_auth_options opt = {.library = w->library, .access_s = 2 * 3600};
    assert_ok(mp_auth_open(&w->auth, &opt, &why));
    assert_int_equal(mp_auth_access_s(w->auth), 2 * 3600);
    add(w, "ada", "", "admin");
    assert_ok(login(w, "ada", PASSWORD, &token));
    assert_int_equal(token.expires_in_s, 2 * 3600);
    /* As if a rotation had been an hour and a half ago. */
    mp_signing_key past = {.kid = "past", .key = {1}};
    past.created_ms = mp_now_ms() - 5400 * 1000;
    assert_ok(mp_meta_rotate_signing_key(mp_core_meta(w->library), &past, 0, NULL, &why));
    assert_ok(check(w, token.access));
    open_auth(w, NULL, false);
    assert_int_equal(mp_auth_access_s(w->auth), MP_ACCESS_S);
    assert_int_equal(check(w, token.access), MP_NOT_FOUND);
}

static void a_secret_from_outside_signs_alone(void **state)
{
    world *w = *state;
    mp_why why;
    mp_tokens own, other;
    mp_signing_key key;
    mp_auth *none;
    open_auth(w, NULL, false);
    add(w, "ada", "", "admin");
    assert_ok(login(w, "ada", PASSWORD, &own));
    open_auth(w, SECRET, false);
    assert_int_equal(check(w, own.access), MP_NOT_FOUND);
    assert_ok(login(w, "ada", PASSWORD, &other));
    assert_ok(check(w, other.access));
    assert_int_equal(mp_auth_rotate(w->auth, 1, &HERE, &key, &why), MP_UNSUPPORTED);
    open_auth(w, SECRET, false);
    assert_ok(check(w, other.access)); /* the same secret, the same name */
    open_auth(w, "another secret, also long enough!", false);
    assert_int_equal(check(w, other.access), MP_NOT_FOUND);
    open_auth(w, "", false);
    assert_ok(check(w, own.access));
    mp_auth_options opt = {.library = w->library, .jwt_secret = SECRET + 1};
    assert_int_equal(mp_auth_open(&none, &opt, &why), MP_INVALID);
    assert_null(none);
    assert_null(strstr(why.text, SECRET + 1));
}

/* ---- keys for machines ---- */

static mp_err use_key(world *w, const char *text, mp_api_key *key)
{
    mp_why why;
    mp_user user;
    mp_err err = mp_auth_check_key(w->auth, text, w->arena, &user, key, &why);
    assert_true((user.id != 0) == (err == MP_OK));
    return err;
}

static void a_key_opens_until_something_ends_it(void **state)
{
    world *w = *state;
    mp_why why;
    mp_api_key made, key;
    char text[MP_KEY_TEXT], wrong[MP_KEY_TEXT];
    const char *scopes[] = {"assets.read", "projects.*"};
    open_auth(w, NULL, false);
    add(w, "ada", "", "admin");
    mp_user bob = add(w, "bob", "", "user");
    mp_new_key wish = {.name = "robot", .scopes = scopes, .n_scopes = 2};
    assert_ok(mp_auth_add_key(w->auth, &wish, bob.id, &HERE, w->arena, &made, text, &why));
    assert_string_equal(made.scopes, "assets.read projects.*");
    assert_ok(use_key(w, text, &key));
    assert_string_equal(key.scopes, made.scopes);
    for (size_t i = 0; text[i]; i++) { /* no digit of it may be another */
        memcpy(wrong, text, sizeof wrong);
        wrong[i] = (char)(wrong[i] == '0' ? '1' : '0');
        assert_int_equal(use_key(w, wrong, &key), MP_NOT_FOUND);
    }
    static const char *const none[] = {"mpk_",     "mpk_1",     "mpk_1_",
                                       "mpk__x",   "mpk_-1_00", "mpk_99999999999999999999_00",
                                       "mpk_01_00"};
    for (size_t i = 0; i < MP_COUNT(none); i++)
        assert_int_equal(use_key(w, none[i], &key), MP_NOT_FOUND);
    assert_int_equal(mp_auth_remove_key(w->auth, made.id, 1, &HERE, &why), MP_NOT_FOUND);
    assert_ok(mp_auth_remove_key(w->auth, made.id, bob.id, &HERE, &why));
    assert_int_equal(use_key(w, text, &key), MP_NOT_FOUND);
    assert_ok(mp_auth_add_key(w->auth, &wish, bob.id, &HERE, w->arena, &made, text, &why));
    mp_user_change close = {.active = 0}, open = {.active = 1};
    assert_ok(mp_auth_change_user(w->auth, bob.id, &close, 1, &HERE, &why));
    assert_int_equal(use_key(w, text, &key), MP_NOT_FOUND);
    assert_ok(mp_auth_change_user(w->auth, bob.id, &open, 1, &HERE, &why));
    assert_int_equal(use_key(w, text, &key), MP_NOT_FOUND); /* it does not come back */
}

static void keys_expire_and_their_use_is_noted(void **state)
{
    world *w = *state;
    mp_why why;
    mp_api_key key, row = {.name = "old", .scopes = "*", .created_ms = 1, .expires_ms = 2};
    uint8_t bytes[32] = {1}, hash[32];
    char text[MP_KEY_TEXT], hex[65];
    open_auth(w, NULL, false);
    row.user_id = add(w, "ada", "", "admin").id;
    crypto_hash_sha256(hash, bytes, sizeof bytes);
    mp_hex(bytes, sizeof bytes, hex);
    mp_meta *meta = mp_core_meta(w->library);
    assert_ok(mp_meta_add_api_key(meta, &row, hash, NULL, &row.id, &why));
    snprintf(text, sizeof text, "mpk_%lld_%s", (long long)row.id, hex);
    assert_int_equal(use_key(w, text, &key), MP_NOT_FOUND);
    row.expires_ms = mp_now_ms() + 60000;
    assert_ok(mp_meta_add_api_key(meta, &row, hash, NULL, &row.id, &why));
    snprintf(text, sizeof text, "mpk_%lld_%s", (long long)row.id, hex);
    assert_ok(use_key(w, text, &key));
    int64_t now = mp_now_ms();
    assert_ok(use_key(w, text, &key));
    assert_true(key.used_ms > now - 10000 && key.used_ms <= now);
}

static void bad_wishes_for_keys(void **state)
{
    world *w = *state;
    mp_why why;
    mp_api_key key;
    char text[MP_KEY_TEXT], name[102] = "";
    const char *fine[] = {"a.b"}, *bad[] = {"a.b", "a b"}, *many[33];
    for (size_t i = 0; i < MP_COUNT(many); i++)
        many[i] = "a.b";
    memset(name, 'n', 101);
    open_auth(w, NULL, false);
    int64_t id = add(w, "ada", "", "user").id;
    const mp_new_key wishes[] = {{"", fine, 1, 0},
                                 {name, fine, 1, 0},
                                 {"x", fine, 0, 0},
                                 {"x", bad, 2, 0},
                                 {"x", many, 33, 0}};
    for (size_t i = 0; i < MP_COUNT(wishes); i++) {
        assert_int_equal(
            mp_auth_add_key(w->auth, &wishes[i], id, &HERE, w->arena, &key, text, &why),
            MP_INVALID);
        assert_string_equal(text, "");
    }
    mp_new_key most = {"x", many, 32, 0};
    assert_ok(mp_auth_add_key(w->auth, &most, id, &HERE, w->arena, &key, text, &why));
}

/* ---- many at once ---- */

typedef struct visitor {
    world *w;
    const char *access, *key;
    int wrong;
} visitor;

static void *visit(void *context)
{
    visitor *v = context;
    mp_why why;
    mp_user user;
    mp_api_key key;
    const char *session;
    for (int i = 0; i < 50; i++) {
        mp_arena *arena = mp_arena_new(0);
        mp_auth *a = v->w->auth;
        v->wrong += mp_auth_check(a, v->access, arena, &user, &session, &why) != MP_OK;
        v->wrong += mp_auth_check_key(a, v->key, arena, &user, &key, &why) != MP_OK;
        mp_arena_free(arena);
    }
    return NULL;
}

static void many_come_while_keys_rotate(void **state)
{
    world *w = *state;
    mp_why why;
    mp_tokens tokens;
    mp_api_key made;
    mp_signing_key rotated;
    char text[MP_KEY_TEXT];
    const char *scopes[] = {"*"};
    pthread_t threads[4];
    visitor visitors[4];
    open_auth(w, NULL, false);
    mp_user ada = add(w, "ada", "", "admin");
    mp_new_key wish = {.name = "robot", .scopes = scopes, .n_scopes = 1};
    assert_ok(mp_auth_add_key(w->auth, &wish, ada.id, &HERE, w->arena, &made, text, &why));
    assert_ok(login(w, "ada", PASSWORD, &tokens));
    for (size_t i = 0; i < MP_COUNT(threads); i++) {
        visitors[i] = (visitor){w, tokens.access, text, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, visit, &visitors[i]), 0);
    }
    for (int i = 0; i < 10; i++)
        assert_ok(mp_auth_rotate(w->auth, ada.id, &HERE, &rotated, &why));
    for (size_t i = 0; i < MP_COUNT(threads); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(visitors[i].wrong, 0);
    }
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(a_mail_brings_a_new_password),
        EACH(nobody_else_gets_a_mail),
        EACH(a_slow_mail_server_holds_nobody_up),
        EACH(a_mail_that_fails_is_no_end),
        EACH(the_one_key_of_before_goes_on_signing),
        EACH(a_damaged_key_is_told),
        EACH(an_old_key_is_believed_for_an_hour),
        EACH(an_old_key_is_believed_while_its_tokens_are),
        EACH(a_secret_from_outside_signs_alone),
        EACH(a_key_opens_until_something_ends_it),
        EACH(keys_expire_and_their_use_is_noted),
        EACH(bad_wishes_for_keys),
        EACH(many_come_while_keys_rotate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
