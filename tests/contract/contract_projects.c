/* What every metadata store promises of projects, members and reach (projects.h), and that a
 * library from before there were accounts' projects is taken over. */
#include "../unit/test.h"
#include "base/os.h"
#include "meta/accounts.h"
#include "meta/migrations.h"
#include "meta/products.h"
#include "meta/projects.h"
#include "meta/uploads.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct store {
    char dir[64], url[128];
    mp_meta *m;
    mp_arena *arena;
    int64_t ada, bob; /* users */
} store;

static int64_t add_user(store *s, const char *name)
{
    mp_why why;
    int64_t id;
    mp_user u = {.username = name, .email = "", .password = "x", .role = "user", .active = true};
    assert_ok(mp_meta_add_user(s->m, &u, NULL, &id, &why));
    return id;
}

static mp_err open_store(store *s, mp_why *why)
{
    mp_meta_options opt = {.create = true, .busy_ms = 5000};
    return mp_meta_open(&s->m, s->url, &opt, why);
}

static int make_dir(void **state)
{
    store *s = mp_xcalloc(1, sizeof *s);
    *state = s;
    s->arena = mp_arena_new(0);
    snprintf(s->dir, sizeof s->dir, "/tmp/magpie-projects-XXXXXX");
    if (!mkdtemp(s->dir))
        return -1;
    snprintf(s->url, sizeof s->url, "sqlite:%s/magpie.db", s->dir);
    return 0;
}

