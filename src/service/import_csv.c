/* import_csv.c - comma-separated values (RFC 4180), as spreadsheets write them too: any of three
 * delimiters, LF, CRLF or CR. A quote within a cell that does not begin with one is only a quote.
 */
#include "service/import_parts.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* ---- rows ---- */

typedef enum csv_state {
    CELL_BEGINS,
    CELL_PLAIN,
    CELL_QUOTED,
    QUOTE_IN_QUOTED /* its end, or the first of two */
} csv_state;

typedef struct csv_row {
    csv_state state;
    size_t bytes;
    bool any, ended;
    const char *wrong; /* NULL: nothing */
} csv_row;

static void keep(mp_import *in, csv_row *r, char c)
{
    if (r->bytes <= MP_IMPORT_ROW_MAX)
        in->row[in->n_row++] = c;
}

static void begin_cell(mp_import *in, csv_row *r)
{
    if (in->n_cells < MP_COUNT(in->cells))
        in->cells[in->n_cells] = in->n_row;
    else
        r->wrong = "it has too many cells";
    in->n_cells += r->wrong ? 0 : 1;
    r->state = CELL_BEGINS;
}

static void outside_quotes(mp_import *in, csv_row *r, char c)
{
    if (c == in->delimiter) {
        keep(in, r, '\0');
        begin_cell(in, r);
    } else if (c == '\n' || c == '\r') {
        r->ended = true;
        in->after_cr = c == '\r';
    } else if (r->state == QUOTE_IN_QUOTED) {
        r->wrong = "something follows a closing quote";
        r->state = CELL_PLAIN;
    } else {
        keep(in, r, c);
        r->state = CELL_PLAIN;
    }
}

static void take_byte(mp_import *in, csv_row *r, char c)
{
    r->any = true;
    if (++r->bytes > MP_IMPORT_ROW_MAX)
        r->wrong = "it is longer than 1 MiB";
    if (c == '\0')
        r->wrong = "it has a zero byte";
    if (r->state == CELL_QUOTED && c == '"') {
        r->state = QUOTE_IN_QUOTED;
    } else if (r->state == CELL_QUOTED) {
        keep(in, r, c);
    } else if (r->state == CELL_BEGINS && c == '"') {
        r->state = CELL_QUOTED;
    } else if (r->state == QUOTE_IN_QUOTED && c == '"') {
        keep(in, r, c);
        r->state = CELL_QUOTED;
    } else {
        outside_quotes(in, r, c);
    }
}

/* The second half of a CRLF whose first half ended the row before. */
static mp_err skip_lf(mp_import *in, mp_why *why)
{
    mp_err err = in->after_cr ? import_fill(in, why) : MP_OK;
    if (in->after_cr && in->at < in->filled && in->block[in->at] == '\n')
        in->at++;
    in->after_cr = false;
    return err;
}

/* Reads a row into in->row and in->cells, each cell ending with a zero byte. NOT_FOUND at the end
 * of the file; *line: where it begins. A row that is wrong is read to its end all the same. */
static mp_err read_row(mp_import *in, csv_row *r, uint64_t *line, mp_why *why)
{
    bool cr = false;
    *r = (csv_row){0};
    in->n_row = in->n_cells = 0;
    begin_cell(in, r);
    *line = in->next_line;
    mp_err err = skip_lf(in, why);
    while (!err && !r->ended) {
        err = import_fill(in, why);
        if (err || in->at == in->filled)
            break;
        char c = (char)in->block[in->at++];
        in->next_line += c == '\r' || (c == '\n' && !cr);
        cr = c == '\r';
        take_byte(in, r, c);
    }
    in->row[in->n_row] = '\0';
    in->done = in->before + in->at;
    if (!err && !r->any)
        return mp_fail(why, MP_NOT_FOUND, "the file has ended");
    if (r->state == CELL_QUOTED)
        r->wrong = "a quote is never closed";
    return err;
}

static bool is_empty(const mp_import *in, const csv_row *r)
{
    return in->n_cells == 1 && in->n_row == 0 && r->state == CELL_BEGINS && !r->wrong;
}

static mp_str cell(const mp_import *in, size_t i)
{
    size_t end = i + 1 < in->n_cells ? in->cells[i + 1] - 1 : in->n_row;
    return (mp_str){in->row + in->cells[i], end - in->cells[i]};
}

/* ---- the header ---- */

