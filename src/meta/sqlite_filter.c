/* sqlite_filter.c - a filter tree as a SQL condition with bound parameters. No text of the user's
 * ever becomes part of the statement. */
#include "meta/sqlite.h"

#include <string.h>

static int add_arg(sql_filter *out, const char *text, int64_t number)
{
    out->arg[out->n].text = text;
    out->arg[out->n].number = number;
    return ++out->n;
}

static const char *relation_sign(mp_relation r)
{
    static const char *const signs[] = {"=", "<>", "<", "<=", ">", ">="};
    return signs[r];
}

static void number_test(const mp_filter *f, const char *column, sql_filter *out)
{
    mp_buf_printf(&out->text, "%s %s ?%d", column, relation_sign(f->relation),
                  add_arg(out, NULL, f->low));
}

/* A date is an interval: = lies inside, < before it, <= before its end, > after it, >= from its
 * begin. */
static void date_test(const mp_filter *f, const char *column, sql_filter *out)
{
    switch (f->relation) {
    case MP_EQ:
    case MP_NE: {
        int low = add_arg(out, NULL, f->low), high = add_arg(out, NULL, f->high);
        mp_buf_printf(&out->text, "%s(%s >= ?%d AND %s < ?%d)", f->relation == MP_NE ? "NOT " : "",
                      column, low, column, high);
        break;
    }
    case MP_LT:
        mp_buf_printf(&out->text, "%s < ?%d", column, add_arg(out, NULL, f->low));
        break;
    case MP_LE:
        mp_buf_printf(&out->text, "%s < ?%d", column, add_arg(out, NULL, f->high));
        break;
    case MP_GT:
        mp_buf_printf(&out->text, "%s >= ?%d", column, add_arg(out, NULL, f->high));
        break;
    case MP_GE:
        mp_buf_printf(&out->text, "%s >= ?%d", column, add_arg(out, NULL, f->low));
        break;
    }
}

/* With a slash before it, from the root: two ranges of indexes. */
static void rooted_test(int at, sql_filter *out)
{
    mp_buf_printf(&out->text,
                  "a.id IN (SELECT id FROM asset WHERE folder <> '' AND folder = trim(?%d, '/') "
                  "UNION ALL SELECT id FROM asset WHERE folder <> '' AND "
                  "folder >= trim(?%d, '/') || '/' AND folder < trim(?%d, '/') || '0' "
                  "UNION ALL SELECT asset_id FROM source WHERE "
                  "path >= '/' || trim(?%d, '/') || '/' AND path < '/' || trim(?%d, '/') || '0')",
                  at, at, at, at, at);
}

/* The folders hold `folder` as whole components: '/x/' || folder || '/' occurs in what was told
 * with an upload, or in a path up to its last slash. instr compares bytes, which is what paths are.
 */
static void folder_test(const mp_filter *f, sql_filter *out)
{
    int at = add_arg(out, f->text, 0);
    if (f->text[0] == '/' && f->text[strspn(f->text, "/")])
        rooted_test(at, out);
    else
        mp_buf_printf(&out->text,
                      "(a.folder <> '' AND "
                      "instr('/' || a.folder || '/', '/' || trim(?%d, '/') || '/') > 0 OR "
                      "EXISTS (SELECT 1 FROM source s WHERE s.asset_id = a.id AND "
                      "instr(s.path, '/' || trim(?%d, '/') || '/') > 0))",
                      at, at);
}

/* By number, or several with commas; anything else is a name. */
static void project_test(const mp_filter *f, sql_filter *out)
{
    bool numbers = *f->text && f->text[strspn(f->text, "0123456789,")] == '\0';
    const char *text = f->text;
    int at = add_arg(out, text, 0);
    if (numbers)
        mp_buf_printf(&out->text, "instr(',' || ?%d || ',', ',' || a.project_id || ',') > 0", at);
    else
        mp_buf_printf(&out->text,
                      "a.project_id IN (SELECT id FROM project WHERE name = ?%d COLLATE NOCASE)",
                      at);
}

