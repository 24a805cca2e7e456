/* What every metadata store promises of accounts (accounts.h). */
#include "../unit/test.h"

#include "base/os.h"
#include "meta/accounts.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct store {
    char dir[64], url[128];
    mp_meta *m;
    mp_arena *arena;
} store;

static mp_err open_store(const store *s, mp_meta **out, mp_why *why)
{
    mp_meta_options opt = {.create = true, .busy_ms = 5000};
    return mp_meta_open(out, s->url, &opt, why);
}

static int set_up(void **state)
{
    mp_why why;
    store *s = mp_xcalloc(1, sizeof *s);
    snprintf(s->dir, sizeof s->dir, "/tmp/magpie-accounts-XXXXXX");
    if (!mkdtemp(s->dir))
        return -1;
    snprintf(s->url, sizeof s->url, "sqlite:%s/magpie.db", s->dir);
    s->arena = mp_arena_new(0);
    *state = s;
    return open_store(s, &s->m, &why) ? -1 : 0;
}

static int tear_down(void **state)
{
    store *s = *state;
    char command[96];
    mp_meta_close(s->m);
    mp_arena_free(s->arena);
    snprintf(command, sizeof command, "rm -rf %s", s->dir);
    int code = system(command);
    free(s);
    return code;
}

/* ---- helpers ---- */

static mp_audit note_of(const char *action)
{
    return (mp_audit){.action = action, .detail = "", .address = "", .request_id = "r"};
}

static int64_t add_user(store *s, const char *name, const char *role)
{
    mp_why why;
    mp_user u = {.username = name, .email = "", .password = "x", .role = role, .active = true};
    int64_t id;
    assert_ok(mp_meta_add_user(s->m, &u, NULL, &id, &why));
    return id;
}

static mp_user user_of(store *s, int64_t id)
{
    mp_why why;
    mp_user u;
    assert_ok(mp_meta_get_user(s->m, id, s->arena, &u, &why));
    return u;
}

static void add_session(store *s, int64_t user, const char *id, uint8_t token)
{
    mp_why why;
    uint8_t refresh[32] = {token};
    mp_session row = {
        .id = id, .user_id = user, .created_ms = 1, .expires_ms = 100, .agent = "", .address = ""};
    assert_ok(mp_meta_add_session(s->m, &row, "x", refresh, NULL, &why));
}

static size_t open_sessions(store *s, int64_t user)
{
    mp_why why;
    mp_session *list;
    size_t n;
    assert_ok(mp_meta_list_sessions(s->m, user, 50, s->arena, &list, &n, &why));
    return n;
}

static int64_t add_key(store *s, int64_t user, uint8_t first)
{
    mp_why why;
    uint8_t secret[32] = {first};
    mp_api_key k = {.user_id = user, .name = "k", .scopes = "*", .created_ms = 1};
    int64_t id;
    assert_ok(mp_meta_add_api_key(s->m, &k, secret, NULL, &id, &why));
    return id;
}

static size_t keys_of(store *s, int64_t user)
{
    mp_why why;
    mp_api_key *list;
    size_t n;
    assert_ok(mp_meta_list_api_keys(s->m, user, s->arena, &list, &n, &why));
    return n;
}

static int64_t add_invite(store *s, int64_t by, uint8_t first, int64_t expires_ms)
{
    mp_why why;
    uint8_t token[32] = {first};
    mp_invite in = {.role = "operator",
                    .email = "",
                    .created_by = by,
                    .created_ms = 10,
                    .expires_ms = expires_ms};
    int64_t id;
    assert_ok(mp_meta_add_invite(s->m, &in, token, NULL, &id, &why));
    return id;
}

/* How many rows of the log have an action that begins so. */
static size_t notes(store *s, const char *action)
{
    mp_why why;
    mp_audit *list;
    size_t n;
    mp_audit_query q = {.limit = 1000, .action = action};
    assert_ok(mp_meta_list_audit(s->m, &q, s->arena, &list, &n, &why));
    return n;
}

/* ---- users ---- */

