/* product_import.c - a catalogue out of a file: CSV or JSON lines, row by row. */
#include "http/items.h"
#include "http/products.h"
#include "http/server.h"

#include "core/ports.h"
#include "service/import.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BATCH = 500, ERRORS = 100, BATCH_BYTES = 4 * 1024 * 1024 };

typedef struct importing {
    mp_request *r;
    int64_t project;
    mp_product_row *rows;
    uint64_t line[BATCH];
    size_t n;
    uint64_t begun; /* bytes of the file before this batch */
    json_int_t created, updated, unchanged, refused;
    json_t *errors;  /* the first ones */
    mp_arena *arena; /* of the rows of one batch */
} importing;

static void note_error(importing *in, uint64_t line, const mp_why *why)
{
    in->refused++;
    json_t *words = json_string(why->text);
    if (json_array_size(in->errors) < ERRORS)
        json_array_append_new(in->errors, json_pack("{s:I, s:o}", "line", (json_int_t)line, "error",
                                                    words ? words : json_string("not UTF-8")));
    else
        json_decref(words);
}

static mp_err write_batch(importing *in, mp_why *why)
{
    mp_meta *meta = mp_core_meta(in->r->service->library);
    mp_err err = in->n ? mp_meta_upsert_products(meta, in->project, in->rows, in->n, why) : MP_OK;
    for (size_t i = 0; !err && i < in->n; i++) {
        in->created += in->rows[i].outcome == MP_PRODUCT_CREATED;
        in->updated += in->rows[i].outcome == MP_PRODUCT_UPDATED;
        in->unchanged += in->rows[i].outcome == MP_PRODUCT_UNCHANGED;
        if (in->rows[i].outcome == MP_PRODUCT_REFUSED)
            note_error(in, in->line[i], &in->rows[i].why);
    }
    in->n = 0;
    mp_arena_reset(in->arena);
    return err;
}

/* A row whose picture may not be fetched is refused as a whole: a half of it would be a surprise.
 */
static mp_err check_url(const importing *in, const mp_product_row *row, mp_why *why)
{
    if (!(row->fields & MP_PRODUCT_IMAGE_URL) || !*row->product.image_url)
        return MP_OK;
    return mp_net_check_url(row->product.image_url, in->r->service->allow, why);
}

static mp_err read_rows(importing *in, mp_import *from, mp_why *why)
{
    for (;;) {
        mp_why bad = {0};
        mp_product_row *row = &in->rows[in->n];
        mp_err err = mp_import_next(from, in->arena, row, &in->line[in->n], &bad);
        if (err == MP_NOT_FOUND)
            return write_batch(in, why);
        if (!err)
            err = check_url(in, row, &bad);
        if (err == MP_INVALID) {
            note_error(in, in->line[in->n], &bad);
            continue;
        }
        if (err)
            return mp_fail(why, err, "%s", bad.text);
        in->n++;
        if (in->n < BATCH && mp_import_bytes(from) - in->begun < BATCH_BYTES)
            continue;
        in->begun = mp_import_bytes(from);
        err = write_batch(in, why);
        if (err)
            return err;
    }
}

/* {"column": "field", ...} */
static bool read_mapping(mp_request *r, const char *text, mp_import_column **out, size_t *n)
{
    json_t *value;
    const char *column;
    *out = NULL;
    *n = 0;
    if (!text)
        return true;
    json_t *mapping = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    size_t size = json_object_size(mapping);
    *out = json_is_object(mapping) && size <= MP_IMPORT_COLUMNS_MAX
               ? mp_arena_alloc(r->arena, (size + 1) * sizeof **out)
               : NULL;
    json_object_foreach(mapping, column, value)
    {
        if (*out && json_is_string(value))
            (*out)[(*n)++] =
                (mp_import_column){mp_arena_strdup(r->arena, mp_str_of(column)),
                                   mp_arena_strdup(r->arena, mp_str_of(json_string_value(value)))};
    }
    json_decref(mapping);
    if (*out && *n == size)
        return true;
    mp_reply_problem(r, 422, "mapping is an object of columns and their fields");
    return false;
}

static const char *part_text(const mp_request *r, const char *name)
{
    for (size_t i = 0; i < r->n_parts; i++)
        if (!r->parts[i].file_name && strcmp(r->parts[i].field, name) == 0)
            return r->parts[i].text;
    return mp_request_query(r, name);
}

/* By its type, else by its name. */
static mp_import_kind kind_of(const mp_request *r, const mp_part *file)
{
    const char *type = file->type ? file->type : "", *dot = strrchr(file->file_name, '.');
    const char *format = part_text(r, "format");
    bool lines = strstr(type, "json") ||
                 (dot && (strcmp(dot, ".jsonl") == 0 || strcmp(dot, ".ndjson") == 0));
    if (format)
        lines = strcmp(format, "jsonl") == 0;
    return lines ? MP_IMPORT_LINES : MP_IMPORT_CSV;
}

static void run_import(mp_request *r, const mp_part *file, int64_t project,
                       const mp_import_column *mapping, size_t n_mapping)
{
    mp_import *from;
    mp_why why = {0};
    mp_import_options opt = {
        .kind = kind_of(r, file), .fd = file->fd, .mapping = mapping, .n_mapping = n_mapping};
    importing in = {.r = r, .project = project, .errors = json_array(), .arena = mp_arena_new(0)};
    in.rows = mp_xcalloc(BATCH, sizeof *in.rows);
    mp_err err = lseek(file->fd, 0, SEEK_SET) == 0 ? mp_import_open(&from, &opt, &why)
                                                   : mp_fail(&why, MP_IO, "cannot read the file");
    if (!err) {
        err = read_rows(&in, from, &why);
        mp_import_close(from);
    }
    if (err) {
        json_decref(in.errors);
        mp_reply_error(r, (magpie_err)(err == MP_UNSUPPORTED ? MP_INVALID : err),
                       (const magpie_why *)(const void *)&why);
    } else {
        int64_t job = in.created + in.updated ? mp_product_queue(r, project, NULL, 0) : 0;
        mp_reply_json(r, 200,
                      json_pack("{s:s, s:I, s:I, s:I, s:I, s:o, s:o}", "status", "done", "created",
                                in.created, "updated", in.updated, "unchanged", in.unchanged,
                                "refused", in.refused, "errors", in.errors, "job_id",
                                job ? json_integer(job) : json_null()));
    }
    free(in.rows);
    mp_arena_free(in.arena);
}

void mp_handle_import_products(mp_request *r)
{
    const mp_part *file = NULL;
    mp_import_column *mapping;
    size_t n;
    int64_t project = 0;
    char *end = NULL;
    const char *given = part_text(r, "project_id"), *format = part_text(r, "format");
    for (size_t i = 0; i < r->n_parts; i++)
        file = r->parts[i].file_name && !file ? &r->parts[i] : file;
    if (given)
        project = *given >= '1' && *given <= '9' ? strtoll(given, &end, 10) : -1;
    if (project < 0 || (end && *end))
        mp_reply_problem(r, 422, "project_id must be a number");
    else if (!file || !file->bytes)
        mp_reply_problem(r, 422, "there is no file in the body");
    else if (format && strcmp(format, "csv") != 0 && strcmp(format, "jsonl") != 0)
        mp_reply_problem(r, 422, "format must be csv or jsonl");
    else if (read_mapping(r, part_text(r, "mapping"), &mapping, &n) &&
             mp_project_to_write(r, project, &project))
        run_import(r, file, project, mapping, n);
}