static int set_up(void **state)
{
    mp_why why;
    if (make_dir(state))
        return -1;
    store *s = *state;
    if (open_store(s, &why))
        return -1;
    s->ada = add_user(s, "ada");
    s->bob = add_user(s, "bob");
    return 0;
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

static mp_err add(store *s, int64_t owner, const char *name, int64_t *id, mp_why *why)
{
    mp_project p = {.owner_id = owner,
                    .name = name,
                    .description = "",
                    .config = "{}",
                    .status = "active",
                    .created_ms = 1000};
    return mp_meta_add_project(s->m, &p, id, why);
}

static int64_t must_add(store *s, int64_t owner, const char *name)
{
    mp_why why;
    int64_t id;
    assert_ok(add(s, owner, name, &id, &why));
    return id;
}

static int64_t add_item(store *s, int64_t project, int number)
{
    mp_why why;
    mp_put put = {.item = {.project_id = project,
                           .copied = true,
                           .path = "",
                           .name = "a.jpg",
                           .title = "",
                           .description = "",
                           .format = "jpeg",
                           .width = 1,
                           .height = 1,
                           .frames = 1,
                           .bytes = 1,
                           .sha256 = {(uint8_t)number}}};
    assert_ok(mp_meta_put_items(s->m, &put, 1, &why));
    return put.item.id;
}

/* ---- one project ---- */

static void what_is_added_is_there(void **state)
{
    store *s = *state;
    mp_why why;
    mp_project got, p = {.owner_id = s->ada,
                         .name = "Été ☀",
                         .description = "d",
                         .config = "{\"a\":[1,2]}",
                         .status = "active",
                         .created_ms = 1234};
    mp_project *listed;
    int64_t id;
    uint64_t assets;
    size_t n;
    assert_ok(mp_meta_add_project(s->m, &p, &id, &why));
    add_item(s, id, 1);
    assert_ok(mp_meta_get_project(s->m, id, s->ada, s->arena, &got, &why));
    assert_int_equal(got.id, id);
    assert_int_equal(got.owner_id, s->ada);
    assert_string_equal(got.name, p.name);
    assert_string_equal(got.description, "d");
    assert_string_equal(got.config, p.config);
    assert_string_equal(got.status, "active");
    assert_false(got.is_default);
    assert_int_equal(got.created_ms, 1234);
    assert_int_equal(got.updated_ms, 1234);
    assert_int_equal(got.assets, 0); /* not counted */
    assert_string_equal(got.role, "owner");
    assert_ok(mp_meta_count_assets(s->m, id, &assets, &why));
    assert_int_equal(assets, 1);
    assert_ok(mp_meta_count_assets(s->m, id + 1, &assets, &why));
    assert_int_equal(assets, 0);
    assert_ok(
        mp_meta_list_projects(s->m, s->ada, false, NULL, id - 1, 1, s->arena, &listed, &n, &why));
    assert_true(n == 1 && listed->id == id && listed->assets == 1);
    assert_ok(mp_meta_get_project(s->m, id, s->bob, s->arena, &got, &why));
    assert_string_equal(got.role, "");
    assert_int_equal(mp_meta_get_project(s->m, id + 1, s->ada, s->arena, &got, &why), MP_NOT_FOUND);
    assert_int_equal(got.id, 0);
}

static void names_are_unique_among_an_owners(void **state)
{
    store *s = *state;
    mp_why why;
    int64_t id, first = must_add(s, s->ada, "Birds");
    assert_int_equal(add(s, s->ada, "birds", &id, &why), MP_EXISTS);
    assert_int_equal(id, 0);
    assert_int_equal(add(s, s->ada, "BIRDS", &id, &why), MP_EXISTS);
    must_add(s, s->bob, "birds");
    must_add(s, 0, "nobody's");
    assert_int_equal(add(s, 0, "Nobody's", &id, &why), MP_EXISTS);
    int64_t second = must_add(s, s->ada, "fish");
    assert_int_equal(mp_meta_change_project(s->m, second, "bIRDS", NULL, NULL, NULL, 2000, &why),
                     MP_EXISTS);
    assert_ok(mp_meta_change_project(s->m, first, "BIRDS", NULL, NULL, NULL, 2000, &why));
}

static void changes_leave_what_is_not_named(void **state)
{
    store *s = *state;
    mp_why why;
    mp_project got;
    int64_t id = must_add(s, s->ada, "one");
    assert_ok(mp_meta_change_project(s->m, id, NULL, "words", "{\"b\":1}", NULL, 2000, &why));
    assert_ok(mp_meta_change_project(s->m, id, "two", NULL, NULL, "archived", 3000, &why));
    assert_ok(mp_meta_get_project(s->m, id, s->ada, s->arena, &got, &why));
    assert_string_equal(got.name, "two");
    assert_string_equal(got.description, "words");
    assert_string_equal(got.config, "{\"b\":1}");
    assert_string_equal(got.status, "archived");
    assert_int_equal(got.created_ms, 1000);
    assert_int_equal(got.updated_ms, 3000);
    assert_int_equal(mp_meta_change_project(s->m, id + 1, "x", NULL, NULL, NULL, 1, &why),
                     MP_NOT_FOUND);
}

/* ---- the end of one ---- */

static void what_holds_assets_stays(void **state)
{
    store *s = *state;
    mp_why why;
    mp_project got;
    int64_t id = must_add(s, s->ada, "full"), item = add_item(s, id, 1);
    assert_int_equal(mp_meta_remove_project(s->m, id, &why), MP_EXISTS);
    assert_non_null(strstr(why.text, "assets"));
    assert_ok(mp_meta_set_state(s->m, &item, 1, MP_TRASHED, &why));
    assert_int_equal(mp_meta_remove_project(s->m, id, &why), MP_EXISTS);
    assert_ok(mp_meta_remove(s->m, &item, 1, NULL, &why));
    assert_ok(mp_meta_remove_project(s->m, id, &why));
    assert_int_equal(mp_meta_get_project(s->m, id, s->ada, s->arena, &got, &why), MP_NOT_FOUND);
    assert_int_equal(mp_meta_remove_project(s->m, id, &why), MP_NOT_FOUND);
}

static void what_holds_products_stays(void **state)
{
    store *s = *state;
    mp_why why;
    int64_t id = must_add(s, s->ada, "shop");
    mp_product p = {.project_id = id, .external_id = "1", .title = "cup"};
    assert_ok(mp_meta_put_product(s->m, &p, MP_PRODUCT_EXTERNAL_ID | MP_PRODUCT_TITLE, &why));
    assert_int_equal(mp_meta_remove_project(s->m, id, &why), MP_EXISTS);
    assert_non_null(strstr(why.text, "products"));
    assert_ok(mp_meta_remove_products(s->m, &p.id, 1, NULL, &why));
    assert_ok(mp_meta_remove_project(s->m, id, &why));
}

/* Members go with it; uploads that wait are left to the sweep, which takes their bytes away. */
static void what_hangs_on_it_goes(void **state)
{
    store *s = *state;
    mp_why why;
    mp_reach *reach;
    const char **old;
    size_t n;
    int64_t id = must_add(s, s->ada, "empty");
    mp_upload u = {.id = "abc",
                   .user_id = s->ada,
                   .project_id = id,
                   .name = "n",
                   .type = "image/png",
                   .bytes = 1,
                   .expires_ms = INT64_MAX};
    assert_ok(mp_meta_add_upload(s->m, &u, &why));
    assert_ok(mp_meta_set_member(s->m, id, s->bob, "editor", &why));
    assert_ok(mp_meta_remove_project(s->m, id, &why));
    assert_ok(mp_meta_reach(s->m, s->bob, s->arena, &reach, &n, &why));
    assert_int_equal(n, 0);
    assert_ok(mp_meta_old_uploads(s->m, 1, 10, s->arena, &old, &n, &why));
    assert_int_equal(n, 1);
    assert_string_equal(old[0], "abc");
}

static void ids_are_not_used_again(void **state)
{
    store *s = *state;
    mp_why why;
    int64_t id = must_add(s, s->ada, "gone");
    assert_ok(mp_meta_remove_project(s->m, id, &why));
    assert_true(must_add(s, s->ada, "gone") > id);
}

/* ---- defaults ---- */

static void a_default_is_made_once_and_stays(void **state)
{
    store *s = *state;
    mp_why why;
    mp_project got;
    int64_t first, second;
    assert_ok(mp_meta_default_project(s->m, s->ada, 5, &first, &why));
    assert_ok(mp_meta_default_project(s->m, s->ada, 6, &second, &why));
    assert_int_equal(first, second);
    assert_ok(mp_meta_get_project(s->m, first, s->ada, s->arena, &got, &why));
    assert_true(got.is_default);
    assert_int_equal(got.created_ms, 5);
    assert_int_equal(mp_meta_remove_project(s->m, first, &why), MP_EXISTS);
    assert_int_equal(mp_meta_change_project(s->m, first, NULL, NULL, NULL, "archived", 7, &why),
                     MP_EXISTS);
    assert_ok(mp_meta_change_project(s->m, first, "mine", NULL, NULL, "active", 7, &why));
    assert_ok(mp_meta_default_project(s->m, s->bob, 5, &second, &why));
    assert_int_not_equal(first, second);
}

typedef struct racer {
    store *s;
    int64_t id;
    mp_err err;
} racer;

static void *ask_for_default(void *context)
{
    racer *r = context;
    mp_why why;
    r->err = mp_meta_default_project(r->s->m, r->s->ada, 5, &r->id, &why);
    return NULL;
}

static void a_default_is_made_once_by_many(void **state)
{
    store *s = *state;
    enum { MANY = 8 };
    racer r[MANY];
    pthread_t t[MANY];
    for (int i = 0; i < MANY; i++) {
        r[i] = (racer){.s = s};
        assert_int_equal(pthread_create(&t[i], NULL, ask_for_default, &r[i]), 0);
    }
    for (int i = 0; i < MANY; i++)
        pthread_join(t[i], NULL);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(r[i].err, MP_OK);
        assert_int_equal(r[i].id, r[0].id);
    }
}