static void users_are_told_apart_without_case(void **state)
{
    store *s = *state;
    mp_why why;
    mp_user u = {
        .username = "Ada", .email = "a@b.org", .password = "x", .role = "user", .active = true};
    mp_user found;
    int64_t id, other;
    uint64_t n;
    assert_ok(mp_meta_add_user(s->m, &u, NULL, &id, &why));
    assert_int_equal(mp_meta_add_user(s->m, &u, NULL, &other, &why), MP_EXISTS);
    u.email = "";
    u.username = "ADA";
    assert_int_equal(mp_meta_add_user(s->m, &u, NULL, &other, &why), MP_EXISTS);
    u.username = "bob";
    assert_ok(mp_meta_add_user(s->m, &u, NULL, &other, &why));
    u.username = "carl"; /* several may have no address */
    assert_ok(mp_meta_add_user(s->m, &u, NULL, &other, &why));
    assert_ok(mp_meta_find_user(s->m, "aDA", s->arena, &found, &why));
    assert_int_equal(found.id, id);
    assert_string_equal(found.username, "Ada");
    assert_ok(mp_meta_find_user(s->m, "A@B.ORG", s->arena, &found, &why));
    assert_int_equal(found.id, id);
    assert_int_equal(mp_meta_find_user(s->m, "", s->arena, &found, &why), MP_NOT_FOUND);
    assert_int_equal(mp_meta_get_user(s->m, 99, s->arena, &found, &why), MP_NOT_FOUND);
    assert_ok(mp_meta_count_users(s->m, &n, &why));
    assert_int_equal(n, 3);
}

static void users_come_in_pages_and_by_filters(void **state)
{
    store *s = *state;
    mp_why why;
    mp_user *list;
    size_t n;
    add_user(s, "ada", "admin");
    int64_t bob = add_user(s, "bob_1", "user");
    add_user(s, "bobx1", "user");
    int64_t carl = add_user(s, "carl", "operator");
    mp_user_change close = {.active = 0}, mail = {.active = -1, .email = "Carl@Example.org"};
    assert_ok(mp_meta_change_user(s->m, bob, &close, NULL, &why));
    assert_ok(mp_meta_change_user(s->m, carl, &mail, NULL, &why));
    static const struct {
        mp_user_query q;
        size_t n;
    } cases[] = {
        {{.limit = 10, .active = -1}, 4},
        {{.limit = 3, .active = -1}, 3},
        {{.limit = 10, .after = 3, .active = -1}, 1},
        {{.limit = 10, .active = 0}, 1},
        {{.limit = 10, .active = 1, .role = "user"}, 1},
        {{.limit = 10, .active = -1, .text = "BOB"}, 2},
        {{.limit = 10, .active = -1, .text = "b_1"}, 1}, /* no pattern */
        {{.limit = 10, .active = -1, .text = "%"}, 0},
        {{.limit = 10, .active = -1, .text = "example"}, 1},
    };
    for (size_t i = 0; i < MP_COUNT(cases); i++) {
        assert_ok(mp_meta_list_users(s->m, &cases[i].q, s->arena, &list, &n, &why));
        if (n != cases[i].n)
            fail_msg("case %zu: %zu users", i, n);
    }
}

static void another_role_ends_what_the_user_came_in_with(void **state)
{
    store *s = *state;
    mp_why why;
    add_user(s, "ada", "admin");
    int64_t bob = add_user(s, "bob", "user");
    add_session(s, bob, "s1", 1);
    add_key(s, bob, 2);
    mp_user_change same = {.role = "user", .email = "b@c.org", .active = -1};
    assert_ok(mp_meta_change_user(s->m, bob, &same, NULL, &why));
    assert_int_equal(open_sessions(s, bob), 1); /* it is the role that it was */
    assert_int_equal(keys_of(s, bob), 1);
    mp_audit note = note_of("user.change");
    mp_user_change up = {.role = "operator", .active = -1};
    assert_ok(mp_meta_change_user(s->m, bob, &up, &note, &why));
    assert_int_equal(open_sessions(s, bob), 0);
    assert_int_equal(keys_of(s, bob), 0);
    assert_string_equal(user_of(s, bob).role, "operator");
    assert_string_equal(user_of(s, bob).email, "b@c.org");
    assert_int_equal(notes(s, "user.change"), 1);
    mp_user_change gone = {.active = 0};
    assert_int_equal(mp_meta_change_user(s->m, 99, &gone, &note, &why), MP_NOT_FOUND);
    assert_int_equal(notes(s, "user.change"), 1); /* with the change, or not at all */
}

