/* export.c - see export.h. Pictures go into the ZIP file as they come up; the manifests, which say
 * what became of each, follow at the end. */
#include "pack/export.h"

#include "base/os.h"
#include "pack/manifest.h"
#include "pack/names.h"
#include "pack/spool.h"
#include "pack/tick.h"
#include "pack/vectors.h"
#include "pack/zip_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 1000, KINDS = 3, THUMBNAIL_PX = 256 };

_Static_assert((int)MP_EXPORT_JSON == (int)MP_MANIFEST_JSON &&
                   (int)MP_EXPORT_CSV == (int)MP_MANIFEST_CSV &&
                   (int)MP_EXPORT_COCO == (int)MP_MANIFEST_COCO,
               "the bits are handed on");

typedef struct exporter {
    magpie *library;
    const mp_export_options *opt;
    mp_export_report report;
    mp_zip_writer *zip;
    mp_pack_names *names;
    mp_manifest_head head;
    mp_manifest *manifest[KINDS]; /* NULL: not asked for */
    mp_pack_spool *ids;           /* of the rows; NULL: no vectors asked for */
    int dims;
    mp_pack_tick tick;
} exporter;

static mp_err outer(magpie_err err, const magpie_why *from, mp_why *why)
{
    return err ? mp_fail(why, (mp_err)err, "%s", from->text) : MP_OK;
}

/* ---- one picture ---- */

static mp_err skip(exporter *e, int64_t id, const char *reason, mp_why *why)
{
    mp_err err = MP_OK;
    e->report.skipped++;
    for (int k = 0; !err && k < KINDS; k++)
        if (e->manifest[k])
            err = mp_manifest_skip(e->manifest[k], id, reason, why);
    return err;
}

static mp_err put(exporter *e, const mp_zip_entry *entry, const uint8_t *data, mp_why *why)
{
    mp_err err = mp_zip_begin(e->zip, entry, why);
    return err ? err : mp_zip_data(e->zip, data, (size_t)entry->bytes, why);
}

/* *reason stays NULL unless the picture is to be skipped. The library's own words are not used:
 * they name paths of this machine. */
static mp_err read_original(exporter *e, const magpie_item *item, uint8_t **data, size_t *n,
                            const char **reason, mp_why *why)
{
    magpie_why inner = {0};
    magpie_err err = magpie_content(e->library, item->id, data, n, &inner);
    *reason = NULL;
    if (err == MAGPIE_NOT_FOUND)
        *reason = "the file is gone or changed";
    else if (err == MAGPIE_CORRUPT)
        *reason = "the bytes are no longer those that were added";
    else if (!err && *n != (size_t)item->bytes)
        *reason = "it was changed during the export";
    return *reason ? MP_OK : outer(err, &inner, why);
}

static mp_err put_original(exporter *e, const magpie_item *item, const char *file,
                           const uint8_t *data, size_t n, mp_why *why)
{
    mp_zip_entry entry = {.name = file, .bytes = n, .mtime_ms = item->mtime_ms};
    entry.deflate = strcmp(item->format, "ppm") == 0; /* the one that is not compressed */
    mp_err err = put(e, &entry, data, why);
    if (!err)
        e->report.originals++;
    return err;
}

/* A picture that cannot be decoded any more has none: `file` is "" then. */
static mp_err put_thumbnail(exporter *e, const magpie_item *item, char *file, size_t cap,
                            mp_why *why)
{
    magpie_why inner = {0};
    uint8_t *data = NULL;
    size_t n = 0;
    magpie_err got = magpie_thumbnail(e->library, item->id, THUMBNAIL_PX, &data, &n, &inner);
    *file = '\0';
    if (got == MAGPIE_NOT_FOUND || got == MAGPIE_CORRUPT || got == MAGPIE_UNSUPPORTED ||
        got == MAGPIE_TOO_BIG || got == MAGPIE_TIMEOUT)
        return MP_OK;
    mp_err err = outer(got, &inner, why);
    if (!err) {
        snprintf(file, cap, "thumbnails/%lld.webp", (long long)item->id);
        mp_zip_entry entry = {.name = file, .bytes = n, .mtime_ms = item->added_ms};
        err = put(e, &entry, data, why);
        e->report.thumbnails++;
    }
    magpie_free(data);
    return err;
}

