/* sqlite_product.c - writing products. A change is laid over the row as it stands, the whole is
 * held against the limits, and then written; the full text follows by triggers (0005_products.sql).
 */
#include "meta/sqlite_product.h"

#include "base/os.h"

#include <stdlib.h>
#include <string.h>

/* ---- one row ---- */

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

/* The mask's fields of `change` over `row`; all texts of the result are set. */
static mp_product overlay(mp_product row, const mp_product *change, unsigned fields)
{
    if (fields & MP_PRODUCT_EXTERNAL_ID)
        row.external_id = change->external_id;
    if (fields & MP_PRODUCT_TITLE)
        row.title = change->title;
    if (fields & MP_PRODUCT_DESCRIPTION)
        row.description = change->description;
    if (fields & MP_PRODUCT_CATEGORY)
        row.category = change->category;
    if (fields & MP_PRODUCT_PRICE) {
        row.has_price = change->has_price;
        row.price_e4 = change->has_price ? change->price_e4 : 0;
    }
    if (fields & MP_PRODUCT_CURRENCY)
        row.currency = change->currency;
    if (fields & MP_PRODUCT_IMAGE_URL)
        row.image_url = change->image_url;
    if (fields & MP_PRODUCT_METADATA)
        row.metadata = change->metadata;
    if (fields & MP_PRODUCT_ASSET)
        row.asset_id = change->asset_id;
    if (fields & MP_PRODUCT_INDEX) {
        row.index_state = change->index_state;
        row.index_error = change->index_error;
    }
    const char **texts[] = {&row.external_id, &row.title,     &row.description, &row.category,
                            &row.currency,    &row.image_url, &row.metadata,    &row.index_error};
    for (size_t i = 0; i < MP_COUNT(texts); i++)
        *texts[i] = or_empty(*texts[i]);
    if (!*row.metadata)
        row.metadata = "{}";
    return row;
}

/* Another address: the picture there is to be fetched; the old one stands until it is. */
static void follow_url(const mp_product *before, mp_product *after, unsigned fields)
{
    if ((fields & MP_PRODUCT_INDEX) || strcmp(or_empty(before->image_url), after->image_url) == 0)
        return;
    after->index_state = *after->image_url ? MP_INDEX_QUEUED : MP_INDEX_NONE;
    after->index_error = "";
    if (!*after->image_url && !(fields & MP_PRODUCT_ASSET))
        after->asset_id = 0;
}

static bool same(const mp_product *a, const mp_product *b)
{
    return a->has_price == b->has_price && a->price_e4 == b->price_e4 &&
           a->asset_id == b->asset_id && a->index_state == b->index_state &&
           strcmp(a->external_id, b->external_id) == 0 && strcmp(a->title, b->title) == 0 &&
           strcmp(a->description, b->description) == 0 && strcmp(a->category, b->category) == 0 &&
           strcmp(a->currency, b->currency) == 0 && strcmp(a->image_url, b->image_url) == 0 &&
           strcmp(a->metadata, b->metadata) == 0 && strcmp(a->index_error, b->index_error) == 0;
}

static mp_err exists(conn *c, const char *literal, int64_t id, const char *what, mp_why *why)
{
    mp_err err;
    sqlite3_stmt *s = mp_sql_get(c, literal, &err, why);
    if (!s)
        return err;
    sqlite3_bind_int64(s, 1, id);
    bool there = mp_sql_row(c, s, &err, why);
    sqlite3_reset(s);
    if (!err && !there)
        err = mp_fail(why, MP_NOT_FOUND, "there is no %s %lld", what, (long long)id);
    return err;
}

static mp_err project_exists(conn *c, int64_t id, mp_why *why)
{
    static const char sql[] = "SELECT 1 FROM project WHERE id = ?1";
    return exists(c, sql, id, "project", why);
}

static mp_err asset_exists(conn *c, int64_t id, mp_why *why)
{
    static const char sql[] = "SELECT 1 FROM asset WHERE id = ?1";
    return id ? exists(c, sql, id, "picture", why) : MP_OK;
}

