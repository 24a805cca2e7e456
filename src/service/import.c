/* import.c - what both kinds of import files have in common: blocks of bytes, the names of columns,
 * values into a product. See import.h. */
#include "service/import_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* ---- bytes ---- */

static mp_err read_block(mp_import *in, mp_why *why)
{
    ssize_t n;
    do
        n = read(in->fd, in->block + in->filled, IMPORT_BLOCK - in->filled);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return mp_fail_errno(why, errno, "cannot read the file");
    in->filled += (size_t)n;
    in->ended = n == 0;
    return MP_OK;
}

mp_err import_fill(mp_import *in, mp_why *why)
{
    if (in->at < in->filled || in->ended)
        return MP_OK;
    in->before += in->filled;
    in->at = in->filled = 0;
    return read_block(in, why);
}

/* The first line, or as much of it as fits, is in the block: what kind of file is this? */
static mp_err read_beginning(mp_import *in, mp_why *why)
{
    mp_err err = MP_OK;
    while (!err && !in->ended && in->filled < IMPORT_BLOCK && !memchr(in->block, '\n', in->filled))
        err = read_block(in, why);
    if (err)
        return err;
    bool utf16 = in->filled >= 2 &&
                 (memcmp(in->block, "\xFF\xFE", 2) == 0 || memcmp(in->block, "\xFE\xFF", 2) == 0);
    if (utf16 || memchr(in->block, 0, in->filled))
        return mp_fail(why, MP_UNSUPPORTED, "the file is not UTF-8 text");
    if (in->filled >= 3 && memcmp(in->block, "\xEF\xBB\xBF", 3) == 0)
        in->at = 3;
    return MP_OK;
}

/* ---- names ---- */

static const char *const names[] = {"external_id", "title",    "description", "category",
                                    "price",       "currency", "image_url",   "metadata"};
_Static_assert(1 << FIELD_METADATA == MP_PRODUCT_METADATA, "fields are in the order of their bits");

const char *import_field_name(import_field field)
{
    return (size_t)field < MP_COUNT(names) ? names[field] : "";
}

static bool is_called(mp_str name, const char *other)
{
    return strlen(other) == name.n && strncasecmp(other, name.p, name.n) == 0;
}

static import_field field_called(mp_str name)
{
    size_t i = 0;
    while (i < MP_COUNT(names) && !is_called(name, names[i]))
        i++;
    return i < MP_COUNT(names) ? (import_field)i : FIELD_OTHER;
}

import_field import_field_of(const mp_import *in, mp_str name)
{
    for (size_t i = 0; i < in->n_mapping; i++)
        if (is_called(name, in->mapping[i].column))
            return in->mapping[i].field;
    return field_called(name);
}

static mp_err take_mapping(mp_import *in, const mp_import_options *opt, mp_why *why)
{
    in->mapping = mp_try_array(opt->n_mapping, sizeof *in->mapping);
    if (!in->mapping)
        return mp_fail(why, MP_NOMEM, "no memory for the mapping");
    for (size_t i = 0; i < opt->n_mapping; i++) {
        mp_str field = mp_str_of(opt->mapping[i].field);
        import_field to = field.n ? field_called(field) : FIELD_NONE;
        if (to == FIELD_OTHER)
            return mp_fail(why, MP_INVALID, "mapping: a product has no field of this name (%zu)",
                           i + 1);
        in->mapping[i].column = mp_xstrdup(opt->mapping[i].column);
        in->mapping[i].field = to;
        in->n_mapping++;
    }
    return MP_OK;
}

/* ---- values ---- */

mp_err import_claim(unsigned *fields, import_field field, mp_why *why)
{
    if (*fields & 1u << field)
        return mp_fail(why, MP_INVALID, "%s: it is given twice", import_field_name(field));
    *fields |= 1u << field;
    return MP_OK;
}

mp_str import_trimmed(mp_str text)
{
    while (text.n && strchr(" \t\r\n", *text.p)) {
        text.p++;
        text.n--;
    }
    while (text.n && strchr(" \t\r\n", text.p[text.n - 1]))
        text.n--;
    return text;
}

/* Also as spreadsheets of many countries write it: with a comma and one or two digits behind it.
 * Three digits could be thousands: those are refused. */
static mp_err set_price(mp_product *p, mp_str text, mp_why *why)
{
    char plain[32];
    const char *comma = memchr(text.p, ',', text.n);
    size_t behind = comma ? text.n - (size_t)(comma - text.p) - 1 : 0;
    if ((behind == 1 || behind == 2) && text.n < sizeof plain && !memchr(text.p, '.', text.n)) {
        memcpy(plain, text.p, text.n);
        plain[comma - text.p] = '.';
        text.p = plain;
    }
    return mp_price_parse(text, &p->price_e4, why);
}