static mp_err list(exporter *e, const mp_manifest_row *row, mp_why *why)
{
    mp_err err = MP_OK;
    for (int k = 0; !err && k < KINDS; k++)
        if (e->manifest[k])
            err = mp_manifest_add(e->manifest[k], row, why);
    if (!err && e->ids)
        err = mp_pack_spool_add(e->ids, &row->item->id, sizeof row->item->id, why);
    if (!err)
        e->report.images++;
    return err;
}

static mp_err export_item(exporter *e, const magpie_item *item, mp_why *why)
{
    enum { FOLDER = sizeof "images/" - 1 };
    char file[FOLDER + MP_PACK_NAME] = "images/", thumbnail[64] = "";
    const char *reason = NULL;
    uint8_t *data = NULL;
    size_t n = 0;
    mp_err err = MP_OK;
    if (e->opt->originals)
        err = read_original(e, item, &data, &n, &reason, why);
    if (err || reason) {
        magpie_free(data);
        return err ? err : skip(e, item->id, reason, why);
    }
    err = mp_pack_names_take(e->names, item->name, item->format, item->id, file + FOLDER, why);
    if (!err && e->opt->originals)
        err = put_original(e, item, file, data, n, why);
    magpie_free(data);
    if (!err && e->opt->thumbnails)
        err = put_thumbnail(e, item, thumbnail, sizeof thumbnail, why);
    mp_manifest_row row = {.item = item,
                           .file = e->opt->originals ? file : NULL,
                           .safe_name = file + FOLDER,
                           .thumbnail = *thumbnail ? thumbnail : NULL};
    return err ? err : list(e, &row, why);
}

static mp_err tell(exporter *e, mp_why *why)
{
    e->tick.progress.done = e->report.images + e->report.skipped;
    e->tick.progress.bytes = mp_zip_bytes(e->zip);
    return mp_pack_tell(&e->tick, why);
}

/* ---- which pictures ---- */

static mp_err export_matching(exporter *e, mp_why *why)
{
    mp_err err = MP_OK;
    int64_t after = 0;
    for (size_t n = PAGE; !err && n == PAGE;) {
        magpie_item **items;
        magpie_why inner = {0};
        err = outer(magpie_list(e->library, e->opt->where, after, PAGE, &items, &n, &inner), &inner,
                    why);
        for (size_t i = 0; !err && i < n; i++) {
            after = items[i]->id;
            err = export_item(e, items[i], why);
            if (!err)
                err = tell(e, why);
        }
        magpie_items_free(items, n);
    }
    return err;
}