static void what_is_nobodys_is_adopted_once(void **state)
{
    store *s = *state;
    mp_why why;
    int64_t id;
    assert_ok(mp_meta_adopt_project(s->m, 1, s->ada, &why));
    assert_int_equal(mp_meta_adopt_project(s->m, 1, s->bob, &why), MP_NOT_FOUND);
    assert_int_equal(mp_meta_adopt_project(s->m, 99, s->bob, &why), MP_NOT_FOUND);
    assert_ok(mp_meta_default_project(s->m, s->ada, 5, &id, &why));
    assert_int_equal(id, 1); /* it is a default, and hers now */
}

/* ---- lists ---- */

static void lists_hold_what_is_reached(void **state)
{
    store *s = *state;
    mp_why why;
    mp_project *list;
    size_t n;
    int64_t mine[3] = {must_add(s, s->ada, "a"), must_add(s, s->ada, "b"),
                       must_add(s, s->ada, "c")};
    int64_t his = must_add(s, s->bob, "his"), other = must_add(s, s->bob, "other");
    assert_ok(mp_meta_set_member(s->m, his, s->ada, "viewer", &why));
    assert_ok(mp_meta_change_project(s->m, mine[1], NULL, NULL, NULL, "archived", 1, &why));
    assert_ok(mp_meta_list_projects(s->m, s->ada, false, NULL, 0, 10, s->arena, &list, &n, &why));
    assert_int_equal(n, 4);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(list[i].id, mine[i]);
        assert_string_equal(list[i].role, "owner");
    }
    assert_int_equal(list[3].id, his);
    assert_string_equal(list[3].role, "viewer");
    assert_ok(
        mp_meta_list_projects(s->m, s->ada, false, NULL, mine[0], 2, s->arena, &list, &n, &why));
    assert_int_equal(n, 2);
    assert_int_equal(list[0].id, mine[1]);
    assert_ok(
        mp_meta_list_projects(s->m, s->ada, false, "archived", 0, 9, s->arena, &list, &n, &why));
    assert_int_equal(n, 1);
    assert_int_equal(list[0].id, mine[1]);
    assert_ok(
        mp_meta_list_projects(s->m, s->ada, true, "active", his, 9, s->arena, &list, &n, &why));
    assert_int_equal(n, 1);
    assert_int_equal(list[0].id, other);
    assert_ok(mp_meta_list_projects(s->m, s->ada, true, NULL, other, 9, s->arena, &list, &n, &why));
    assert_int_equal(n, 0);
}

