/* sqlite_product_read.c - reading products: one, some, those of pictures, pages and ids of a
 * filter.
 *
 * A page goes on after the last row's sort value and id, not after a count of rows, so nothing that
 * comes or goes meanwhile makes it skip or repeat a row. The cursor is that pair as text. */
#include "meta/sqlite_product.h"

#include "base/os.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- rows ---- */

static bool take_text(sqlite3_stmt *s, int column, mp_arena *arena, const char **out)
{
    const char *text = (const char *)sqlite3_column_text(s, column);
    *out = mp_arena_strdup(arena, (mp_str){text, (size_t)sqlite3_column_bytes(s, column)});
    return *out != NULL;
}

mp_err mp_sql_read_product(sqlite3_stmt *s, mp_arena *arena, mp_product *out, mp_why *why)
{
    *out = (mp_product){
        .id = sqlite3_column_int64(s, 0),
        .project_id = sqlite3_column_int64(s, 1),
        .has_price = sqlite3_column_type(s, 6) != SQLITE_NULL,
        .price_e4 = sqlite3_column_int64(s, 6),
        .asset_id = sqlite3_column_int64(s, 10),
        .index_state = (mp_index_state)sqlite3_column_int(s, 11),
        .created_ms = sqlite3_column_int64(s, 13),
        .updated_ms = sqlite3_column_int64(s, 14),
    };
    if (take_text(s, 2, arena, &out->external_id) && take_text(s, 3, arena, &out->title) &&
        take_text(s, 4, arena, &out->description) && take_text(s, 5, arena, &out->category) &&
        take_text(s, 7, arena, &out->currency) && take_text(s, 8, arena, &out->image_url) &&
        take_text(s, 9, arena, &out->metadata) && take_text(s, 12, arena, &out->index_error))
        return MP_OK;
    *out = (mp_product){0};
    return mp_fail(why, MP_NOMEM, "no memory for the products");
}

mp_err mp_sql_take_product(conn *c, sqlite3_stmt *s, mp_arena *arena, mp_product *out, bool *found,
                           mp_why *why)
{
    mp_err err = MP_OK;
    *out = (mp_product){0};
    *found = mp_sql_row(c, s, &err, why);
    if (*found)
        err = mp_sql_read_product(s, arena, out, why);
    sqlite3_reset(s);
    return err;
}

mp_err mp_sql_get_product(conn *c, int64_t id, mp_arena *arena, mp_product *out, mp_why *why)
{
    static const char sql[] = "SELECT " PRODUCT_COLUMNS " FROM product p WHERE p.id = ?1";
    mp_err err;
    bool found;
    *out = (mp_product){0};
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    sqlite3_bind_int64(s, 1, id);
    return mp_sql_take_product(c, s, arena, out, &found, why);
}

mp_err mp_meta_get_product(mp_meta *m, int64_t id, mp_arena *arena, mp_product *out, mp_why *why)
{
    conn *c;
    *out = (mp_product){0};
    mp_err err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    err = mp_sql_get_product(c, id, arena, out, why);
    mp_sql_release(m, c);
    if (!err && !out->id)
        err = mp_fail(why, MP_NOT_FOUND, "there is no product %lld", (long long)id);
    return err;
}

mp_err mp_meta_find_product(mp_meta *m, int64_t project_id, const char *external_id,
                            mp_arena *arena, mp_product *out, mp_why *why)
{
    static const char sql[] = "SELECT " PRODUCT_COLUMNS " FROM product p WHERE p.project_id = ?1 "
                              "AND p.external_id = ?2";
    conn *c;
    bool found = false;
    *out = (mp_product){0};
    mp_err err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (s) {
        sqlite3_bind_int64(s, 1, project_id);
        mp_sql_bind_text(s, 2, external_id);
        err = mp_sql_take_product(c, s, arena, out, &found, why);
    }
    mp_sql_release(m, c);
    return err || found ? err : mp_fail(why, MP_NOT_FOUND, "there is no product of this id");
}

mp_err mp_meta_get_products(mp_meta *m, const int64_t *ids, size_t n, mp_arena *arena,
                            mp_product **out, mp_why *why)
{
    conn *c;
    *out = NULL;
    mp_product *rows = n > SIZE_MAX / sizeof *rows ? NULL : mp_arena_alloc(arena, n * sizeof *rows);
    if (!rows)
        return mp_fail(why, MP_NOMEM, "no memory for %zu products", n);
    mp_err err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    for (size_t i = 0; !err && i < n; i++)
        err = mp_sql_get_product(c, ids[i], arena, &rows[i], why);
    mp_sql_release(m, c);
    if (!err)
        *out = rows;
    return err;
}

/* ---- lists that the caller frees ---- */

typedef struct growing {
    void *p;
    size_t n, cap;
} growing;

static void *grow(growing *list, size_t size, mp_err *err, mp_why *why)
{
    if (list->n == list->cap) {
        size_t cap = list->cap ? list->cap * 2 : 256;
        void *larger = mp_try_array(cap, size);
        if (!larger) {
            *err = mp_fail(why, MP_NOMEM, "no memory for %zu rows", cap);
            return NULL;
        }
        if (list->n)
            memcpy(larger, list->p, list->n * size);
        free(list->p);
        list->p = larger;
        list->cap = cap;
    }
    return (char *)list->p + list->n++ * size;
}