static void the_last_admin_stays(void **state)
{
    store *s = *state;
    mp_why why;
    int64_t ada = add_user(s, "ada", "admin"), bob = add_user(s, "bob", "admin");
    mp_user_change down = {.role = "user", .active = -1}, close = {.active = 0};
    assert_ok(mp_meta_change_user(s->m, bob, &close, NULL, &why));
    assert_int_equal(mp_meta_change_user(s->m, ada, &down, NULL, &why), MP_EXISTS);
    assert_int_equal(mp_meta_change_user(s->m, ada, &close, NULL, &why), MP_EXISTS);
    assert_int_equal(mp_meta_delete_user(s->m, ada, 5, NULL, &why), MP_EXISTS);
    assert_string_equal(user_of(s, ada).username, "ada"); /* nothing of it was done */
    assert_true(user_of(s, ada).active);
    mp_user_change open = {.active = 1};
    assert_ok(mp_meta_change_user(s->m, bob, &open, NULL, &why));
    assert_ok(mp_meta_change_user(s->m, ada, &down, NULL, &why));
}

static void an_address_belongs_to_one(void **state)
{
    store *s = *state;
    mp_why why;
    int64_t ada = add_user(s, "ada", "admin"), bob = add_user(s, "bob", "user");
    mp_user_change mail = {.email = "a@b.org", .active = -1}, none = {.email = "", .active = -1};
    assert_ok(mp_meta_change_user(s->m, ada, &mail, NULL, &why));
    assert_ok(mp_meta_change_user(s->m, ada, &mail, NULL, &why)); /* one's own */
    mail.email = "A@B.org";
    assert_int_equal(mp_meta_change_user(s->m, bob, &mail, NULL, &why), MP_EXISTS);
    assert_ok(mp_meta_change_user(s->m, ada, &none, NULL, &why));
    assert_string_equal(user_of(s, ada).email, "");
    assert_ok(mp_meta_change_user(s->m, bob, &mail, NULL, &why));
}

static void a_deleted_user_leaves_an_id_alone(void **state)
{
    store *s = *state;
    mp_why why;
    mp_user_query q = {.limit = 10, .active = -1};
    mp_user *list, found;
    size_t n;
    add_user(s, "ada", "admin");
    int64_t bob = add_user(s, "bob", "user");
    mp_user_change mail = {.email = "b@c.org", .active = -1}, open = {.active = 1};
    assert_ok(mp_meta_change_user(s->m, bob, &mail, NULL, &why));
    add_session(s, bob, "s1", 1);
    add_key(s, bob, 2);
    assert_ok(mp_meta_delete_user(s->m, bob, 7, NULL, &why));
    mp_user gone = user_of(s, bob);
    assert_true(gone.deleted && !gone.active);
    assert_string_not_equal(gone.username, "bob");
    assert_string_equal(gone.email, "");
    assert_int_equal(keys_of(s, bob), 0);
    mp_session session;
    assert_int_equal(mp_meta_get_session(s->m, "s1", s->arena, &session, &why), MP_NOT_FOUND);
    assert_ok(mp_meta_list_users(s->m, &q, s->arena, &list, &n, &why));
    assert_int_equal(n, 1);
    assert_int_equal(mp_meta_find_user(s->m, "bob", s->arena, &found, &why), MP_NOT_FOUND);
    assert_int_equal(mp_meta_change_user(s->m, bob, &open, NULL, &why), MP_NOT_FOUND);
    assert_int_equal(mp_meta_delete_user(s->m, bob, 8, NULL, &why), MP_NOT_FOUND);
    assert_int_equal(mp_meta_set_password(s->m, bob, "y", "", NULL, &why), MP_NOT_FOUND);
    assert_int_not_equal(add_user(s, "bob", "user"), bob); /* the name is free */
}

