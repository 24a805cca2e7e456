/* sqlite_folder.c - the folders that pictures come from: those that were told with an upload, and
 * those of this machine.
 *
 * What was told is counted by an index. Paths of this machine are read in the order of their
 * pictures, whose rows and sources then lie side by side, and are counted here: neighbours mostly
 * share their folder, which SQLite's sorter would not know. */
#include "meta/sqlite.h"

#include <stdlib.h>
#include <string.h>

/* Folders that are counted at all; further ones are left out and said to be. */
enum { MOST_COUNTED = 100000, SLOTS = 1 << 18 };

typedef struct counted {
    char *path;
    size_t n; /* bytes of path */
    int64_t count, last_id;
} counted;

typedef struct counter {
    counted *list;
    size_t n, cap;
    uint32_t *slots; /* positions + 1, by hash; 0: free */
    size_t recent;   /* the one that was counted last */
    bool more;
} counter;

static void open_counter(counter *k)
{
    *k = (counter){.slots = mp_xcalloc(SLOTS, sizeof *k->slots)};
}

static void close_counter(counter *k)
{
    for (size_t i = 0; i < k->n; i++)
        free(k->list[i].path);
    free(k->list);
    free(k->slots);
}

static bool is_path(const counted *c, const char *path, size_t n)
{
    return c->n == n && memcmp(c->path, path, n) == 0;
}

static uint64_t hash_of(const char *path, size_t n)
{
    uint64_t h = n;
    for (size_t i = 0; i < n; i++)
        h = h * 0x100000001b3u + (unsigned char)path[i];
    return mp_mix64(h);
}

static counted *add_path(counter *k, const char *path, size_t n)
{
    if (k->n == k->cap) {
        k->cap = k->cap ? k->cap * 2 : 256;
        k->list = mp_xrealloc(k->list, k->cap * sizeof *k->list);
    }
    counted *c = &k->list[k->n++];
    *c = (counted){.path = mp_xmalloc(n + 1), .n = n};
    memcpy(c->path, path, n);
    c->path[n] = '\0';
    return c;
}

/* NULL where there are too many. */
static counted *find(counter *k, const char *path, size_t n)
{
    if (k->n && is_path(&k->list[k->recent], path, n))
        return &k->list[k->recent];
    size_t at = hash_of(path, n) & (SLOTS - 1);
    while (k->slots[at] && !is_path(&k->list[k->slots[at] - 1], path, n))
        at = (at + 1) & (SLOTS - 1);
    if (!k->slots[at]) {
        if (k->n == MOST_COUNTED) {
            k->more = true;
            return NULL;
        }
        add_path(k, path, n);
        k->slots[at] = (uint32_t)k->n;
    }
    k->recent = k->slots[at] - 1;
    return &k->list[k->recent];
}

/* Several files of one folder may hold the bytes of one picture. */
static void count_file(counter *k, int64_t id, const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    counted *c = slash ? find(k, path, (size_t)(slash - path) + (slash == path)) : NULL;
    if (!c || c->last_id == id)
        return;
    c->last_id = id;
    c->count++;
}

/* ---- the two questions ---- */

static mp_err read_given(conn *c, const mp_filter *filter, counter *k, mp_why *why)
{
    sql_filter f = {0};
    sqlite3_stmt *s = NULL;
    mp_err err = mp_sql_filtered(c, "SELECT '/' || a.folder, count(*) FROM asset a", filter,
                                 "AND a.folder <> '' GROUP BY a.folder", &f, &s, why);
    while (!err && mp_sql_row(c, s, &err, why)) {
        const char *path = (const char *)sqlite3_column_text(s, 0);
        counted *folder = path ? find(k, path, strlen(path)) : NULL;
        if (folder)
            folder->count += sqlite3_column_int64(s, 1);
    }
    sqlite3_finalize(s);
    mp_buf_free(&f.text);
    return err;
}

static mp_err read_files(conn *c, const mp_filter *filter, counter *k, mp_why *why)
{
    sql_filter f = {0};
    sqlite3_stmt *s = NULL;
    mp_err err = mp_sql_filtered(
        c, "SELECT a.id, s.path FROM asset a CROSS JOIN source s ON s.asset_id = a.id", filter,
        "ORDER BY a.id", &f, &s, why);
    while (!err && mp_sql_row(c, s, &err, why))
        count_file(k, sqlite3_column_int64(s, 0), (const char *)sqlite3_column_text(s, 1));
    sqlite3_finalize(s);
    mp_buf_free(&f.text);
    return err;
}

/* ---- the answer ---- */

/* As a tree is walked: what lies below a folder comes before its next neighbour. */
static int by_path(const void *x, const void *y)
{
    const unsigned char *a = (const unsigned char *)((const counted *)x)->path;
    const unsigned char *b = (const unsigned char *)((const counted *)y)->path;
    while (*a && *a == *b)
        a++, b++;
    int p = *a == '/' ? 1 : *a ? *a + 1 : 0, q = *b == '/' ? 1 : *b ? *b + 1 : 0;
    return p - q;
}

static mp_err hand_out(const counter *k, size_t most, mp_arena *arena, mp_folders *out, mp_why *why)
{
    size_t n = MP_MIN(k->n, most);
    mp_folder *list = mp_arena_alloc(arena, n * sizeof *list);
    bool fine = list != NULL;
    if (k->n)
        qsort(k->list, k->n, sizeof *k->list, by_path);
    for (size_t i = 0; fine && i < n; i++) {
        list[i] = (mp_folder){.path = mp_arena_strdup(arena, mp_str_of(k->list[i].path)),
                              .count = k->list[i].count};
        fine = list[i].path != NULL;
    }
    if (!fine)
        return mp_fail(why, MP_NOMEM, "no memory for %zu folders", n);
    *out = (mp_folders){.list = list, .n = n, .more = k->more || k->n > n};
    return MP_OK;
}

mp_err mp_meta_list_folders(mp_meta *m, const mp_filter *filter, bool files, size_t most,
                            mp_arena *arena, mp_folders *out, mp_why *why)
{
    conn *c = NULL;
    counter k;
    *out = (mp_folders){0};
    open_counter(&k);
    mp_err err = mp_sql_enter(m, &c, why);
    if (!err)
        err = read_given(c, filter, &k, why);
    if (!err && files)
        err = read_files(c, filter, &k, why);
    mp_sql_leave(m, c);
    if (!err)
        err = hand_out(&k, most, arena, out, why);
    close_counter(&k);
    return err;
}

mp_err mp_meta_give_folder(mp_meta *m, int64_t id, const char *folder, mp_why *why)
{
    static const char sql[] = "UPDATE asset SET folder = ?2 WHERE id = ?1 AND folder = ''";
    conn *c;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    err = mp_sql_do(c, sql, why, "it", id, folder);
    if (!err && sqlite3_changes(c->db))
        err = mp_sql_bump(c, false, why);
    return mp_sql_end(m, err, why);
}