/* ---- members and reach ---- */

static void members_come_change_and_go(void **state)
{
    store *s = *state;
    mp_why why;
    mp_project_member *list;
    mp_project got;
    size_t n;
    int64_t id = must_add(s, s->ada, "shared"), eve = add_user(s, "Eve");
    assert_ok(mp_meta_set_member(s->m, id, eve, "viewer", &why));
    assert_ok(mp_meta_set_member(s->m, id, s->bob, "viewer", &why));
    assert_ok(mp_meta_set_member(s->m, id, s->bob, "editor", &why));
    assert_ok(mp_meta_list_members(s->m, id, s->arena, &list, &n, &why));
    assert_int_equal(n, 2);
    assert_string_equal(list[0].username, "bob");
    assert_string_equal(list[0].role, "editor");
    assert_int_equal(list[1].user_id, eve);
    assert_string_equal(list[1].role, "viewer");
    assert_ok(mp_meta_get_project(s->m, id, s->bob, s->arena, &got, &why));
    assert_string_equal(got.role, "editor");
    assert_ok(mp_meta_set_member(s->m, id, s->bob, "", &why));
    assert_int_equal(mp_meta_set_member(s->m, id, s->bob, "", &why), MP_NOT_FOUND);
    assert_int_equal(mp_meta_set_member(s->m, id, 99, "viewer", &why), MP_NOT_FOUND);
    assert_int_equal(mp_meta_set_member(s->m, 99, s->bob, "viewer", &why), MP_NOT_FOUND);
    assert_int_not_equal(mp_meta_set_member(s->m, id, s->bob, "owner", &why), MP_OK);
    assert_ok(mp_meta_list_members(s->m, id, s->arena, &list, &n, &why));
    assert_int_equal(n, 1);
}