static mp_err add_products_of(conn *c, int64_t asset_id, growing *list, mp_why *why)
{
    static const char sql[] = "SELECT id FROM product WHERE asset_id = ?1 ORDER BY id";
    mp_err err;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    sqlite3_bind_int64(s, 1, asset_id);
    while (!err && mp_sql_row(c, s, &err, why)) {
        mp_product_asset *pair = grow(list, sizeof *pair, &err, why);
        if (pair)
            *pair = (mp_product_asset){asset_id, sqlite3_column_int64(s, 0)};
    }
    sqlite3_reset(s);
    return err;
}

mp_err mp_meta_products_of_assets(mp_meta *m, const int64_t *asset_ids, size_t n,
                                  mp_product_asset **out, size_t *n_out, mp_why *why)
{
    conn *c;
    growing list = {0};
    *out = NULL;
    *n_out = 0;
    mp_err err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    for (size_t i = 0; !err && i < n; i++)
        err = add_products_of(c, asset_ids[i], &list, why);
    mp_sql_release(m, c);
    if (err) {
        free(list.p);
        return err;
    }
    *out = list.p;
    *n_out = list.n;
    return MP_OK;
}

mp_err mp_meta_product_ids(mp_meta *m, const mp_product_filter *filter, int64_t **out, size_t *n,
                           mp_why *why)
{
    conn *c;
    product_condition q = {0};
    sqlite3_stmt *s = NULL;
    growing list = {0};
    *out = NULL;
    *n = 0;
    mp_err err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    err = mp_sql_product_condition(filter, NULL, 0, &q, why);
    if (!err)
        err = mp_sql_product_prepare(c, "SELECT p.id FROM product p", &q, "ORDER BY p.id", &s, why);
    while (!err && mp_sql_row(c, s, &err, why)) {
        int64_t *id = grow(&list, sizeof *id, &err, why);
        if (id)
            *id = sqlite3_column_int64(s, 0);
    }
    sqlite3_finalize(s);
    mp_sql_product_condition_free(&q);
    mp_sql_release(m, c);
    if (err) {
        free(list.p);
        return err;
    }
    *out = list.p;
    *n = list.n;
    return MP_OK;
}

mp_err mp_meta_count_products(mp_meta *m, const mp_product_filter *filter, uint64_t *n, mp_why *why)
{
    conn *c;
    product_condition q = {0};
    sqlite3_stmt *s = NULL;
    *n = 0;
    mp_err err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    err = mp_sql_product_condition(filter, NULL, 0, &q, why);
    if (!err)
        err = mp_sql_product_prepare(c, "SELECT count(*) FROM product p", &q, "", &s, why);
    if (!err && mp_sql_row(c, s, &err, why))
        *n = (uint64_t)sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    mp_sql_product_condition_free(&q);
    mp_sql_release(m, c);
    return err;
}

/* ---- pages ---- */

/* By mp_product_sort. */
static const struct {
    const char *up, *down; /* expressions over p */
    char letter;           /* in a cursor */
} sorts[] = {
    [MP_SORT_ID] = {"p.id", "p.id", 'i'},
    [MP_SORT_TITLE] = {"p.title COLLATE NOCASE", "p.title COLLATE NOCASE", 't'},
    [MP_SORT_PRICE] = {PRICE_UP, PRICE_DOWN, 'p'},
    [MP_SORT_CREATED] = {"p.created_ms", "p.created_ms", 'c'},
    [MP_SORT_UPDATED] = {"p.updated_ms", "p.updated_ms", 'u'},
};

typedef struct cursor {
    int64_t id, number;
    char title[MP_TITLE_MAX + 1];
} cursor;

static int64_t place_of(const mp_product *p, const mp_product_page *page)
{
    switch (page->sort) {
    case MP_SORT_PRICE:
        return p->has_price ? p->price_e4 : page->descending ? -1 : MP_PRICE_E4_MAX + 1;
    case MP_SORT_CREATED:
        return p->created_ms;
    case MP_SORT_UPDATED:
        return p->updated_ms;
    default:
        return p->id;
    }
}