/* ---- invitations ---- */

static mp_err join(mp_meta *m, const char *name, uint8_t first, int64_t now)
{
    mp_why why;
    uint8_t token[32] = {first};
    mp_user u = {.username = name,
                 .email = "",
                 .password = "x",
                 .role = "operator",
                 .active = true,
                 .created_ms = now};
    int64_t id;
    mp_audit note = note_of("user.register");
    return mp_meta_add_invited_user(m, &u, token, &note, &id, &why);
}

static void an_invitation_makes_one_account(void **state)
{
    store *s = *state;
    mp_why why;
    mp_user found;
    mp_invite *list, one;
    size_t n;
    uint8_t token[32] = {1};
    int64_t ada = add_user(s, "ada", "admin"), id = add_invite(s, ada, 1, 100);
    assert_ok(mp_meta_find_invite(s->m, token, 99, s->arena, &one, &why));
    assert_int_equal(one.id, id);
    assert_int_equal(mp_meta_find_invite(s->m, token, 100, s->arena, &one, &why), MP_NOT_FOUND);
    assert_int_equal(join(s->m, "bob", 1, 100), MP_NOT_FOUND); /* over */
    assert_int_equal(join(s->m, "bob", 9, 50), MP_NOT_FOUND);
    assert_int_equal(join(s->m, "ada", 1, 50), MP_EXISTS); /* and it is not used up */
    assert_int_equal(mp_meta_find_user(s->m, "bob", s->arena, &found, &why), MP_NOT_FOUND);
    assert_ok(join(s->m, "bob", 1, 50));
    assert_int_equal(join(s->m, "carl", 1, 51), MP_NOT_FOUND);
    assert_int_equal(mp_meta_find_user(s->m, "carl", s->arena, &found, &why), MP_NOT_FOUND);
    assert_int_equal(notes(s, "user.register"), 1);
    assert_ok(mp_meta_list_invites(s->m, s->arena, &list, &n, &why));
    assert_int_equal(n, 1);
    assert_int_equal(list[0].used_ms, 50);
    assert_true(list[0].used_by > ada);
    assert_ok(mp_meta_remove_invite(s->m, id, NULL, &why));
    assert_int_equal(mp_meta_remove_invite(s->m, id, NULL, &why), MP_NOT_FOUND);
}

static void invitations_have_a_cap_and_are_forgotten(void **state)
{
    store *s = *state;
    mp_why why;
    mp_invite *list, in = {.role = "user", .email = "", .created_ms = 10, .expires_ms = 20};
    size_t n;
    int64_t id;
    in.created_by = add_user(s, "ada", "admin");
    for (uint32_t i = 0; i <= MP_INVITES; i++) {
        uint8_t token[32] = {(uint8_t)i, (uint8_t)(i >> 8)};
        mp_err err = mp_meta_add_invite(s->m, &in, token, NULL, &id, &why);
        assert_int_equal(err, i < MP_INVITES ? MP_OK : MP_EXISTS);
    }
    uint8_t token[32] = {7, 7, 7};
    in.created_ms = 20; /* the others are over */
    in.expires_ms = 30;
    assert_ok(mp_meta_add_invite(s->m, &in, token, NULL, &id, &why));
    assert_ok(mp_meta_list_invites(s->m, s->arena, &list, &n, &why));
    assert_int_equal(n, MP_INVITES); /* of one more: the newest */
    assert_int_equal(list[0].id, id);
    token[3] = 7;
    in.created_ms = 31LL * 24 * 3600 * 1000;
    in.expires_ms = in.created_ms + 1;
    assert_ok(mp_meta_add_invite(s->m, &in, token, NULL, &id, &why));
    assert_ok(mp_meta_list_invites(s->m, s->arena, &list, &n, &why));
    assert_int_equal(n, 1);
}

typedef struct guest {
    mp_meta *m; /* a process of its own, as far as the store can tell */
    char name[8];
    mp_err err;
} guest;

static void *come(void *context)
{
    guest *g = context;
    g->err = join(g->m, g->name, 1, 50);
    return NULL;
}