static void reach_is_what_is_owned_and_shared(void **state)
{
    store *s = *state;
    mp_why why;
    mp_reach *list;
    size_t n;
    int64_t a = must_add(s, s->ada, "a"), b = must_add(s, s->bob, "b"),
            c = must_add(s, s->bob, "c");
    must_add(s, s->bob, "d");
    must_add(s, 0, "nobody's");
    assert_ok(mp_meta_set_member(s->m, b, s->ada, "editor", &why));
    assert_ok(mp_meta_set_member(s->m, c, s->ada, "viewer", &why));
    assert_ok(mp_meta_set_member(s->m, a, s->ada, "viewer", &why)); /* her own: it stays hers */
    assert_ok(mp_meta_reach(s->m, s->ada, s->arena, &list, &n, &why));
    assert_int_equal(n, 3);
    const mp_reach want[] = {{a, true}, {b, true}, {c, false}};
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(list[i].project_id, want[i].project_id);
        assert_int_equal(list[i].write, want[i].write);
    }
    assert_ok(mp_meta_reach(s->m, 99, s->arena, &list, &n, &why));
    assert_int_equal(n, 0);
}

/* Two connections: what one wrote, the other sees. */
static void another_process_sees_it(void **state)
{
    store *s = *state;
    mp_why why;
    mp_meta *other;
    mp_project got;
    mp_meta_options opt = {.busy_ms = 5000};
    assert_ok(mp_meta_open(&other, s->url, &opt, &why));
    int64_t id = must_add(s, s->ada, "seen");
    assert_ok(mp_meta_get_project(other, id, s->ada, s->arena, &got, &why));
    assert_ok(mp_meta_change_project(other, id, "changed", NULL, NULL, NULL, 9, &why));
    assert_ok(mp_meta_get_project(s->m, id, s->ada, s->arena, &got, &why));
    assert_string_equal(got.name, "changed");
    mp_meta_close(other);
}

/* ---- a library of the first two migrations ---- */

static void execute(sqlite3 *db, const char *sql)
{
    char *what = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &what) != SQLITE_OK)
        fail_msg("%s", what);
}

static const char old_rows[] =
    "INSERT INTO project (name) VALUES ('second');"
    "INSERT INTO asset (project_id, name, title, description, state, added_ms) VALUES "
    "(1, 'one.jpg', 'One', 'first', 0, 111), (1, 'two.jpg', '', '', 2, 222), "
    "(2, 'three.jpg', '', '', 0, 333);"
    "INSERT INTO version (asset_id, sha256, path, copied, format, width, height, frames, bytes, "
    "mtime_ns, taken_ms, phash, sharpness, brightness, contrast, entropy, issues) "
    "SELECT a.id, CAST(printf('%032d', 2 * a.id + n) AS BLOB), '/p/' || a.name, 0, "
    "'jpeg', 10 * n, 5, 1, 100 * n, 0, 0, zeroblob(64), 1, 2, 3, 4, 0 "
    "FROM asset a, (SELECT 1 AS n UNION SELECT 2) ORDER BY a.id, n;"
    "UPDATE asset SET version_id = (SELECT max(id) FROM version WHERE asset_id = asset.id);"
    "INSERT INTO source (path, asset_id, bytes, mtime_ns, is_primary) "
    "SELECT '/p/' || name, id, 200, 0, 1 FROM asset;"
    "INSERT INTO tag (name) VALUES ('red'); INSERT INTO asset_tag VALUES (1, 1);"
    "INSERT INTO item_text (rowid, name, title, description, tags) "
    "SELECT id, name, title, description, '' FROM asset;"
    "INSERT INTO user (username, password, role, created_ms) VALUES ('old', 'x', 'admin', 1);"
    "PRAGMA application_id = 1298229104; PRAGMA user_version = 2;";