mp_err import_set(mp_product *p, import_field field, mp_str text, mp_arena *arena, mp_why *why)
{
    const char **places[] = {[FIELD_EXTERNAL_ID] = &p->external_id,
                             [FIELD_TITLE] = &p->title,
                             [FIELD_DESCRIPTION] = &p->description,
                             [FIELD_CATEGORY] = &p->category,
                             [FIELD_PRICE] = NULL,
                             [FIELD_CURRENCY] = &p->currency,
                             [FIELD_IMAGE_URL] = &p->image_url,
                             [FIELD_METADATA] = &p->metadata};
    if (field == FIELD_PRICE || field == FIELD_CURRENCY || field == FIELD_METADATA)
        text = import_trimmed(text);
    if (field == FIELD_PRICE) {
        p->has_price = text.n > 0;
        return p->has_price ? set_price(p, text, why) : MP_OK;
    }
    *places[field] = mp_arena_strdup(arena, text);
    return *places[field] ? MP_OK : mp_fail(why, MP_NOMEM, "no memory for the row");
}

void import_add_other(mp_import *in, mp_str key, mp_str value)
{
    if (in->others.n)
        mp_buf_str(&in->others, ",");
    mp_buf_add(&in->others, key.p, key.n);
    mp_buf_str(&in->others, ":");
    mp_buf_add(&in->others, value.p, value.n);
}

/* "{...}" and the others: "{..., others}". The metadata of the row was found to be an object. */
static mp_err join_others(mp_import *in, mp_product *p, mp_arena *arena, mp_why *why)
{
    mp_buf joined = {0};
    mp_str own = mp_str_of(p->metadata && *p->metadata ? p->metadata : "{}");
    size_t inner = own.n - 1; /* without the closing brace */
    while (inner > 1 && strchr(" \t\r\n", own.p[inner - 1]))
        inner--;
    mp_buf_add(&joined, own.p, inner);
    mp_buf_str(&joined, inner > 1 ? "," : "");
    mp_buf_add(&joined, in->others.p, in->others.n);
    mp_buf_str(&joined, "}");
    p->metadata = mp_arena_strdup(arena, (mp_str){joined.p, joined.n});
    mp_buf_free(&joined);
    return p->metadata ? MP_OK : mp_fail(why, MP_NOMEM, "no memory for the row");
}

mp_err import_finish(mp_import *in, mp_product_row *row, mp_arena *arena, mp_why *why)
{
    mp_err err = mp_product_check(&row->product, row->fields | MP_PRODUCT_EXTERNAL_ID, why);
    if (err || !in->others.n)
        return err;
    err = join_others(in, &row->product, arena, why);
    return err ? err : mp_product_check(&row->product, MP_PRODUCT_METADATA, why);
}

/* ---- the calls ---- */

mp_err mp_import_open(mp_import **out, const mp_import_options *opt, mp_why *why)
{
    *out = NULL;
    mp_import *in = mp_xcalloc(1, sizeof *in);
    in->kind = opt->kind;
    in->fd = opt->fd;
    in->next_line = 1;
    in->block = mp_try_array(IMPORT_BLOCK, 1);
    in->row = mp_try_array(MP_IMPORT_ROW_MAX + 2, 1);
    mp_err err = in->block && in->row ? take_mapping(in, opt, why)
                                      : mp_fail(why, MP_NOMEM, "no memory to read the file");
    if (!err)
        err = read_beginning(in, why);
    if (!err)
        err = in->kind == MP_IMPORT_CSV ? import_csv_open(in, why) : import_lines_open(in, why);
    if (err) {
        mp_import_close(in);
        return err;
    }
    *out = in;
    return MP_OK;
}

void mp_import_close(mp_import *in)
{
    if (!in)
        return;
    for (size_t i = 0; i < in->n_mapping; i++)
        free(in->mapping[i].column);
    for (size_t i = 0; i < in->n_columns; i++)
        free(in->columns[i].key);
    free(in->mapping);
    free(in->columns);
    free(in->block);
    free(in->row);
    mp_buf_free(&in->others);
    free(in);
}

mp_err mp_import_next(mp_import *in, mp_arena *arena, mp_product_row *row, uint64_t *line,
                      mp_why *why)
{
    *row = (mp_product_row){0};
    *line = 0;
    in->others.n = 0;
    mp_err err = in->kind == MP_IMPORT_CSV ? import_csv_next(in, arena, row, line, why)
                                           : import_lines_next(in, arena, row, line, why);
    if (err)
        *row = (mp_product_row){0};
    return err;
}

uint64_t mp_import_bytes(const mp_import *in)
{
    return in->done;
}