static void of_many_with_one_invitation_one_comes_in(void **state)
{
    store *s = *state;
    mp_why why;
    guest guests[4];
    pthread_t threads[4];
    int in = 0;
    add_invite(s, add_user(s, "ada", "admin"), 1, 100);
    for (size_t i = 0; i < 4; i++) {
        guests[i] = (guest){.m = s->m};
        snprintf(guests[i].name, sizeof guests[i].name, "guest%zu", i);
        if (i % 2)
            assert_ok(open_store(s, &guests[i].m, &why));
    }
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, come, &guests[i]), 0);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        in += guests[i].err == MP_OK;
        assert_true(guests[i].err == MP_OK || guests[i].err == MP_NOT_FOUND);
        if (i % 2)
            mp_meta_close(guests[i].m);
    }
    assert_int_equal(in, 1);
}

/* ---- sessions and passwords ---- */

static void a_refresh_token_is_good_once(void **state)
{
    store *s = *state;
    mp_why why;
    uint8_t first[32] = {1}, second[32] = {2}, third[32] = {3}, wrong[32] = {4};
    mp_session got;
    int64_t ada = add_user(s, "ada", "user");
    add_session(s, ada, "s1", 1);
    assert_int_equal(mp_meta_rotate_session(s->m, wrong, second, 50, 200, s->arena, &got, &why),
                     MP_NOT_FOUND);
    assert_int_equal(mp_meta_rotate_session(s->m, first, second, 100, 200, s->arena, &got, &why),
                     MP_NOT_FOUND); /* it ended at 100 */
    assert_ok(mp_meta_rotate_session(s->m, first, second, 50, 200, s->arena, &got, &why));
    assert_string_equal(got.id, "s1");
    assert_ok(mp_meta_rotate_session(s->m, second, third, 150, 300, s->arena, &got, &why));
    assert_int_equal(got.user_id, ada);
    assert_int_equal(mp_meta_rotate_session(s->m, second, first, 160, 300, s->arena, &got, &why),
                     MP_EXISTS); /* shown again: revoked */
    assert_int_equal(mp_meta_rotate_session(s->m, third, first, 160, 300, s->arena, &got, &why),
                     MP_NOT_FOUND);
    assert_ok(mp_meta_get_session(s->m, "s1", s->arena, &got, &why));
    assert_true(got.revoked);
    assert_ok(mp_meta_revoke_session(s->m, "unknown", NULL, &why));
    assert_int_equal(mp_meta_get_session(s->m, "unknown", s->arena, &got, &why), MP_NOT_FOUND);
}

static void a_session_needs_what_the_user_showed(void **state)
{
    store *s = *state;
    mp_why why;
    uint8_t token[32] = {1};
    add_user(s, "ada", "admin");
    int64_t bob = add_user(s, "bob", "user");
    mp_session row = {
        .id = "s1", .user_id = bob, .created_ms = 1, .expires_ms = 9, .agent = "", .address = ""};
    mp_audit note = note_of("session.login");
    /* While it was compared, the password was changed, or the account closed. */
    assert_int_equal(mp_meta_add_session(s->m, &row, "old", token, &note, &why), MP_NOT_FOUND);
    mp_user_change close = {.active = 0};
    assert_ok(mp_meta_change_user(s->m, bob, &close, NULL, &why));
    assert_int_equal(mp_meta_add_session(s->m, &row, "x", token, &note, &why), MP_NOT_FOUND);
    assert_int_equal(notes(s, "session."), 0);
    mp_user_change open = {.active = 1};
    assert_ok(mp_meta_change_user(s->m, bob, &open, NULL, &why));
    assert_ok(mp_meta_add_session(s->m, &row, "x", token, &note, &why));
    assert_int_equal(notes(s, "session."), 1);
    row.id = "s2";
    row.created_ms = 9; /* the first is over, and forgotten */
    row.expires_ms = 20;
    token[0] = 2;
    assert_ok(mp_meta_add_session(s->m, &row, "x", token, NULL, &why));
    mp_session got;
    assert_int_equal(mp_meta_get_session(s->m, "s1", s->arena, &got, &why), MP_NOT_FOUND);
}