static void old_libraries_are_taken_over(void **state)
{
    store *s = *state;
    mp_why why;
    sqlite3 *db;
    mp_item item;
    mp_project got;
    uint64_t assets;
    int64_t counts[3];
    assert_int_equal(sqlite3_open(s->url + strlen("sqlite:"), &db), SQLITE_OK);
    execute(db, mp_migrations[0]);
    execute(db, mp_migrations[1]);
    execute(db, old_rows);
    sqlite3_close(db);
    assert_ok(open_store(s, &why));
    assert_ok(mp_meta_get_item(s->m, 1, s->arena, &item, &why));
    assert_int_equal(item.project_id, 1);
    assert_int_equal(item.user_id, 0);
    assert_string_equal(item.name, "one.jpg");
    assert_string_equal(item.title, "One");
    assert_int_equal(item.width, 20); /* the second version is the current one */
    assert_int_equal(item.n_tags, 1);
    assert_ok(mp_meta_get_item(s->m, 2, s->arena, &item, &why));
    assert_int_equal(item.state, MP_TRASHED);
    assert_ok(mp_meta_get_item(s->m, 3, s->arena, &item, &why));
    assert_int_equal(item.project_id, 2);
    assert_ok(mp_meta_get_project(s->m, 1, 1, s->arena, &got, &why));
    assert_string_equal(got.name, "default");
    assert_true(got.is_default);
    assert_int_equal(got.owner_id, 0);
    assert_ok(mp_meta_count_assets(s->m, 1, &assets, &why));
    assert_int_equal(assets, 1); /* the other is in the trash */
    assert_ok(mp_meta_get_project(s->m, 2, 1, s->arena, &got, &why));
    assert_string_equal(got.name, "second");
    assert_false(got.is_default);
    for (int i = 0; i < 3; i++) {
        mp_meta *again; /* it opens as often as one likes */
        assert_ok(mp_meta_open(&again, s->url, &(mp_meta_options){.busy_ms = 1000}, &why));
        mp_meta_close(again);
    }
    /* All versions are there, each with its asset's time and name, and no reference is broken. */
    static const char versions[] =
        "SELECT count(*) FROM version v JOIN asset a ON a.id = v.asset_id AND v.created_ms = "
        "a.added_ms AND v.name = a.name AND v.metadata = '{}' AND v.user_id IS NULL";
    static const char *const questions[] = {
        versions, "SELECT count(*) FROM pragma_foreign_key_check", "PRAGMA user_version"};
    assert_int_equal(sqlite3_open(s->url + strlen("sqlite:"), &db), SQLITE_OK);
    for (size_t i = 0; i < MP_COUNT(questions); i++) {
        sqlite3_stmt *q;
        assert_int_equal(sqlite3_prepare_v2(db, questions[i], -1, &q, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_step(q), SQLITE_ROW);
        counts[i] = sqlite3_column_int64(q, 0);
        sqlite3_finalize(q);
    }
    sqlite3_close(db);
    assert_int_equal(counts[0], 6);
    assert_int_equal(counts[1], 0);
    assert_true(counts[2] > 2);
}

/* What does not fit the newer tables is found before the commit: the old library stands. */
static void broken_libraries_stay_as_they_are(void **state)
{
    store *s = *state;
    mp_why why;
    sqlite3 *db;
    sqlite3_stmt *q;
    assert_int_equal(sqlite3_open(s->url + strlen("sqlite:"), &db), SQLITE_OK);
    execute(db, mp_migrations[0]);
    execute(db, mp_migrations[1]);
    execute(db, old_rows);
    execute(db, "PRAGMA foreign_keys = OFF; UPDATE asset SET project_id = 77 WHERE id = 3");
    sqlite3_close(db);
    assert_int_equal(open_store(s, &why), MP_CORRUPT);
    assert_null(s->m);
    assert_int_equal(sqlite3_open(s->url + strlen("sqlite:"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(q, 0), 2);
    sqlite3_finalize(q);
    sqlite3_close(db);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_added_is_there),
        TEST(names_are_unique_among_an_owners),
        TEST(changes_leave_what_is_not_named),
        TEST(what_holds_assets_stays),
        TEST(what_holds_products_stays),
        TEST(what_hangs_on_it_goes),
        TEST(ids_are_not_used_again),
        TEST(a_default_is_made_once_and_stays),
        TEST(a_default_is_made_once_by_many),
        TEST(what_is_nobodys_is_adopted_once),
        TEST(lists_hold_what_is_reached),
        TEST(members_come_change_and_go),
        TEST(reach_is_what_is_owned_and_shared),
        TEST(another_process_sees_it),
        cmocka_unit_test_setup_teardown(old_libraries_are_taken_over, make_dir, tear_down),
        cmocka_unit_test_setup_teardown(broken_libraries_stay_as_they_are, make_dir, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
