/* manifest_json.c - manifest.json: everything that is known of each picture.
 *
 *   {"format": "magpie-export", "version": 1, "exported_at", "title", "model", "count",
 *    "images": [{"id", "file", "name", ...}], "skipped": [{"id", "reason"}]} */
#include "pack/manifest_kind.h"

#include "pack/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { IMAGES, SKIPPED };

static json_t *number(float x)
{
    return isfinite(x) ? json_real((double)x) : json_null();
}

static json_t *instant(int64_t unix_ms)
{
    char text[MP_PACK_INSTANT];
    return *mp_pack_instant(text, unix_ms) ? json_string(text) : json_null();
}

static json_t *tags_of(const magpie_item *item)
{
    json_t *list = json_array();
    for (size_t i = 0; i < item->n_tags; i++)
        json_array_append_new(list, mp_manifest_text(item->tags[i]));
    return list;
}

static json_t *issues_of(uint32_t issues)
{
    json_t *list = json_array();
    for (uint32_t bit = 1; bit && bit <= issues; bit <<= 1)
        if ((issues & bit) && magpie_issue_word(bit))
            json_array_append_new(list, json_string(magpie_issue_word(bit)));
    return list;
}

static json_t *quality_of(const magpie_item *item)
{
    json_t *o = json_object();
    json_object_set_new(o, "sharpness", number(item->sharpness));
    json_object_set_new(o, "brightness", number(item->brightness));
    json_object_set_new(o, "contrast", number(item->contrast));
    json_object_set_new(o, "entropy", number(item->entropy));
    return o;
}

static mp_err add_row(mp_manifest *m, const mp_manifest_row *row, mp_buf *out, mp_why *why)
{
    const magpie_item *item = row->item;
    char phash[20];
    json_t *o = json_object();
    (void)why;
    snprintf(phash, sizeof phash, "%016llx", (unsigned long long)item->phash);
    json_object_set_new(o, "id", json_integer(item->id));
    json_object_set_new(o, "file", mp_manifest_text(row->file));
    json_object_set_new(o, "thumbnail", mp_manifest_text(row->thumbnail));
    json_object_set_new(o, "name", mp_manifest_text(item->name));
    json_object_set_new(o, "sha256", mp_manifest_text(item->sha256));
    json_object_set_new(o, "format", mp_manifest_text(item->format));
    json_object_set_new(o, "width", json_integer(item->width));
    json_object_set_new(o, "height", json_integer(item->height));
    json_object_set_new(o, "bytes", json_integer(item->bytes));
    json_object_set_new(o, "phash", json_string(phash));
    json_object_set_new(o, "taken_at", instant(item->taken_ms));
    json_object_set_new(o, "added_at", instant(item->added_ms));
    json_object_set_new(o, "title", mp_manifest_text(item->title));
    json_object_set_new(o, "description", mp_manifest_text(item->description));
    json_object_set_new(o, "tags", tags_of(item));
    json_object_set_new(o, "quality", quality_of(item));
    json_object_set_new(o, "issues", issues_of(item->issues));
    mp_manifest_put(m, IMAGES, o, &out[IMAGES]);
    return MP_OK;
}

static void add_skipped(mp_manifest *m, int64_t id, const char *reason, mp_buf *out)
{
    json_t *o = json_object();
    json_object_set_new(o, "id", json_integer(id));
    json_object_set_new(o, "reason", mp_manifest_text(reason));
    mp_manifest_put(m, SKIPPED, o, &out[SKIPPED]);
}

static mp_err frame(mp_manifest *m, mp_buf *text, mp_why *why)
{
    json_t *o = json_object();
    (void)why;
    json_object_set_new(o, "format", json_string("magpie-export"));
    json_object_set_new(o, "version", json_integer(1));
    json_object_set_new(o, "exported_at", instant(m->head->at_ms));
    json_object_set_new(o, "title", mp_manifest_text(m->head->title ? m->head->title : ""));
    json_object_set_new(o, "model", mp_manifest_text(m->head->model));
    json_object_set_new(o, "count", json_integer((json_int_t)m->listed[IMAGES]));
    mp_manifest_open_object(o, &text[0]);
    mp_buf_str(&text[0], ",\n\"images\":[");
    mp_buf_str(&text[1], "\n],\n\"skipped\":[");
    mp_buf_str(&text[2], "\n]}\n");
    return MP_OK;
}

const mp_manifest_kind mp_manifest_json = {
    .entry = "manifest.json", .row = add_row, .skip = add_skipped, .frame = frame};