static void a_new_password_ends_the_other_sessions(void **state)
{
    store *s = *state;
    mp_why why;
    mp_session *list;
    size_t n;
    int64_t ada = add_user(s, "ada", "user");
    add_session(s, ada, "a", 1);
    add_session(s, ada, "b", 2);
    add_session(s, ada, "c", 3);
    assert_int_equal(open_sessions(s, ada), 3);
    assert_ok(mp_meta_set_password(s->m, ada, "y", "c", NULL, &why));
    assert_ok(mp_meta_list_sessions(s->m, ada, 50, s->arena, &list, &n, &why));
    assert_int_equal(n, 1);
    assert_string_equal(list[0].id, "c");
    assert_string_equal(user_of(s, ada).password, "y");
    assert_int_equal(mp_meta_set_password(s->m, 99, "y", "", NULL, &why), MP_NOT_FOUND);
}

static void a_token_from_a_mail_is_good_once(void **state)
{
    store *s = *state;
    mp_why why;
    mp_user who;
    uint8_t first[32] = {1}, second[32] = {2};
    mp_audit note = note_of("password.reset");
    int64_t ada = add_user(s, "ada", "user");
    add_session(s, ada, "a", 1);
    assert_ok(mp_meta_add_reset(s->m, ada, first, 100, NULL, &why));
    assert_ok(mp_meta_add_reset(s->m, ada, second, 100, NULL, &why));
    assert_int_equal(mp_meta_use_reset(s->m, first, 50, "y", &note, &why), MP_NOT_FOUND);
    assert_int_equal(mp_meta_use_reset(s->m, second, 100, "y", &note, &why), MP_NOT_FOUND);
    assert_int_equal(open_sessions(s, ada), 1);
    assert_ok(mp_meta_find_reset(s->m, second, 50, s->arena, &who, &why));
    assert_int_equal(who.id, ada);
    assert_ok(mp_meta_use_reset(s->m, second, 50, "y", &note, &why));
    assert_string_equal(user_of(s, ada).password, "y");
    assert_int_equal(open_sessions(s, ada), 0);
    assert_int_equal(notes(s, "password.reset"), 1);
    assert_int_equal(mp_meta_use_reset(s->m, second, 50, "z", &note, &why), MP_NOT_FOUND);
    assert_int_equal(mp_meta_find_reset(s->m, second, 50, s->arena, &who, &why), MP_NOT_FOUND);
    /* Whoever remembers the old password meanwhile makes the mail worthless. */
    assert_ok(mp_meta_add_reset(s->m, ada, first, 100, NULL, &why));
    assert_ok(mp_meta_set_password(s->m, ada, "z", "", NULL, &why));
    assert_int_equal(mp_meta_use_reset(s->m, first, 50, "y", &note, &why), MP_NOT_FOUND);
    /* And so does another address: the mail lies in the old mailbox. */
    mp_user_change mail = {.email = "new@example.org", .active = -1};
    assert_ok(mp_meta_add_reset(s->m, ada, first, 100, NULL, &why));
    assert_ok(mp_meta_change_user(s->m, ada, &mail, NULL, &why));
    assert_int_equal(mp_meta_use_reset(s->m, first, 50, "y", &note, &why), MP_NOT_FOUND);
    assert_ok(mp_meta_add_reset(s->m, ada, first, 100, NULL, &why));
    assert_ok(mp_meta_change_user(s->m, ada, &mail, NULL, &why)); /* the same again */
    assert_ok(mp_meta_use_reset(s->m, first, 50, "y", &note, &why));
}

/* ---- keys ---- */