/* 0 in *id: the project has no such product. */
static mp_err find_id(conn *c, int64_t project_id, const char *external_id, int64_t *id,
                      mp_why *why)
{
    static const char sql[] = "SELECT id FROM product WHERE project_id = ?1 AND external_id = ?2";
    mp_err err;
    *id = 0;
    sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
    if (!s)
        return err;
    sqlite3_bind_int64(s, 1, project_id);
    mp_sql_bind_text(s, 2, external_id);
    if (mp_sql_row(c, s, &err, why))
        *id = sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    return err;
}

/* Takes the words that the row has now out of the index. */
static mp_err drop_words(conn *c, int64_t id, mp_why *why)
{
    static const char sql[] =
        "INSERT INTO product_text (product_text, rowid, title, description, category, external_id) "
        "SELECT 'delete', id, title, description, category, external_id FROM product "
        "WHERE id = ?1";
    return mp_sql_exec_ints(c, sql, &id, 1, why);
}

static mp_err add_words(conn *c, int64_t id, mp_why *why)
{
    static const char sql[] =
        "INSERT INTO product_text (rowid, title, description, category, external_id) "
        "SELECT id, title, description, category, external_id FROM product WHERE id = ?1";
    return mp_sql_exec_ints(c, sql, &id, 1, why);
}

static bool same_words(const mp_product *a, const mp_product *b)
{
    return a->id && strcmp(a->title, b->title) == 0 &&
           strcmp(a->description, b->description) == 0 && strcmp(a->category, b->category) == 0 &&
           strcmp(a->external_id, b->external_id) == 0;
}

static mp_err write_row(conn *c, mp_product *p, mp_why *why)
{
    static const char insert[] =
        "INSERT INTO product (project_id, external_id, title, description, category, price_e4, "
        "currency, image_url, metadata, asset_id, index_state, index_error, updated_ms, "
        "created_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
    static const char update[] =
        "UPDATE product SET project_id = ?1, external_id = ?2, title = ?3, description = ?4, "
        "category = ?5, price_e4 = ?6, currency = ?7, image_url = ?8, metadata = ?9, "
        "asset_id = ?10, index_state = ?11, index_error = ?12, updated_ms = ?13 WHERE id = ?14";
    mp_err err;
    sqlite3_stmt *s = mp_sql_get(c, p->id ? update : insert, &err, why);
    if (!s)
        return err;
    sqlite3_bind_int64(s, 1, p->project_id);
    const char *texts[] = {p->external_id, p->title, p->description, p->category};
    for (int i = 0; i < 4; i++)
        mp_sql_bind_text(s, 2 + i, texts[i]);
    if (p->has_price) /* what is not bound is NULL */
        sqlite3_bind_int64(s, 6, p->price_e4);
    mp_sql_bind_text(s, 7, p->currency);
    mp_sql_bind_text(s, 8, p->image_url);
    mp_sql_bind_text(s, 9, p->metadata);
    if (p->asset_id)
        sqlite3_bind_int64(s, 10, p->asset_id);
    sqlite3_bind_int(s, 11, (int)p->index_state);
    mp_sql_bind_text(s, 12, p->index_error);
    sqlite3_bind_int64(s, 13, p->updated_ms);
    sqlite3_bind_int64(s, 14, p->id ? p->id : p->created_ms);
    bool added = !p->id;
    err = mp_sql_run(c, s, why);
    if (!err && added)
        p->id = sqlite3_last_insert_rowid(c->db);
    return err;
}

static mp_err check_references(conn *c, const mp_product *before, const mp_product *after,
                               mp_why *why)
{
    int64_t other = 0;
    mp_err err = before->id ? MP_OK : project_exists(c, after->project_id, why);
    if (!err && after->asset_id != before->asset_id)
        err = asset_exists(c, after->asset_id, why);
    if (!err)
        err = find_id(c, after->project_id, after->external_id, &other, why);
    if (!err && other && other != after->id)
        err = mp_fail(why, MP_EXISTS, "external_id: product %lld has it already", (long long)other);
    return err;
}

