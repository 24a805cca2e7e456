/* sqlite_column.c - one thing of every picture, by the million: a row is an id and a number, and
 * nothing else of the picture is read. */
#include "meta/sqlite.h"

#include <stdlib.h>
#include <string.h>

typedef struct value_list {
    mp_item_value *rows;
    size_t n, cap;
} value_list;

static void append(value_list *list, int64_t id, double value)
{
    if (list->n == list->cap) {
        list->cap = list->cap ? list->cap * 2 : 1024;
        list->rows = mp_xrealloc(list->rows, list->cap * sizeof *list->rows);
    }
    list->rows[list->n++] = (mp_item_value){id, value};
}

/* The rows of a question for an id and a number. */
static mp_err read_values(conn *c, const char *head, const mp_filter *filter, const char *tail,
                          value_list *list, mp_why *why)
{
    sql_filter f = {0};
    sqlite3_stmt *s = NULL;
    mp_err err = mp_sql_filtered(c, head, filter, tail, &f, &s, why);
    while (!err && mp_sql_row(c, s, &err, why))
        append(list, sqlite3_column_int64(s, 0), sqlite3_column_double(s, 1));
    sqlite3_finalize(s);
    mp_buf_free(&f.text);
    return err;
}

static mp_err hand_out(mp_err err, value_list *list, mp_item_value **out, size_t *n)
{
    if (err) {
        free(list->rows);
        *list = (value_list){0};
    }
    *out = list->rows;
    *n = list->n;
    return err;
}

mp_err mp_meta_column(mp_meta *m, const mp_filter *filter, mp_column column, mp_item_value **out,
                      size_t *n, mp_why *why)
{
    static const char *const heads[] = {
        [MP_COLUMN_PROJECT] = "SELECT a.id, a.project_id " ITEM_TABLES,
        [MP_COLUMN_DATE] = "SELECT a.id, " TAKEN " " ITEM_TABLES,
        [MP_COLUMN_ADDED] = "SELECT a.id, a.added_ms " ITEM_TABLES,
        [MP_COLUMN_SHARPNESS] = "SELECT a.id, v.sharpness " ITEM_TABLES,
        [MP_COLUMN_BRIGHTNESS] = "SELECT a.id, v.brightness " ITEM_TABLES,
        [MP_COLUMN_CONTRAST] = "SELECT a.id, v.contrast " ITEM_TABLES,
        [MP_COLUMN_ENTROPY] = "SELECT a.id, v.entropy " ITEM_TABLES,
    };
    conn *c;
    value_list list = {0};
    mp_err err = mp_sql_reader(m, &c, why);
    if (!err)
        err = read_values(c, heads[column], filter, "ORDER BY a.id", &list, why);
    mp_sql_release(m, c);
    return hand_out(err, &list, out, n);
}

/* ---- tags ---- */

typedef struct tag_list {
    int64_t id[256];
    const char *name[256];
    size_t n;
} tag_list;

/* The most common ones among the pictures, the most common first. */
static mp_err common_tags(conn *c, const mp_filter *filter, size_t most, mp_arena *arena,
                          tag_list *out, mp_why *why)
{
    static const char head[] =
        "SELECT t.id, t.name, count(*) " ITEM_TABLES
        "JOIN asset_tag x ON x.asset_id = a.id JOIN tag t ON t.id = x.tag_id";
    sql_filter f = {0};
    sqlite3_stmt *s = NULL;
    mp_err err =
        mp_sql_filtered(c, head, filter, "GROUP BY t.id ORDER BY 3 DESC, t.name", &f, &s, why);
    while (!err && out->n < MP_MIN(most, MP_COUNT(out->id)) && mp_sql_row(c, s, &err, why)) {
        out->id[out->n] = sqlite3_column_int64(s, 0);
        out->name[out->n++] = mp_sql_text(s, 1, arena);
    }
    sqlite3_finalize(s);
    mp_buf_free(&f.text);
    return err;
}

static double position_of(const tag_list *tags, int64_t id)
{
    for (size_t i = 0; i < tags->n; i++)
        if (tags->id[i] == id)
            return (double)i;
    return -1;
}

/* Every picture has a row, and one more for each of its tags: the rarest known one counts. */
static void fold(value_list *list, const tag_list *tags)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->n; i++) {
        mp_item_value v = {list->rows[i].id, position_of(tags, (int64_t)list->rows[i].value)};
        if (kept == 0 || list->rows[kept - 1].id != v.id)
            list->rows[kept++] = v;
        else if (v.value > list->rows[kept - 1].value)
            list->rows[kept - 1] = v;
    }
    list->n = kept;
}

mp_err mp_meta_tag_column(mp_meta *m, const mp_filter *filter, size_t most, mp_arena *arena,
                          const char *const **names, size_t *n_names, mp_item_value **out,
                          size_t *n, mp_why *why)
{
    static const char head[] = "SELECT a.id, coalesce(x.tag_id, 0) " ITEM_TABLES
                               "LEFT JOIN asset_tag x ON x.asset_id = a.id";
    conn *c;
    value_list list = {0};
    tag_list tags = {0};
    const char **kept = NULL;
    mp_err err = mp_sql_reader(m, &c, why);
    if (!err)
        err = common_tags(c, filter, most, arena, &tags, why);
    if (!err)
        err = read_values(c, head, filter, "ORDER BY a.id", &list, why);
    mp_sql_release(m, c);
    if (!err)
        kept = mp_arena_alloc(arena, (tags.n + 1) * sizeof *kept);
    if (!err && !kept)
        err = mp_fail(why, MP_NOMEM, "no memory for the names of tags");
    if (!err) {
        memcpy(kept, tags.name, tags.n * sizeof *kept);
        fold(&list, &tags);
    }
    *names = kept;
    *n_names = err ? 0 : tags.n;
    return hand_out(err, &list, out, n);
}