static void keys_belong_to_a_user(void **state)
{
    store *s = *state;
    mp_why why;
    mp_api_key k;
    uint8_t secret[32];
    int64_t ada = add_user(s, "ada", "admin"), bob = add_user(s, "bob", "user");
    int64_t id = add_key(s, bob, 5);
    assert_ok(mp_meta_get_api_key(s->m, id, s->arena, &k, secret, &why));
    assert_int_equal(secret[0], 5);
    assert_int_equal(k.user_id, bob);
    assert_int_equal(mp_meta_remove_api_key(s->m, id, ada, NULL, &why), MP_NOT_FOUND);
    const int64_t minute = 60 * 1000, now = 1000 * minute;
    static const struct {
        int64_t after, want;
    } uses[] = {{0, 0}, {1, 0}, {60 * 1000 - 1, 0}, {60 * 1000, 60 * 1000}};
    for (size_t i = 0; i < MP_COUNT(uses); i++) {
        assert_ok(mp_meta_touch_api_key(s->m, id, now + uses[i].after, &why));
        assert_ok(mp_meta_get_api_key(s->m, id, s->arena, &k, secret, &why));
        assert_int_equal(k.used_ms, now + uses[i].want);
    }
    assert_ok(mp_meta_remove_api_key(s->m, id, bob, NULL, &why));
    assert_int_equal(mp_meta_get_api_key(s->m, id, s->arena, &k, secret, &why), MP_NOT_FOUND);
    for (int i = 0; i < MP_API_KEYS; i++)
        assert_true(add_key(s, bob, 1) > id); /* an id is never used again */
    k = (mp_api_key){.user_id = bob, .name = "k", .scopes = "*"};
    assert_int_equal(mp_meta_add_api_key(s->m, &k, secret, NULL, &id, &why), MP_EXISTS);
    mp_user_change close = {.active = 0};
    assert_ok(mp_meta_change_user(s->m, bob, &close, NULL, &why));
    assert_int_equal(mp_meta_add_api_key(s->m, &k, secret, NULL, &id, &why), MP_NOT_FOUND);
}

static void signing_keys_are_rotated(void **state)
{
    store *s = *state;
    mp_why why;
    mp_signing_key got, key = {.kid = "one", .key = {1}, .created_ms = 10};
    char value[8];
    assert_int_equal(mp_meta_get_signing_key(s->m, NULL, &got, &why), MP_NOT_FOUND);
    assert_ok(mp_meta_set_setting(s->m, "auth_key", "00", &why));
    assert_ok(mp_meta_init_signing_key(s->m, &key, "auth_key", &why));
    assert_int_equal(mp_meta_get_setting(s->m, "auth_key", value, sizeof value, &why),
                     MP_NOT_FOUND);
    mp_signing_key late = {.kid = "late", .key = {9}, .created_ms = 11};
    assert_ok(mp_meta_init_signing_key(s->m, &late, "auth_key", &why)); /* was not the first */
    assert_ok(mp_meta_get_signing_key(s->m, NULL, &got, &why));
    assert_string_equal(got.kid, "one");
    for (int i = 2; i <= 3; i++) {
        snprintf(key.kid, sizeof key.kid, "key%d", i);
        key.created_ms = i * 100;
        assert_ok(mp_meta_rotate_signing_key(s->m, &key, i * 100 - 50, NULL, &why));
    }
    assert_ok(mp_meta_get_signing_key(s->m, NULL, &got, &why));
    assert_string_equal(got.kid, "key3");
    assert_int_equal(got.retired_ms, 0);
    assert_ok(mp_meta_get_signing_key(s->m, "key2", &got, &why));
    assert_int_equal(got.retired_ms, 300);
    assert_int_equal(mp_meta_get_signing_key(s->m, "one", &got, &why), MP_NOT_FOUND); /* at 200 */
}

/* ---- the log ---- */

static void the_audit_log_comes_in_pages(void **state)
{
    store *s = *state;
    mp_why why;
    mp_audit *list, a = note_of("x.do");
    mp_audit_query q = {.limit = 3};
    size_t n;
    for (int i = 0; i < 5; i++) {
        a.user_id = i;
        a.target_id = 10 + i;
        assert_ok(mp_meta_add_audit(s->m, &a, &why));
    }
    assert_ok(mp_meta_list_audit(s->m, &q, s->arena, &list, &n, &why));
    assert_int_equal(n, 3);
    assert_int_equal(list[0].user_id, 4);
    assert_int_equal(list[0].target_id, 14);
    assert_string_equal(list[0].request_id, "r");
    q.before = list[2].id;
    assert_ok(mp_meta_list_audit(s->m, &q, s->arena, &list, &n, &why));
    assert_int_equal(n, 2);
    assert_int_equal(list[1].user_id, 0);
}