static mp_err write_change(conn *c, const mp_product *before, mp_product *after, mp_why *why)
{
    bool words = !same_words(before, after);
    mp_err err = words && before->id ? drop_words(c, before->id, why) : MP_OK;
    if (!err)
        err = write_row(c, after, why);
    return err || !words ? err : add_words(c, after->id, why);
}

/* Lays the change over row p->id, or a new one; `scratch` holds the row as it was. */
static mp_err put_one(conn *c, mp_product *p, unsigned fields, int64_t now_ms, mp_arena *scratch,
                      mp_product_outcome *outcome, mp_why *why)
{
    mp_product before = {.project_id = p->project_id, .created_ms = now_ms};
    if (p->id) {
        mp_err err = mp_sql_get_product(c, p->id, scratch, &before, why);
        if (!err && !before.id)
            err = mp_fail(why, MP_NOT_FOUND, "there is no product %lld", (long long)p->id);
        if (err)
            return err;
    }
    mp_product after = overlay(before, p, fields);
    follow_url(&before, &after, fields);
    *outcome = MP_PRODUCT_UNCHANGED;
    mp_err err = mp_product_check(&after, MP_PRODUCT_ALL, why);
    if (!err && !(before.id && same(&before, &after))) {
        *outcome = before.id ? MP_PRODUCT_UPDATED : MP_PRODUCT_CREATED;
        after.updated_ms = now_ms;
        err = check_references(c, &before, &after, why);
        if (!err)
            err = write_change(c, &before, &after, why);
    }
    if (err)
        return err;
    p->id = after.id;
    p->project_id = after.project_id;
    p->created_ms = after.created_ms;
    p->updated_ms = after.updated_ms;
    return MP_OK;
}

mp_err mp_meta_put_product(mp_meta *m, mp_product *p, unsigned fields, mp_why *why)
{
    conn *c;
    mp_product_outcome outcome;
    mp_product written = *p;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    mp_arena *scratch = mp_arena_new(0);
    err = put_one(c, &written, fields, mp_now_ms(), scratch, &outcome, why);
    err = mp_sql_end(m, err, why);
    mp_arena_free(scratch);
    if (!err)
        *p = written;
    return err;
}

/* ---- many ---- */

/* Only what is wrong with the row itself leaves it out; the rest ends the batch. */
static mp_err upsert_one(conn *c, int64_t project_id, mp_product_row *row, int64_t now_ms,
                         mp_arena *scratch, mp_why *why)
{
    mp_product p = row->product;
    p.project_id = project_id;
    unsigned fields = row->fields | MP_PRODUCT_EXTERNAL_ID;
    row->why.text[0] = '\0';
    mp_err err = mp_product_check(&p, MP_PRODUCT_EXTERNAL_ID, &row->why);
    if (!err)
        err = find_id(c, project_id, p.external_id, &p.id, &row->why);
    if (!err)
        err = put_one(c, &p, fields, now_ms, scratch, &row->outcome, &row->why);
    if (err == MP_INVALID || err == MP_NOT_FOUND) {
        row->outcome = MP_PRODUCT_REFUSED;
        return MP_OK;
    }
    if (err)
        return mp_fail(why, err, "%s", row->why.text);
    row->product = p;
    return MP_OK;
}

mp_err mp_meta_upsert_products(mp_meta *m, int64_t project_id, mp_product_row *rows, size_t n,
                               mp_why *why)
{
    conn *c;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    mp_arena *scratch = mp_arena_new(0);
    int64_t now_ms = mp_now_ms();
    err = project_exists(c, project_id, why);
    for (size_t i = 0; !err && i < n; i++) {
        mp_arena_reset(scratch);
        err = upsert_one(c, project_id, &rows[i], now_ms, scratch, why);
    }
    err = mp_sql_end(m, err, why);
    mp_arena_free(scratch);
    for (size_t i = 0; err && i < n; i++)
        rows[i].product.id = 0; /* of a row that was taken back */
    return err;
}