/* "<sort><u or d><id>-<number, or the title in hex>": a URL needs no escapes for it. */
static const char *cursor_text(const mp_product *p, const mp_product_page *page, mp_arena *arena)
{
    mp_buf text = {0};
    mp_buf_printf(&text, "%c%c%" PRId64 "-", sorts[page->sort].letter, page->descending ? 'd' : 'u',
                  p->id);
    if (page->sort == MP_SORT_TITLE) {
        char hex[2 * MP_TITLE_MAX + 1];
        mp_hex((const uint8_t *)p->title, MP_MIN(strlen(p->title), (size_t)MP_TITLE_MAX), hex);
        mp_buf_str(&text, hex);
    } else {
        mp_buf_printf(&text, "%" PRId64, place_of(p, page));
    }
    const char *kept = mp_arena_strdup(arena, (mp_str){text.p, text.n});
    mp_buf_free(&text);
    return kept;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool parse_title(const char *hex, char title[MP_TITLE_MAX + 1])
{
    size_t n = strlen(hex);
    if (n == 0 || n % 2 || n / 2 > MP_TITLE_MAX)
        return false;
    for (size_t i = 0; i < n / 2; i++) {
        int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        title[i] = (char)(high << 4 | low);
    }
    title[n / 2] = '\0';
    return true;
}

static bool parse_cursor(const mp_product_page *page, cursor *out)
{
    const char *text = page->after;
    char *end;
    if (text[0] != sorts[page->sort].letter || text[1] != (page->descending ? 'd' : 'u'))
        return false;
    out->id = strtoll(text + 2, &end, 10);
    if (end == text + 2 || *end != '-')
        return false;
    text = end + 1;
    if (page->sort == MP_SORT_TITLE)
        return parse_title(text, out->title);
    out->number = strtoll(text, &end, 10);
    return end != text && !*end;
}

/* The condition on the place, the order and the limit. */
static void page_tail(const mp_product_page *page, bool go_on, int first, mp_buf *out)
{
    const char *by = page->descending ? sorts[page->sort].down : sorts[page->sort].up;
    const char *way = page->descending ? "DESC" : "ASC";
    if (go_on)
        mp_buf_printf(out, "AND (%s, p.id) %c (?%d, ?%d) ", by, page->descending ? '<' : '>', first,
                      first + 1);
    mp_buf_printf(out, "ORDER BY %s %s, p.id %s LIMIT ?%d", by, way, way, first + 2);
}

static mp_err prepare_page(conn *c, const mp_product_page *page, const product_condition *q,
                           sqlite3_stmt **out, mp_why *why)
{
    cursor at = {0};
    mp_buf tail = {0};
    bool go_on = page->after && *page->after;
    *out = NULL;
    if (go_on && !parse_cursor(page, &at))
        return mp_fail(why, MP_INVALID, "the cursor does not belong to a list in this order");
    page_tail(page, go_on, q->f.n + 1, &tail);
    mp_err err =
        mp_sql_product_prepare(c, "SELECT " PRODUCT_COLUMNS " FROM product p", q, tail.p, out, why);
    mp_buf_free(&tail);
    if (err)
        return err;
    if (go_on && page->sort == MP_SORT_TITLE)
        sqlite3_bind_text(*out, q->f.n + 1, at.title, -1, SQLITE_TRANSIENT);
    else if (go_on)
        sqlite3_bind_int64(*out, q->f.n + 1, at.number);
    if (go_on)
        sqlite3_bind_int64(*out, q->f.n + 2, at.id);
    /* One more than asked for tells whether there is a next page. */
    sqlite3_bind_int64(*out, q->f.n + 3, (int64_t)page->limit + 1);
    return MP_OK;
}

static mp_err read_page(conn *c, sqlite3_stmt *s, const mp_product_page *page, mp_arena *arena,
                        mp_product *rows, size_t *n, const char **next, mp_why *why)
{
    mp_err err = MP_OK;
    bool more = false;
    while (!err && !more && mp_sql_row(c, s, &err, why)) {
        more = *n == page->limit;
        if (!more)
            err = mp_sql_read_product(s, arena, &rows[(*n)++], why);
    }
    if (!err)
        *next = more ? cursor_text(&rows[*n - 1], page, arena) : "";
    return err || *next ? err : mp_fail(why, MP_NOMEM, "no memory for the cursor");
}

mp_err mp_meta_list_products(mp_meta *m, const mp_product_page *page, mp_arena *arena,
                             mp_product **out, size_t *n, const char **next, mp_why *why)
{
    conn *c;
    product_condition q = {0};
    sqlite3_stmt *s = NULL;
    *out = NULL;
    *next = NULL;
    *n = 0;
    if (page->limit == 0 || page->limit > MP_PRODUCT_PAGE_MAX)
        return mp_fail(why, MP_INVALID, "limit: it must be between 1 and %d", MP_PRODUCT_PAGE_MAX);
    if ((unsigned)page->sort >= MP_COUNT(sorts))
        return mp_fail(why, MP_INVALID, "sort: there is no order %d", (int)page->sort);
    mp_product *rows = mp_arena_alloc(arena, page->limit * sizeof *rows);
    if (!rows)
        return mp_fail(why, MP_NOMEM, "no memory for %zu products", page->limit);
    mp_err err = mp_sql_reader(m, &c, why);
    if (err)
        return err;
    err = mp_sql_product_condition(page->filter, NULL, 0, &q, why);
    if (!err)
        err = prepare_page(c, page, &q, &s, why);
    if (!err)
        err = read_page(c, s, page, arena, rows, n, next, why);
    sqlite3_finalize(s);
    mp_sql_product_condition_free(&q);
    mp_sql_release(m, c);
    if (err)
        *n = 0;
    else
        *out = rows;
    return err;
}