/* Whichever of the three the first line has most of, outside quotes; a comma if it has none. */
static char find_delimiter(const mp_import *in)
{
    static const char candidates[] = ",;\t";
    size_t counts[sizeof candidates] = {0}, best = 0;
    bool quoted = false, any = false;
    for (size_t i = in->at; i < in->filled; i++) {
        char c = (char)in->block[i];
        bool end = !quoted && (c == '\n' || c == '\r');
        if (end && any)
            break;
        any = any || !end;
        if (c == '"')
            quoted = !quoted;
        const char *known = quoted || c == '\0' ? NULL : strchr(candidates, c);
        if (known)
            counts[known - candidates]++;
    }
    for (size_t i = 1; i < sizeof candidates - 1; i++)
        if (counts[i] > counts[best])
            best = i;
    return candidates[best];
}

static bool key_known(const mp_import *in, const char *key)
{
    for (size_t i = 0; i < in->n_columns; i++)
        if (in->columns[i].key && strcmp(in->columns[i].key, key) == 0)
            return true;
    return false;
}

/* The text as a JSON string; NULL when it is not UTF-8. Free it. */
static char *json_text(mp_str text)
{
    json_t *string = json_stringn(text.p, text.n);
    char *json = string ? json_dumps(string, JSON_ENCODE_ANY) : NULL;
    json_decref(string);
    return json;
}

static mp_err take_column(mp_import *in, mp_str name, mp_why *why)
{
    import_column *column = &in->columns[in->n_columns];
    column->field = name.n ? import_field_of(in, name) : FIELD_NONE;
    if (column->field == FIELD_OTHER) {
        char *key = json_text(name);
        bool twice = key && key_known(in, key);
        column->key = key;
        in->fields |= MP_PRODUCT_METADATA;
        if (!key || twice)
            return mp_fail(why, MP_INVALID,
                           twice ? "header: column %zu has the name of one before it"
                                 : "header: the name of column %zu is not valid UTF-8",
                           in->n_columns + 1);
    }
    return MP_OK;
}

mp_err import_csv_open(mp_import *in, mp_why *why)
{
    csv_row r;
    uint64_t line;
    unsigned claimed = 0;
    in->delimiter = find_delimiter(in);
    mp_err err;
    do
        err = read_row(in, &r, &line, why);
    while (!err && is_empty(in, &r));
    if (err == MP_NOT_FOUND)
        return mp_fail(why, MP_INVALID, "the file is empty: it has no header row");
    if (err)
        return err;
    if (r.wrong || in->n_cells > MP_IMPORT_COLUMNS_MAX)
        return mp_fail(why, MP_INVALID, "header: %s", r.wrong ? r.wrong : "it has too many cells");
    in->columns = mp_try_array(in->n_cells, sizeof *in->columns);
    if (!in->columns)
        return mp_fail(why, MP_NOMEM, "no memory for the columns");
    for (size_t i = 0; !err && i < in->n_cells; i++) {
        err = take_column(in, import_trimmed(cell(in, i)), why);
        if (!err && in->columns[i].field < FIELD_OTHER)
            err = import_claim(&claimed, in->columns[i].field, why);
        in->n_columns++;
    }
    in->fields |= claimed;
    if (!err && !(in->fields & MP_PRODUCT_EXTERNAL_ID))
        err = mp_fail(why, MP_INVALID, "header: no column is called external_id");
    return err;
}

/* ---- products ---- */

static mp_err add_other(mp_import *in, size_t i, mp_why *why)
{
    mp_str text = cell(in, i);
    if (!text.n)
        return MP_OK;
    char *json = json_text(text);
    if (!json)
        return mp_fail(why, MP_INVALID, "column %zu: it is not valid UTF-8", i + 1);
    import_add_other(in, mp_str_of(in->columns[i].key), mp_str_of(json));
    free(json);
    return MP_OK;
}

static mp_err take_cells(mp_import *in, const csv_row *r, mp_arena *arena, mp_product *p,
                         mp_why *why)
{
    if (r->wrong)
        return mp_fail(why, MP_INVALID, "the row cannot be read: %s", r->wrong);
    if (in->n_cells != in->n_columns)
        return mp_fail(why, MP_INVALID, "the row has %zu cells, the header has %zu", in->n_cells,
                       in->n_columns);
    mp_err err = MP_OK;
    for (size_t i = 0; !err && i < in->n_columns; i++) {
        if (in->columns[i].field == FIELD_OTHER)
            err = add_other(in, i, why);
        else if (in->columns[i].field != FIELD_NONE)
            err = import_set(p, in->columns[i].field, cell(in, i), arena, why);
    }
    return err;
}

mp_err import_csv_next(mp_import *in, mp_arena *arena, mp_product_row *row, uint64_t *line,
                       mp_why *why)
{
    csv_row r;
    mp_err err;
    do
        err = read_row(in, &r, line, why);
    while (!err && is_empty(in, &r));
    if (err == MP_NOT_FOUND)
        *line = 0;
    if (!err)
        err = take_cells(in, &r, arena, &row->product, why);
    row->fields = in->fields;
    return err ? err : import_finish(in, row, arena, why);
}