static void the_audit_log_is_filtered(void **state)
{
    store *s = *state;
    mp_why why;
    mp_audit *list;
    size_t n;
    static const char *const actions[] = {"user.change", "user.delete", "session.login", "user_x"};
    int64_t before = mp_now_ms();
    for (size_t i = 0; i < MP_COUNT(actions); i++) {
        mp_audit a = note_of(actions[i]);
        a.user_id = (int64_t)i % 2 + 1;
        assert_ok(mp_meta_add_audit(s->m, &a, &why));
    }
    int64_t after = mp_now_ms() + 1;
    const struct {
        mp_audit_query q;
        size_t n;
    } cases[] = {
        {{.limit = 9, .action = "user."}, 2},
        {{.limit = 9, .action = "user"}, 3},
        {{.limit = 9, .action = "%"}, 0},
        {{.limit = 9, .user_id = 2}, 2},
        {{.limit = 9, .user_id = 2, .action = "user."}, 1},
        {{.limit = 9, .user_id = 3}, 0},
        {{.limit = 9, .from_ms = before, .to_ms = after}, 4},
        {{.limit = 9, .from_ms = after}, 0},
        {{.limit = 9, .to_ms = before}, 0},
    };
    for (size_t i = 0; i < MP_COUNT(cases); i++) {
        assert_ok(mp_meta_list_audit(s->m, &cases[i].q, s->arena, &list, &n, &why));
        if (n != cases[i].n)
            fail_msg("case %zu: %zu rows", i, n);
    }
}

/* ---- SIGKILL ---- */

/* A child registers with invitations until it is killed: an account is there exactly when its
 * invitation is used, and its row in the log. */
static void an_account_its_invitation_and_its_note_are_one(void **state)
{
    store *s = *state;
    mp_why why;
    mp_rng rng = {7};
    int64_t ada = add_user(s, "ada", "admin");
    for (uint32_t i = 0; i < 200; i++)
        add_invite(s, ada, (uint8_t)i, 100);
    mp_meta_close(s->m);
    s->m = NULL;
    for (int round = 0; round < 6; round++) {
        pid_t pid = fork();
        if (pid == 0) {
            if (open_store(s, &s->m, &why))
                _exit(1);
            for (uint32_t i = (uint32_t)round * 33; i < 200; i++) {
                char name[16];
                snprintf(name, sizeof name, "r%d-%u", round, i);
                if (join(s->m, name, (uint8_t)i, 50) == MP_IO)
                    _exit(1);
            }
            _exit(0);
        }
        usleep(10000 + (useconds_t)(mp_rng_unit(&rng) * 40000));
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    assert_ok(open_store(s, &s->m, &why));
    mp_invite *list;
    size_t n, used = 0;
    uint64_t users;
    assert_ok(mp_meta_list_invites(s->m, s->arena, &list, &n, &why));
    for (size_t i = 0; i < n; i++)
        used += list[i].used_ms != 0;
    assert_ok(mp_meta_count_users(s->m, &users, &why));
    assert_true(used > 0);
    assert_int_equal(users, used + 1);
    assert_int_equal(notes(s, "user.register"), used);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(an_account_its_invitation_and_its_note_are_one),
        EACH(users_are_told_apart_without_case),
        EACH(users_come_in_pages_and_by_filters),
        EACH(another_role_ends_what_the_user_came_in_with),
        EACH(the_last_admin_stays),
        EACH(an_address_belongs_to_one),
        EACH(a_deleted_user_leaves_an_id_alone),
        EACH(an_invitation_makes_one_account),
        EACH(invitations_have_a_cap_and_are_forgotten),
        EACH(of_many_with_one_invitation_one_comes_in),
        EACH(a_refresh_token_is_good_once),
        EACH(a_session_needs_what_the_user_showed),
        EACH(a_new_password_ends_the_other_sessions),
        EACH(a_token_from_a_mail_is_good_once),
        EACH(keys_belong_to_a_user),
        EACH(signing_keys_are_rotated),
        EACH(the_audit_log_comes_in_pages),
        EACH(the_audit_log_is_filtered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
