/* sqlite_page.c - pages of items that match a filter, in one of several orders.
 *
 * Most orders are an index's. Dates are of the version, filters mostly of the asset: where many
 * match, the dates' index is walked until enough have been found; few are sorted. Either way a page
 * of a million items takes milliseconds. */
#include "meta/sqlite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- lists ---- */

typedef struct item_list {
    mp_item *items;
    size_t n, cap;
} item_list;

static mp_item *grow(item_list *list)
{
    if (list->n == list->cap) {
        list->cap = list->cap ? list->cap * 2 : 64;
        list->items = mp_xrealloc(list->items, list->cap * sizeof *list->items);
    }
    return &list->items[list->n++];
}

static mp_err list_rows(conn *c, sqlite3_stmt *s, size_t limit, mp_arena *arena, item_list *list,
                        mp_why *why)
{
    mp_err err = MP_OK;
    while ((!limit || list->n < limit) && mp_sql_row(c, s, &err, why))
        mp_sql_read_item(s, arena, grow(list));
    for (size_t i = 0; !err && i < list->n; i++)
        err = mp_sql_read_tags(c, &list->items[i], arena, why);
    return err;
}

/* Around the filter: the tables, and what follows with the values of its own parameters. */
typedef struct tail {
    const char *tables, *sql;
    const mp_page_mark *after; /* NULL: from the start */
    bool by_text;
} tail;

static void bind_tail(sqlite3_stmt *s, int first, const tail *t)
{
    if (!t->after)
        return;
    if (t->by_text)
        mp_sql_bind_text(s, first, t->after->text);
    else
        sqlite3_bind_int64(s, first, t->after->number);
    sqlite3_bind_int64(s, first + 1, t->after->id);
    sqlite3_bind_int64(s, first + 2,
                       t->after->number); /* refused where there is no third: no harm */
}

static mp_err list_filtered(mp_meta *m, const mp_filter *filter, const tail *t, size_t limit,
                            mp_arena *arena, mp_item **out, size_t *n, mp_why *why)
{
    conn *c;
    char head[1024];
    sql_filter f = {0};
    sqlite3_stmt *s = NULL;
    item_list list = {0};
    *out = NULL;
    *n = 0;
    snprintf(head, sizeof head, "SELECT " ITEM_COLUMNS " %s", t->tables);
    mp_err err = mp_sql_reader(m, &c, why);
    if (!err)
        err = mp_sql_filtered(c, head, filter, t->sql, &f, &s, why);
    if (!err) {
        bind_tail(s, f.n + 1, t);
        err = list_rows(c, s, limit, arena, &list, why);
    }
    sqlite3_finalize(s);
    mp_buf_free(&f.text);
    mp_sql_release(m, c);
    mp_item *kept = err ? NULL : mp_arena_alloc(arena, list.n * sizeof *kept);
    if (!err && !kept)
        err = mp_fail(why, MP_NOMEM, "no memory for %zu items", list.n);
    if (!err) {
        if (list.n)
            memcpy(kept, list.items, list.n * sizeof *kept);
        *out = kept;
        *n = list.n;
    }
    free(list.items);
    return err;
}

mp_err mp_meta_list(mp_meta *m, const mp_filter *filter, int64_t after, size_t limit,
                    mp_arena *arena, mp_item **out, size_t *n, mp_why *why)
{
    mp_page_mark mark = {.id = after, .number = after};
    tail t = {
        .tables = ITEM_TABLES, .sql = "AND (a.id, a.id) > (?, ?) ORDER BY a.id", .after = &mark};
    return list_filtered(m, filter, &t, limit, arena, out, n, why);
}

/* One order's four tails: from the start or after a mark, up or down. */
#define TAILS(column)                                                                              \
    {                                                                                              \
        "ORDER BY " column ", a.id", "ORDER BY " column " DESC, a.id DESC",                        \
            "AND (" column ", a.id) > (?, ?) ORDER BY " column ", a.id",                           \
            "AND (" column ", a.id) < (?, ?) ORDER BY " column " DESC, a.id DESC"                  \
    }

/* From the dates to the items: CROSS keeps that order. */
#define BY_DATES "FROM version v CROSS JOIN asset a ON a.id = v.asset_id AND a.version_id = v.id "

/* With fewer, sorting them is less work than walking past all that do not match. */
#define MANY "5000"

static mp_err many_match(mp_meta *m, const mp_filter *filter, bool *out, mp_why *why)
{
    conn *c;
    sql_filter f = {0};
    sqlite3_stmt *s = NULL;
    *out = false;
    mp_err err = mp_sql_reader(m, &c, why);
    if (!err)
        err = mp_sql_filtered(c, "SELECT count(*) >= " MANY " FROM (SELECT 1 " ITEM_TABLES, filter,
                              "LIMIT " MANY ")", &f, &s, why);
    if (!err && mp_sql_row(c, s, &err, why))
        *out = sqlite3_column_int(s, 0) != 0;
    sqlite3_finalize(s);
    mp_buf_free(&f.text);
    mp_sql_release(m, c);
    return err;
}

mp_err mp_meta_page(mp_meta *m, const mp_filter *filter, const mp_page *page, size_t limit,
                    mp_arena *arena, mp_item **out, size_t *n, mp_why *why)
{
    static const char *const tails[][4] = {
        [MP_BY_ID] = TAILS("a.id"),     [MP_BY_ADDED] = TAILS("a.added_ms"),
        [MP_BY_DATE] = TAILS(TAKEN),    [MP_BY_SIZE] = TAILS("v.bytes"),
        [MP_BY_NAME] = TAILS("a.name"),
    };
    /* The index's own columns, and the first of them bounded alone: a pair bounds no expression. */
    static const char *const walks[] = {
        "ORDER BY " TAKEN ", v.asset_id", "ORDER BY " TAKEN " DESC, v.asset_id DESC",
        "AND (" TAKEN ", v.asset_id) > (?, ?) AND " TAKEN " >= ? ORDER BY " TAKEN ", v.asset_id",
        "AND (" TAKEN ", v.asset_id) < (?, ?) AND " TAKEN " <= ? ORDER BY " TAKEN
        " DESC, v.asset_id DESC"};
    bool walk = false;
    int which = (page->after ? 2 : 0) + (page->descending ? 1 : 0);
    mp_err err = page->order == MP_BY_DATE ? many_match(m, filter, &walk, why) : MP_OK;
    if (err)
        return err;
    tail t = {.tables = walk ? BY_DATES : ITEM_TABLES,
              .sql = walk ? walks[which] : tails[page->order][which],
              .after = page->after,
              .by_text = page->order == MP_BY_NAME};
    return list_filtered(m, filter, &t, limit, arena, out, n, why);
}

mp_page_mark mp_meta_mark(const mp_item *item, mp_page_order order)
{
    int64_t date = item->taken_ms ? item->taken_ms : item->mtime_ns / 1000000;
    const int64_t numbers[] = {[MP_BY_ID] = item->id,
                               [MP_BY_ADDED] = item->added_ms,
                               [MP_BY_DATE] = date,
                               [MP_BY_SIZE] = item->bytes,
                               [MP_BY_NAME] = 0};
    return (mp_page_mark){.id = item->id, .number = numbers[order], .text = item->name};
}