static int by_id(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static mp_err export_id(exporter *e, int64_t id, mp_why *why)
{
    magpie_why inner = {0};
    magpie_item *item = NULL;
    magpie_err got = magpie_get(e->library, id, &item, &inner);
    mp_err err;
    if (got == MAGPIE_NOT_FOUND)
        err = skip(e, id, "there is no such picture", why);
    else if (got)
        err = outer(got, &inner, why);
    else
        err = export_item(e, item, why);
    magpie_item_free(item);
    return err ? err : tell(e, why);
}

/* By ascending id, as the others, and each once. */
static mp_err export_ids(exporter *e, mp_why *why)
{
    size_t n = e->opt->n_ids;
    mp_err err = MP_OK;
    int64_t *ids = mp_try_array(n + 1, sizeof *ids);
    if (!ids)
        return mp_fail(why, MP_NOMEM, "no memory for %zu ids", n);
    if (n)
        memcpy(ids, e->opt->ids, n * sizeof *ids);
    qsort(ids, n, sizeof *ids, by_id);
    size_t distinct = 0;
    for (size_t i = 0; i < n; i++)
        if (distinct == 0 || ids[i] != ids[distinct - 1])
            ids[distinct++] = ids[i];
    e->tick.progress.total = distinct;
    for (size_t i = 0; !err && i < distinct; i++)
        err = export_id(e, ids[i], why);
    free(ids);
    return err;
}

/* ---- the whole ---- */

static mp_err check(const mp_export_options *opt, mp_why *why)
{
    if (opt->manifests & ~(unsigned)MP_MANIFEST_ALL)
        return mp_fail(why, MP_INVALID, "there is no such kind of manifest");
    if (!opt->manifests && !opt->originals && !opt->thumbnails && !opt->vectors)
        return mp_fail(why, MP_INVALID,
                       "nothing to export: choose originals, thumbnails, vectors "
                       "or a manifest");
    if (opt->where && opt->ids)
        return mp_fail(why, MP_INVALID, "either a filter or ids choose the pictures, not both");
    return MP_OK;
}

/* A filter with a mistake is told before the first byte is written. */
static mp_err check_filter(exporter *e, mp_why *why)
{
    magpie_item **items;
    magpie_why inner = {0};
    size_t n;
    mp_err err =
        outer(magpie_list(e->library, e->opt->where, 0, 1, &items, &n, &inner), &inner, why);
    magpie_items_free(items, n);
    return err;
}

static mp_err begin(exporter *e, int fd, mp_why *why)
{
    mp_err err = check(e->opt, why);
    if (!err)
        err = check_filter(e, why);
    if (!err)
        err = mp_pack_model(e->library, &e->head.model, &e->dims, why);
    for (int k = 0; !err && k < KINDS; k++)
        if (e->opt->manifests & 1u << k)
            err = mp_manifest_open(&e->manifest[k], 1u << k, &e->head, why);
    if (!err && e->opt->vectors)
        err = mp_pack_spool_open(&e->ids, e->opt->scratch, why);
    return err ? err : mp_zip_open(&e->zip, fd, why);
}

static mp_err end(exporter *e, mp_why *why)
{
    mp_err err = MP_OK;
    if (e->ids)
        err = mp_pack_vectors(e->library, e->head.model, e->dims, e->ids, e->zip, &e->tick, why);
    if (!err)
        e->report.vectors = mp_pack_spool_bytes(e->ids) / sizeof(int64_t);
    for (int k = 0; !err && k < KINDS; k++)
        if (e->manifest[k])
            err = mp_manifest_write(e->manifest[k], e->zip, &e->tick, why);
    return err ? err : mp_zip_finish(e->zip, why);
}

mp_err mp_export_write(magpie *library, const mp_export_options *opt, int fd,
                       mp_export_report *report, mp_why *why)
{
    exporter e = {.library = library, .opt = opt};
    e.head = (mp_manifest_head){.title = opt->title, .scratch = opt->scratch, .at_ms = mp_now_ms()};
    e.tick = (mp_pack_tick){opt->on_progress, opt->context, {.stage = "export"}, mp_monotonic_s()};
    e.names = mp_pack_names_new();
    mp_err err = begin(&e, fd, why);
    if (!err)
        err = tell(&e, why);
    if (!err)
        err = opt->ids ? export_ids(&e, why) : export_matching(&e, why);
    if (!err)
        err = end(&e, why);
    e.report.bytes = e.zip ? mp_zip_bytes(e.zip) : 0;
    e.report.elapsed_s = mp_monotonic_s() - e.tick.began_s;
    if (report)
        *report = e.report;
    mp_zip_free(e.zip);
    mp_pack_spool_close(e.ids);
    for (int k = 0; k < KINDS; k++)
        mp_manifest_free(e.manifest[k]);
    mp_pack_names_free(e.names);
    return err;
}