static void test(const mp_filter *f, sql_filter *out)
{
    const char *not = f->relation == MP_NE ? "NOT " : "";
    switch (f->field) {
    case MP_FIELD_TAG:
        mp_buf_printf(&out->text,
                      "%sEXISTS (SELECT 1 FROM asset_tag at JOIN tag t ON t.id = at.tag_id "
                      "WHERE at.asset_id = a.id AND t.name = ?%d COLLATE NOCASE)",
                      not, add_arg(out, f->text, 0));
        break;
    case MP_FIELD_FOLDER:
        mp_buf_str(&out->text, not );
        folder_test(f, out);
        break;
    case MP_FIELD_NAME:
        mp_buf_printf(&out->text, "%slower(a.name) GLOB lower(?%d)", not, add_arg(out, f->text, 0));
        break;
    case MP_FIELD_FORMAT:
        mp_buf_printf(&out->text, "%sv.format = lower(?%d)", not, add_arg(out, f->text, 0));
        break;
    case MP_FIELD_SIZE:
        number_test(f, "v.bytes", out);
        break;
    case MP_FIELD_WIDTH:
        number_test(f, "v.width", out);
        break;
    case MP_FIELD_HEIGHT:
        number_test(f, "v.height", out);
        break;
    case MP_FIELD_DATE:
        date_test(f, TAKEN, out);
        break;
    case MP_FIELD_ADDED:
        date_test(f, "a.added_ms", out);
        break;
    case MP_FIELD_ISSUE:
        mp_buf_printf(&out->text, "%s(v.issues & ?%d) <> 0", not, add_arg(out, NULL, f->low));
        break;
    case MP_FIELD_STATE:
        mp_buf_printf(&out->text, "%sa.state = ?%d", not, add_arg(out, NULL, f->low));
        break;
    case MP_FIELD_ID:
        number_test(f, "a.id", out);
        break;
    case MP_FIELD_PRODUCT:
        mp_buf_printf(&out->text, "%s%sEXISTS (SELECT 1 FROM product p WHERE p.asset_id = a.id)",
                      not, f->low ? "" : "NOT ");
        break;
    case MP_FIELD_CATEGORY:
        mp_buf_printf(&out->text,
                      "%sEXISTS (SELECT 1 FROM product p WHERE p.asset_id = a.id AND "
                      "p.category = ?%d COLLATE NOCASE)",
                      not, add_arg(out, f->text, 0));
        break;
    case MP_FIELD_PRICE:
        mp_buf_printf(&out->text,
                      "EXISTS (SELECT 1 FROM product p WHERE p.asset_id = a.id AND "
                      "p.price_e4 %s ?%d)",
                      relation_sign(f->relation), add_arg(out, NULL, f->low));
        break;
    case MP_FIELD_PROJECT:
        mp_buf_str(&out->text, not );
        project_test(f, out);
        break;
    }
}

static void walk(const mp_filter *f, sql_filter *out)
{
    mp_buf_str(&out->text, "(");
    switch (f->op) {
    case MP_F_TEST:
        test(f, out);
        break;
    case MP_F_NOT:
        mp_buf_str(&out->text, "NOT ");
        walk(f->left, out);
        break;
    case MP_F_AND:
    case MP_F_OR:
        walk(f->left, out);
        mp_buf_str(&out->text, f->op == MP_F_AND ? " AND " : " OR ");
        walk(f->right, out);
        break;
    }
    mp_buf_str(&out->text, ")");
}

static size_t count_tests(const mp_filter *f)
{
    if (!f)
        return 0;
    return f->op == MP_F_TEST ? 1 : count_tests(f->left) + count_tests(f->right);
}

mp_err mp_sql_filter_make(const mp_filter *f, sql_filter *out, mp_why *why)
{
    *out = (sql_filter){0};
    if (count_tests(f) * 2 > MP_COUNT(out->arg)) /* a date takes two parameters */
        return mp_fail(why, MP_INVALID, "the filter has too many conditions");
    mp_buf_str(&out->text, mp_filter_wants_trashed(f) ? "a.type = 'image'"
                                                      : "a.type = 'image' AND a.state <> 2");
    if (f) {
        mp_buf_str(&out->text, " AND ");
        walk(f, out);
    }
    return MP_OK;
}

void mp_sql_filter_bind(const sql_filter *f, sqlite3_stmt *s, int first)
{
    for (int i = 0; i < f->n; i++) {
        if (f->arg[i].text)
            sqlite3_bind_text(s, first + i, f->arg[i].text, -1, SQLITE_STATIC);
        else
            sqlite3_bind_int64(s, first + i, f->arg[i].number);
    }
}