static mp_err remove_one(conn *c, int64_t id, size_t *removed, mp_why *why)
{
    static const char sql[] = "DELETE FROM product WHERE id = ?1";
    mp_err err = drop_words(c, id, why);
    if (!err)
        err = mp_sql_exec_ints(c, sql, &id, 1, why);
    if (!err && sqlite3_changes(c->db))
        (*removed)++;
    return err;
}

mp_err mp_meta_remove_products(mp_meta *m, const int64_t *ids, size_t n, size_t *removed,
                               mp_why *why)
{
    conn *c;
    size_t count = 0;
    if (removed)
        *removed = 0;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    for (size_t i = 0; !err && i < n; i++)
        err = remove_one(c, ids[i], &count, why);
    err = mp_sql_end(m, err, why);
    if (!err && removed)
        *removed = count;
    return err;
}

/* ---- the picture ---- */

static mp_err set_asset(conn *c, int64_t id, int64_t asset_id, const char *for_url,
                        mp_arena *scratch, mp_why *why)
{
    mp_product row;
    mp_product_outcome outcome;
    mp_err err = mp_sql_get_product(c, id, scratch, &row, why);
    if (!err && !row.id)
        err = mp_fail(why, MP_NOT_FOUND, "there is no product %lld", (long long)id);
    if (!err && for_url && strcmp(for_url, row.image_url) != 0)
        err = mp_fail(why, MP_EXISTS, "the product names another picture by now");
    if (err)
        return err;
    row.asset_id = asset_id;
    row.index_state = asset_id ? MP_INDEX_INDEXED : MP_INDEX_NONE;
    row.index_error = "";
    return put_one(c, &row, MP_PRODUCT_ASSET | MP_PRODUCT_INDEX, mp_now_ms(), scratch, &outcome,
                   why);
}

mp_err mp_meta_set_product_asset(mp_meta *m, int64_t id, int64_t asset_id, const char *for_url,
                                 mp_why *why)
{
    conn *c;
    mp_err err = mp_sql_begin(m, &c, why);
    if (err)
        return err;
    mp_arena *scratch = mp_arena_new(0);
    err = set_asset(c, id, asset_id, for_url, scratch, why);
    err = mp_sql_end(m, err, why);
    mp_arena_free(scratch);
    return err;
}

/* As much of the text as fits, cut between two characters. */
static char *cut_error(const char *error)
{
    size_t n = MP_MIN(strlen(error), (size_t)MP_INDEX_ERROR_MAX);
    if (n < strlen(error))
        while (n && ((unsigned char)error[n] & 0xC0) == 0x80)
            n--;
    char *cut = mp_xmalloc(n + 1);
    memcpy(cut, error, n);
    cut[n] = '\0';
    return cut;
}

mp_err mp_meta_set_product_index(mp_meta *m, const int64_t *ids, size_t n, mp_index_state state,
                                 const char *error, mp_why *why)
{
    static const char sql[] = "UPDATE product SET index_state = ?2, index_error = ?3, "
                              "updated_ms = ?4 WHERE id = ?1";
    conn *c;
    char *cut = cut_error(or_empty(error));
    mp_product checked = {.index_state = state, .index_error = cut};
    mp_err err = mp_product_check(&checked, MP_PRODUCT_INDEX, why);
    if (!err)
        err = mp_sql_begin(m, &c, why);
    if (err) {
        free(cut);
        return err;
    }
    int64_t now_ms = mp_now_ms();
    for (size_t i = 0; !err && i < n; i++) {
        sqlite3_stmt *s = mp_sql_get(c, sql, &err, why);
        if (!s)
            break;
        sqlite3_bind_int64(s, 1, ids[i]);
        sqlite3_bind_int(s, 2, (int)state);
        mp_sql_bind_text(s, 3, cut);
        sqlite3_bind_int64(s, 4, now_ms);
        err = mp_sql_run(c, s, why);
    }
    err = mp_sql_end(m, err, why);
    free(cut);
    return err;
}
