/* What every metadata store promises (meta.h), on a store made by open_store. */
#include "../unit/test.h"
#include "base/os.h"
#include "meta/meta.h"

#include <fcntl.h>
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

static mp_err open_store(store *s, mp_why *why)
{
    mp_meta_options opt = {.create = true, .busy_ms = 5000};
    return mp_meta_open(&s->m, s->url, &opt, why);
}

static int set_up(void **state)
{
    mp_why why;
    store *s = mp_xcalloc(1, sizeof *s);
    snprintf(s->dir, sizeof s->dir, "/tmp/magpie-meta-XXXXXX");
    if (!mkdtemp(s->dir))
        return -1;
    snprintf(s->url, sizeof s->url, "sqlite:%s/magpie.db", s->dir);
    s->arena = mp_arena_new(0);
    *state = s;
    return open_store(s, &why) ? -1 : 0;
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

static mp_item sample(const char *path, int number)
{
    mp_item item = {.path = path,
                    .name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path,
                    .title = "",
                    .description = "",
                    .format = "jpeg",
                    .width = 100 + number,
                    .height = 50,
                    .frames = 1,
                    .bytes = 1000 + number,
                    .mtime_ns = 1714521600000000000 + number, /* 2024-05-01 */
                    .added_ms = mp_now_ms()};
    item.sha256[0] = (uint8_t)number;
    item.sha256[1] = (uint8_t)(number >> 8);
    for (int i = 0; i < 8; i++)
        item.phash[i] = 0xF000000000000000u + (uint64_t)(number * 8 + i);
    return item;
}

static int64_t put(store *s, const char *path, int number, const float *vector)
{
    mp_why why;
    mp_vector v = {"lite", "hash", "look", 4, vector};
    mp_put p = {.item = sample(path, number), .vectors = &v, .n_vectors = vector ? 1 : 0};
    assert_ok(mp_meta_put_items(s->m, &p, 1, &why));
    assert_true(p.item.id > 0);
    return p.item.id;
}

static void an_item_comes_back_whole(void **state)
{
    store *s = *state;
    mp_why why;
    mp_item got, want = sample("/p/a.jpg", 7);
    int64_t id = put(s, "/p/a.jpg", 7, NULL), found;
    assert_ok(mp_meta_get_item(s->m, id, s->arena, &got, &why));
    assert_string_equal(got.path, "/p/a.jpg");
    assert_string_equal(got.name, "a.jpg");
    assert_int_equal(got.width, 107);
    assert_memory_equal(got.sha256, want.sha256, 32);
    assert_memory_equal(got.phash, want.phash, sizeof got.phash);
    assert_ok(mp_meta_find_sha256(s->m, 1, want.sha256, &found, &why));
    assert_int_equal(found, id);
    want.sha256[5] = 9;
    assert_ok(mp_meta_find_sha256(s->m, 1, want.sha256, &found, &why));
    assert_int_equal(found, 0);
    assert_int_equal(mp_meta_get_item(s->m, 99, s->arena, &got, &why), MP_NOT_FOUND);
    assert_ok(mp_meta_get_item_project(s->m, id, &found, &why));
    assert_int_equal(found, 1);
    assert_int_equal(mp_meta_get_item_project(s->m, 99, &found, &why), MP_NOT_FOUND);
    assert_int_equal(found, 0);
}

static void a_batch_is_all_or_nothing(void **state)
{
    store *s = *state;
    mp_why why;
    size_t n;
    int64_t *ids;
    put(s, "/p/a.jpg", 1, NULL);
    mp_put two[2] = {{.item = sample("/p/b.jpg", 2)}, {.item = sample("/p/a.jpg", 3)}};
    assert_int_equal(mp_meta_put_items(s->m, two, 2, &why), MP_EXISTS);
    assert_ok(mp_meta_ids(s->m, NULL, &ids, &n, &why));
    assert_int_equal(n, 1);
    free(ids);
    put(s, "/p/c.jpg", 4, NULL); /* usable after a failure */
}

static void ids_are_never_used_again(void **state)
{
    store *s = *state;
    mp_why why;
    int64_t id = put(s, "/p/a.jpg", 1, NULL);
    size_t removed;
    assert_ok(mp_meta_remove(s->m, &id, 1, &removed, &why));
    assert_int_equal(removed, 1);
    assert_ok(mp_meta_remove(s->m, &id, 1, &removed, &why));
    assert_int_equal(removed, 0);
    assert_true(put(s, "/p/a.jpg", 1, NULL) > id);
}

static size_t count_where(store *s, const char *where)
{
    mp_why why;
    const mp_filter *filter;
    int64_t *ids;
    size_t n;
    assert_ok(mp_filter_parse(where, s->arena, &filter, &why));
    assert_ok(mp_meta_ids(s->m, filter, &ids, &n, &why));
    free(ids);
    return n;
}

static void filters_choose(void **state)
{
    store *s = *state;
    mp_why why;
    int64_t a = put(s, "/pics/2024/rome/a.jpg", 1, NULL);
    int64_t b = put(s, "/pics/2024/romeo/b.jpg", 2, NULL);
    int64_t c = put(s, "/pics/c.jpg", 3, NULL);
    const char *tags[] = {"Holiday", "two words"};
    assert_ok(mp_meta_tag(s->m, (int64_t[]){a, c}, 2, tags, 2, NULL, 0, &why));
    static const struct {
        const char *where;
        size_t n;
    } rows[] = {
        {"", 3},
        {"tag:holiday", 2},
        {"-tag:holiday", 1},
        {"NOT tag:holiday", 1},
        {"tag:\"two words\" width>101", 1},
        {"folder:rome", 1},
        {"folder:2024/rome", 1},
        {"folder:pics", 3},
        {"folder:/pics", 3},
        {"folder:/pics/2024/", 2},
        {"folder:/pics/2024/rome", 1},
        {"folder:/2024", 0},
        {"folder:/", 0},
        {"-folder:/pics/2024", 1},
        {"name:*.JPG", 3},
        {"name:b*", 1},
        {"size>=1002 AND size<1kb", 2},
        {"date:2024", 3},
        {"date:2024-05-01", 3},
        {"date<2024-05", 0},
        {"date>=2024-05 date<=2024-05-01", 3},
        {"date>2024", 0},
        {"width=101 OR width=103", 2},
        {"(width=101 OR width=103) tag:holiday -folder:rome", 1},
        {"state:missing", 0},
        {"format:jpeg", 3},
        {"tag:\"' OR 1=1 --\"", 0},
    };
    for (size_t i = 0; i < MP_COUNT(rows); i++)
        if (count_where(s, rows[i].where) != rows[i].n)
            fail_msg("%s: %zu, not %zu", rows[i].where, count_where(s, rows[i].where), rows[i].n);
    assert_ok(mp_meta_set_state(s->m, &b, 1, MP_TRASHED, &why));
    assert_int_equal(count_where(s, ""), 2);
    assert_int_equal(count_where(s, "state:trashed"), 1);
    tags[0] = "HOLIDAY";
    assert_ok(mp_meta_tag(s->m, &a, 1, NULL, 0, tags, 1, &why));
    assert_int_equal(count_where(s, "tag:holiday"), 1);
}

static void bad_filters_say_where(void **state)
{
    store *s = *state;
    static const char *const bad[] = {"(",
                                      "((",
                                      "(-",
                                      "NOT",
                                      "sise>3",
                                      "size>",
                                      "size>3xb",
                                      "date:2024-13",
                                      "tag",
                                      "(tag:a",
                                      "tag:a)",
                                      "tag>a",
                                      "issue:odd",
                                      "state:asleep",
                                      "tag:\"a",
                                      "AND tag:a",
                                      "width:abc",
                                      "tag:a OR",
                                      "size>666666666666660Mb"};
    for (size_t i = 0; i < MP_COUNT(bad); i++) {
        const mp_filter *filter;
        mp_why why = {0};
        if (mp_filter_parse(bad[i], s->arena, &filter, &why) != MP_INVALID)
            fail_msg("%s was accepted", bad[i]);
        assert_true(why.text[0] != '\0');
    }
    char deep[1000];
    memset(deep, '(', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    const mp_filter *filter;
    assert_int_equal(mp_filter_parse(deep, s->arena, &filter, NULL), MP_INVALID);
}

static void words_find_items(void **state)
{
    store *s = *state;
    mp_why why;
    mp_text_hit *hits;
    size_t n;
    int64_t a = put(s, "/p/IMG_redShoes-2041.jpg", 1, NULL);
    int64_t b = put(s, "/p/other.jpg", 2, NULL);
    assert_ok(mp_meta_search_text(s->m, "shoe", NULL, 10, &hits, &n, &why));
    assert_int_equal(n, 1); /* split at the capital, stemmed */
    assert_int_equal(hits[0].id, a);
    free(hits);
    assert_ok(mp_meta_describe(s->m, b, "Crème brûlée", "a dessert", &why));
    assert_ok(mp_meta_search_text(s->m, "creme desserts", NULL, 10, &hits, &n, &why));
    assert_int_equal(n, 1);
    assert_int_equal(hits[0].id, b);
    assert_true(hits[0].score > 0);
    free(hits);
    static const char *const odd[] = {"\"", "a AND", "NEAR(", "*", "col:x", "", "-- ;", "'"};
    for (size_t i = 0; i < MP_COUNT(odd); i++) {
        assert_ok(mp_meta_search_text(s->m, odd[i], NULL, 10, &hits, &n, &why));
        free(hits);
    }
    assert_ok(mp_meta_remove(s->m, &a, 1, NULL, &why));
    assert_ok(mp_meta_search_text(s->m, "shoe", NULL, 10, &hits, &n, &why));
    assert_int_equal(n, 0);
    free(hits);
}

static bool count_vector(void *context, int64_t id, int64_t seq, const float *data)
{
    (void)id, (void)seq, (void)data;
    ++*(size_t *)context;
    return false;
}

static size_t stored(store *s, int64_t after)
{
    mp_why why;
    size_t n = 0;
    mp_vector_key key = {"lite", "hash", "look", 4};
    assert_ok(mp_meta_each_vector(s->m, &key, after, count_vector, &n, &why));
    return n;
}

static void vectors_are_the_truth(void **state)
{
    store *s = *state;
    mp_why why;
    float v[4] = {1, 2, 3, 4}, out[8];
    mp_vector_key key = {"lite", "hash", "look", 4}, other = {"lite", "other", "look", 4};
    int64_t a = put(s, "/p/a.jpg", 1, v), b = put(s, "/p/b.jpg", 2, NULL), *ids;
    size_t n;
    mp_generation g1, g2;
    assert_ok(mp_meta_generation(s->m, &g1, &why));
    assert_int_equal(stored(s, 0), 1);
    assert_int_equal(stored(s, g1.last_seq), 0);
    assert_ok(mp_meta_lacking(s->m, &key, &ids, &n, &why));
    assert_int_equal(n, 1);
    assert_int_equal(ids[0], b);
    free(ids);
    assert_ok(mp_meta_lacking(s->m, &other, &ids, &n, &why)); /* other weights: never mixed */
    assert_int_equal(n, 2);
    free(ids);
    mp_vector row = {"lite", "hash", "look", 4, v};
    assert_ok(mp_meta_put_vectors(s->m, &b, &row, 1, &why));
    assert_ok(mp_meta_generation(s->m, &g2, &why));
    assert_true(g2.changes > g1.changes && g2.last_seq > g1.last_seq);
    assert_int_equal(g2.removals, g1.removals);
    assert_ok(mp_meta_get_vectors(s->m, &key, (int64_t[]){b, 99}, 2, out, &why));
    assert_true(out[3] == 4 && out[4] == 0);
    assert_ok(mp_meta_set_state(s->m, &a, 1, MP_TRASHED, &why));
    assert_int_equal(stored(s, 0), 1);
    assert_ok(mp_meta_generation(s->m, &g1, &why));
    assert_true(g1.removals > g2.removals);
}

/* What is held is one state, also of the thread's own writes; a state of it is not given away. */
static void what_is_held_does_not_move(void **state)
{
    store *s = *state;
    mp_why why;
    mp_item item, *items;
    mp_generation before, after;
    int64_t a = put(s, "/p/a.jpg", 1, NULL);
    mp_meta_hold(s->m);
    size_t open = mp_meta_connections(s->m);
    assert_ok(mp_meta_generation(s->m, &before, &why));
    int64_t b = put(s, "/p/b.jpg", 2, NULL);
    assert_ok(mp_meta_generation(s->m, &after, &why));
    assert_int_equal(after.changes, before.changes);
    assert_int_equal(mp_meta_get_item(s->m, b, s->arena, &item, &why), MP_NOT_FOUND);
    assert_ok(mp_meta_get_items(s->m, (int64_t[]){a, b}, 2, s->arena, &items, &why));
    assert_true(items[0].id == a && items[1].id == 0);
    assert_int_equal(count_where(s, ""), 1);
    mp_meta_hold(s->m); /* goes on with the same state, and ends before it */
    assert_int_equal(count_where(s, ""), 1);
    mp_meta_let_go(s->m);
    assert_int_equal(count_where(s, ""), 1);
    assert_int_equal(mp_meta_connections(s->m), open);
    mp_meta_let_go(s->m);
    assert_int_equal(count_where(s, ""), 2);
    assert_ok(mp_meta_generation(s->m, &after, &why));
    assert_true(after.changes > before.changes);
    mp_meta_hold(s->m); /* a later one is of a later state */
    assert_ok(mp_meta_generation(s->m, &before, &why));
    assert_int_equal(before.changes, after.changes);
    mp_meta_let_go(s->m);
    mp_meta_let_go(s->m); /* nothing is held: nothing happens */
    assert_int_equal(count_where(s, ""), 2);
}

static void sources_follow_files(void **state)
{
    store *s = *state;
    mp_why why;
    mp_source source;
    mp_item item;
    int64_t id = put(s, "/p/a.jpg", 1, NULL);
    mp_source_change extra = {.kind = MP_SOURCE_EXTRA, .path = "/p/copy.jpg", .item_id = id};
    assert_ok(mp_meta_change_sources(s->m, &extra, 1, &why));
    assert_ok(mp_meta_get_source(s->m, "/p/a.jpg", s->arena, &source, &why));
    assert_true(source.primary && source.others == 1);
    mp_source_change gone = {.kind = MP_SOURCE_MISSING, .path = "/p/a.jpg", .item_id = id};
    assert_ok(mp_meta_change_sources(s->m, &gone, 1, &why));
    assert_ok(mp_meta_get_item(s->m, id, s->arena, &item, &why));
    assert_int_equal(item.state, MP_PRESENT); /* the other one is still there */
    assert_string_equal(item.path, "/p/copy.jpg");
    gone.path = "/p/copy.jpg";
    assert_ok(mp_meta_change_sources(s->m, &gone, 1, &why));
    assert_ok(mp_meta_get_item(s->m, id, s->arena, &item, &why));
    assert_int_equal(item.state, MP_MISSING);
    mp_source_change moved = {
        .kind = MP_SOURCE_MOVED, .path = "/q/new.jpg", .old_path = "/p/copy.jpg", .item_id = id};
    assert_ok(mp_meta_change_sources(s->m, &moved, 1, &why));
    assert_ok(mp_meta_get_item(s->m, id, s->arena, &item, &why));
    assert_int_equal(item.state, MP_PRESENT);
    assert_string_equal(item.path, "/q/new.jpg");
    assert_string_equal(item.name, "new.jpg");
    mp_source *list;
    size_t n;
    assert_ok(mp_meta_list_sources(s->m, "/p", s->arena, &list, &n, &why));
    assert_int_equal(n, 1);
    assert_string_equal(list[0].path, "/p/a.jpg");
}

static void spares_are_further_files_that_are_there(void **state)
{
    store *s = *state;
    mp_why why;
    mp_source *list;
    size_t n;
    int64_t a = put(s, "/p/a.jpg", 1, NULL), b = put(s, "/p/b.jpg", 2, NULL);
    mp_source_change changes[] = {
        {.kind = MP_SOURCE_EXTRA, .path = "/p/z.jpg", .old_path = "", .item_id = a},
        {.kind = MP_SOURCE_EXTRA, .path = "/p/y.jpg", .old_path = "", .item_id = a},
        {.kind = MP_SOURCE_EXTRA, .path = "/p/x.jpg", .old_path = "", .item_id = b},
        {.kind = MP_SOURCE_MISSING, .path = "/p/x.jpg", .old_path = "", .item_id = b},
    };
    assert_ok(mp_meta_change_sources(s->m, changes, MP_COUNT(changes), &why));
    assert_ok(mp_meta_list_spares(s->m, s->arena, &list, &n, &why));
    assert_int_equal(n, 2);
    assert_string_equal(list[0].path, "/p/y.jpg");
    assert_string_equal(list[1].path, "/p/z.jpg");
    assert_int_equal(list[1].item_id, a);
}

static void verdicts_replace_each_other(void **state)
{
    store *s = *state;
    mp_why why;
    mp_verdict *list;
    size_t n;
    int64_t a = put(s, "/p/a.jpg", 1, NULL), b = put(s, "/p/b.jpg", 2, NULL);
    mp_verdict v = {.kind = 1, .a = a, .b = b, .note = "", .at_ms = 1};
    assert_ok(mp_meta_set_verdict(s->m, &v, &why));
    v.kind = 2;
    assert_ok(mp_meta_set_verdict(s->m, &v, &why));
    v = (mp_verdict){.kind = 5, .a = a, .note = "mind the edge", .at_ms = 2};
    assert_ok(mp_meta_set_verdict(s->m, &v, &why));
    assert_ok(mp_meta_set_verdict(s->m, &v, &why));
    v = (mp_verdict){.kind = 3, .a = 99, .note = ""};
    assert_int_equal(mp_meta_set_verdict(s->m, &v, &why), MP_NOT_FOUND);
    assert_ok(mp_meta_list_verdicts(s->m, s->arena, &list, &n, &why));
    assert_int_equal(n, 3); /* one on the pair, both notes */
    assert_int_equal(list[0].kind, 2);
}

static void verdicts_are_taken_back(void **state)
{
    store *s = *state;
    mp_why why;
    mp_verdict *list;
    size_t n;
    int64_t a = put(s, "/p/a.jpg", 1, NULL), b = put(s, "/p/b.jpg", 2, NULL);
    const mp_verdict said[] = {{.kind = 2, .a = a, .b = b, .note = "", .at_ms = 1},
                               {.kind = 4, .a = a, .note = "", .at_ms = 2},
                               {.kind = 5, .a = a, .note = "mind the edge", .at_ms = 3}};
    for (size_t i = 0; i < MP_COUNT(said); i++)
        assert_ok(mp_meta_set_verdict(s->m, &said[i], &why));
    assert_ok(mp_meta_clear_verdict(s->m, a, b, &why));
    assert_int_equal(mp_meta_clear_verdict(s->m, a, b, &why), MP_NOT_FOUND);
    assert_ok(mp_meta_list_verdicts(s->m, s->arena, &list, &n, &why));
    assert_int_equal(n, 2);
    assert_ok(mp_meta_clear_verdict(s->m, a, 0, &why));
    assert_ok(mp_meta_list_verdicts(s->m, s->arena, &list, &n, &why));
    assert_int_equal(n, 1); /* a note is a remark: it stays */
    assert_int_equal(list[0].kind, 5);
}

static void a_store_survives_reopening(void **state)
{
    store *s = *state;
    mp_why why;
    char value[16];
    int64_t id = put(s, "/p/a.jpg", 1, NULL);
    mp_item item;
    assert_ok(mp_meta_set_setting(s->m, "model", "lite", &why));
    mp_meta_close(s->m);
    assert_ok(open_store(s, &why));
    assert_ok(mp_meta_get_item(s->m, id, s->arena, &item, &why));
    assert_ok(mp_meta_get_setting(s->m, "model", value, sizeof value, &why));
    assert_string_equal(value, "lite");
    assert_int_equal(mp_meta_get_setting(s->m, "none", value, sizeof value, &why), MP_NOT_FOUND);
}

static void strangers_and_damage_are_refused(void **state)
{
    store *s = *state;
    mp_why why;
    mp_meta *m;
    char path[128];
    mp_meta_options opt = {.create = true, .busy_ms = 100};
    put(s, "/p/a.jpg", 1, NULL);
    snprintf(path, sizeof path, "%s/text.db", s->dir);
    assert_ok(mp_file_replace(path, "this is no database, whatever its name", 38, &why));
    char url[160];
    snprintf(url, sizeof url, "sqlite:%s", path);
    assert_int_equal(mp_meta_open(&m, url, &opt, &why), MP_CORRUPT);
    assert_null(m);
    opt.create = false;
    assert_int_equal(mp_meta_open(&m, "sqlite:/nowhere/x.db", &opt, &why), MP_NOT_FOUND);
    opt.read_only = true;
    assert_ok(mp_meta_open(&m, s->url, &opt, &why));
    assert_int_equal(mp_meta_set_setting(m, "a", "b", &why), MP_IO);
    mp_meta_close(m);
}

static void complain(void *context, int64_t id, const char *what)
{
    ++*(int *)context;
    print_message("#%lld: %s\n", (long long)id, what);
}

/* ---- several writers ---- */

typedef struct writer {
    store *s;
    int first;
} writer;

static void *write_many(void *context)
{
    writer *w = context;
    mp_why why;
    for (int i = 0; i < 60; i++) {
        char path[64];
        snprintf(path, sizeof path, "/t%d/%d.jpg", w->first, i);
        mp_put p = {.item = sample(path, w->first + i)};
        mp_item back;
        mp_arena *arena = mp_arena_new(0);
        if (mp_meta_put_items(w->s->m, &p, 1, &why) ||
            mp_meta_get_item(w->s->m, p.item.id, arena, &back, &why))
            abort();
        mp_arena_free(arena);
    }
    return NULL;
}

static void threads_write_and_read(void **state)
{
    store *s = *state;
    pthread_t threads[4];
    writer writers[4];
    for (int i = 0; i < 4; i++) {
        writers[i] = (writer){s, 1000 * (i + 1)};
        pthread_create(&threads[i], NULL, write_many, &writers[i]);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(count_where(s, ""), 240);
}

/* A child writes and says so on a pipe after each commit, until it is killed: every item that it
 * spoke of is there afterwards, and the store is sound. */
static void what_was_acknowledged_survives_sigkill(void **state)
{
    store *s = *state;
    mp_why why;
    int problems = 0, acknowledged = 0;
    mp_rng rng = {5};
    mp_meta_close(s->m);
    s->m = NULL;
    for (int round = 0; round < 12; round++) {
        int pipes[2];
        assert_int_equal(pipe(pipes), 0);
        pid_t pid = fork();
        if (pid == 0) {
            if (open_store(s, &why))
                _exit(1);
            for (int i = 0; i < 100000; i++) {
                char path[64];
                snprintf(path, sizeof path, "/r%d/%d.jpg", round, i);
                mp_put p = {.item = sample(path, i)};
                if (mp_meta_put_items(s->m, &p, 1, &why) || write(pipes[1], "x", 1) != 1)
                    _exit(1);
            }
            _exit(0);
        }
        close(pipes[1]);
        usleep(20000 + (useconds_t)(mp_rng_unit(&rng) * 60000));
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        char byte;
        while (read(pipes[0], &byte, 1) == 1)
            acknowledged++;
        close(pipes[0]);
    }
    assert_ok(open_store(s, &why));
    assert_true(acknowledged > 0);
    assert_true(count_where(s, "") >= (size_t)acknowledged);
    assert_ok(mp_meta_check(s->m, complain, &problems, &why));
    assert_int_equal(problems, 0);
}

static void plans_are_journalled(void **state)
{
    store *s = *state;
    mp_why why;
    int64_t a = put(s, "/p/a.jpg", 1, NULL), b = put(s, "/p/b.jpg", 2, NULL), id, got;
    mp_plan_step step = {.item_id = b,
                         .keep_id = a,
                         .from = "/p/b.jpg",
                         .to = "/t/b.jpg",
                         .merged = "{}"},
                 *steps;
    mp_plan_state plan_state;
    size_t n;
    assert_ok(mp_meta_plan_begin(s->m, 0, "{}", &step, 1, &id, &why));
    assert_ok(
        mp_meta_plan_get(s->m, 0, MP_PLAN_APPLYING, s->arena, &got, &plan_state, &steps, &n, &why));
    assert_int_equal(got, id);
    assert_int_equal(n, 1);
    assert_string_equal(steps[0].to, "/t/b.jpg");
    assert_ok(mp_meta_plan_step(s->m, id, 0, MP_STEP_DONE, MP_TRASHED, &why));
    assert_int_equal(count_where(s, ""), 1);
    assert_ok(mp_meta_plan_set_state(s->m, id, MP_PLAN_APPLIED, &why));
    assert_int_equal(
        mp_meta_plan_get(s->m, 0, MP_PLAN_APPLYING, s->arena, &got, &plan_state, &steps, &n, &why),
        MP_NOT_FOUND);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(what_was_acknowledged_survives_sigkill),
        EACH(an_item_comes_back_whole),
        EACH(a_batch_is_all_or_nothing),
        EACH(ids_are_never_used_again),
        EACH(filters_choose),
        EACH(bad_filters_say_where),
        EACH(words_find_items),
        EACH(vectors_are_the_truth),
        EACH(what_is_held_does_not_move),
        EACH(sources_follow_files),
        EACH(spares_are_further_files_that_are_there),
        EACH(verdicts_replace_each_other),
        EACH(verdicts_are_taken_back),
        EACH(a_store_survives_reopening),
        EACH(strangers_and_damage_are_refused),
        EACH(threads_write_and_read),
        EACH(plans_are_journalled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
