/* manifest_coco.c - coco.json: the COCO format, for training and annotation tools.
 *
 * Tags are the categories. A tag says something of the whole picture, so that each one is an
 * annotation whose box is the picture. `file_name` is relative to where coco.json lies. The
 * categories are held in memory: there are as many as there are different tags. */
#include "pack/manifest_kind.h"

#include "base/os.h"
#include "pack/text.h"

#include <stdlib.h>
#include <string.h>

enum { IMAGES, ANNOTATIONS };

/* ---- categories ---- */

typedef struct category {
    char *tag; /* NULL: a free slot */
    int64_t id;
} category;

typedef struct categories {
    category *slot; /* a power of two of them, at most half taken */
    size_t slots, taken;
} categories;

static category *find(category *slot, size_t slots, const char *tag)
{
    size_t at = (size_t)mp_mix64(mp_checksum64(tag, strlen(tag), 0)) & (slots - 1);
    while (slot[at].tag && strcmp(slot[at].tag, tag) != 0)
        at = (at + 1) & (slots - 1);
    return &slot[at];
}

static mp_err grow(categories *c, mp_why *why)
{
    size_t slots = c->slots ? c->slots * 2 : 64;
    category *slot = mp_try_array(slots, sizeof *slot);
    if (!slot)
        return mp_fail(why, MP_NOMEM, "no memory for %zu tags", c->taken);
    memset(slot, 0, slots * sizeof *slot);
    for (size_t i = 0; i < c->slots; i++)
        if (c->slot[i].tag)
            *find(slot, slots, c->slot[i].tag) = c->slot[i];
    free(c->slot);
    c->slot = slot;
    c->slots = slots;
    return MP_OK;
}

/* The number of a tag, from 1; a new one if it is new. */
static mp_err category_of(categories *c, const char *tag, int64_t *id, mp_why *why)
{
    mp_err err = c->taken >= c->slots / 2 ? grow(c, why) : MP_OK;
    *id = 0;
    if (err)
        return err;
    category *found = find(c->slot, c->slots, tag);
    if (!found->tag) {
        found->tag = mp_xstrdup(tag);
        found->id = (int64_t)++c->taken;
    }
    *id = found->id;
    return MP_OK;
}

static void free_categories(mp_manifest *m)
{
    categories *c = m->own;
    for (size_t i = 0; c && i < c->slots; i++)
        free(c->slot[i].tag);
    if (c)
        free(c->slot);
    free(c);
}

/* ---- rows ---- */

static void add_image(mp_manifest *m, const mp_manifest_row *row, mp_buf *out)
{
    char taken[MP_PACK_INSTANT];
    json_t *o = json_object();
    json_object_set_new(o, "id", json_integer(row->item->id));
    json_object_set_new(o, "file_name", mp_manifest_text(row->file ? row->file : row->safe_name));
    json_object_set_new(o, "width", json_integer(row->item->width));
    json_object_set_new(o, "height", json_integer(row->item->height));
    json_object_set_new(o, "date_captured",
                        json_string(mp_pack_instant_coco(taken, row->item->taken_ms)));
    mp_manifest_put(m, IMAGES, o, &out[IMAGES]);
}

static void add_annotation(mp_manifest *m, const magpie_item *item, int64_t tag, mp_buf *out)
{
    int64_t area = (int64_t)item->width * item->height;
    json_t *o = json_object();
    json_object_set_new(o, "id", json_integer((json_int_t)m->listed[ANNOTATIONS] + 1));
    json_object_set_new(o, "image_id", json_integer(item->id));
    json_object_set_new(o, "category_id", json_integer(tag));
    json_object_set_new(o, "bbox", json_pack("[i,i,i,i]", 0, 0, item->width, item->height));
    json_object_set_new(o, "area", json_integer(area));
    json_object_set_new(o, "segmentation", json_array());
    json_object_set_new(o, "iscrowd", json_integer(0));
    mp_manifest_put(m, ANNOTATIONS, o, &out[ANNOTATIONS]);
}

static mp_err add_row(mp_manifest *m, const mp_manifest_row *row, mp_buf *out, mp_why *why)
{
    mp_err err = MP_OK;
    if (!m->own)
        m->own = mp_xcalloc(1, sizeof(categories));
    add_image(m, row, out);
    for (size_t i = 0; !err && i < row->item->n_tags; i++) {
        int64_t tag;
        err = category_of(m->own, row->item->tags[i], &tag, why);
        if (!err)
            add_annotation(m, row->item, tag, out);
    }
    return err;
}

/* ---- around them ---- */

static json_t *info_of(const mp_manifest_head *head)
{
    char at[MP_PACK_INSTANT];
    json_t *o = json_object();
    json_object_set_new(o, "description", mp_manifest_text(head->title ? head->title : ""));
    json_object_set_new(o, "version", json_string("1"));
    json_object_set_new(o, "contributor", json_string("magpie " MAGPIE_VERSION));
    json_object_set_new(o, "date_created", json_string(mp_pack_instant(at, head->at_ms)));
    return o;
}

static int by_id(const void *a, const void *b)
{
    int64_t x = ((const category *)a)->id, y = ((const category *)b)->id;
    return (x > y) - (x < y);
}

/* The table's order is of no use to a reader: by number. */
static mp_err list_categories(const categories *c, mp_buf *out, mp_why *why)
{
    category *list = mp_try_array(c->taken, sizeof *list);
    if (!list)
        return mp_fail(why, MP_NOMEM, "no memory for %zu tags", c->taken);
    size_t n = 0;
    for (size_t i = 0; i < c->slots; i++)
        if (c->slot[i].tag)
            list[n++] = c->slot[i];
    qsort(list, n, sizeof *list, by_id);
    for (size_t i = 0; i < n; i++) {
        json_t *o = json_object();
        json_object_set_new(o, "id", json_integer(list[i].id));
        json_object_set_new(o, "name", mp_manifest_text(list[i].tag));
        json_object_set_new(o, "supercategory", json_string("tag"));
        char *text = json_dumps(o, JSON_COMPACT);
        json_decref(o);
        mp_buf_printf(out, "%s\n%s", i ? "," : "", text ? text : "null");
        free(text);
    }
    free(list);
    return MP_OK;
}

static mp_err frame(mp_manifest *m, mp_buf *text, mp_why *why)
{
    const categories *c = m->own;
    json_t *o = json_object();
    json_object_set_new(o, "info", info_of(m->head));
    json_object_set_new(o, "licenses", json_array());
    mp_manifest_open_object(o, &text[0]);
    mp_buf_str(&text[0], ",\n\"images\":[");
    mp_buf_str(&text[1], "\n],\n\"annotations\":[");
    mp_buf_str(&text[2], "\n],\n\"categories\":[");
    mp_err err = c && c->taken ? list_categories(c, &text[2], why) : MP_OK;
    mp_buf_str(&text[2], "\n]}\n");
    return err;
}

const mp_manifest_kind mp_manifest_coco = {
    .entry = "coco.json", .row = add_row, .frame = frame, .free = free_categories};
