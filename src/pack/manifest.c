/* manifest.c - see manifest.h: what the kinds have in common. */
#include "pack/manifest_kind.h"

#include "pack/text.h"

#include <stdlib.h>
#include <string.h>

mp_err mp_manifest_open(mp_manifest **out, unsigned kind, const mp_manifest_head *head, mp_why *why)
{
    mp_manifest *m = mp_xcalloc(1, sizeof *m);
    *out = NULL;
    m->head = head;
    m->kind = kind == MP_MANIFEST_JSON  ? &mp_manifest_json
              : kind == MP_MANIFEST_CSV ? &mp_manifest_csv
                                        : &mp_manifest_coco;
    mp_err err = MP_OK;
    for (size_t i = 0; !err && i < MP_MANIFEST_LISTS; i++)
        err = mp_pack_spool_open(&m->list[i], head->scratch, why);
    if (err)
        mp_manifest_free(m);
    else
        *out = m;
    return err;
}

void mp_manifest_free(mp_manifest *m)
{
    if (!m)
        return;
    if (m->kind->free)
        m->kind->free(m);
    for (size_t i = 0; i < MP_MANIFEST_LISTS; i++) {
        mp_pack_spool_close(m->list[i]);
        mp_buf_free(&m->buf[i]);
    }
    free(m);
}

static mp_err spool(mp_manifest *m, mp_why *why)
{
    mp_err err = MP_OK;
    for (size_t i = 0; i < MP_MANIFEST_LISTS; i++) {
        if (!err && m->buf[i].n)
            err = mp_pack_spool_add(m->list[i], m->buf[i].p, m->buf[i].n, why);
        m->buf[i].n = 0;
    }
    return err;
}

mp_err mp_manifest_add(mp_manifest *m, const mp_manifest_row *row, mp_why *why)
{
    mp_err err = m->kind->row(m, row, m->buf, why);
    return err ? err : spool(m, why);
}

mp_err mp_manifest_skip(mp_manifest *m, int64_t id, const char *reason, mp_why *why)
{
    if (!m->kind->skip)
        return MP_OK;
    m->kind->skip(m, id, reason, m->buf);
    return spool(m, why);
}

mp_err mp_manifest_write(mp_manifest *m, mp_zip_writer *z, mp_pack_tick *tick, mp_why *why)
{
    mp_buf text[MP_MANIFEST_TEXTS] = {{0}};
    mp_zip_entry entry = {.name = m->kind->entry, .mtime_ms = m->head->at_ms, .deflate = true};
    mp_err err = m->kind->frame(m, text, why);
    for (size_t i = 0; i < MP_MANIFEST_TEXTS; i++)
        entry.bytes += text[i].n;
    for (size_t i = 0; i < MP_MANIFEST_LISTS; i++)
        entry.bytes += mp_pack_spool_bytes(m->list[i]);
    if (!err)
        err = mp_zip_begin(z, &entry, why);
    for (size_t i = 0; !err && i < MP_MANIFEST_TEXTS; i++) {
        if (text[i].n)
            err = mp_zip_data(z, text[i].p, text[i].n, why);
        if (!err && i < MP_MANIFEST_LISTS)
            err = mp_pack_spool_send(m->list[i], z, tick, why);
    }
    for (size_t i = 0; i < MP_MANIFEST_TEXTS; i++)
        mp_buf_free(&text[i]);
    return err;
}

void mp_manifest_put(mp_manifest *m, size_t list, json_t *object, mp_buf *out)
{
    char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(7));
    json_decref(object);
    mp_buf_str(out, m->listed[list]++ ? ",\n" : "\n");
    mp_buf_str(out, text ? text : "null");
    free(text);
}

void mp_manifest_open_object(json_t *object, mp_buf *out)
{
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    if (text)
        mp_buf_add(out, text, strlen(text) - 1);
    free(text);
}

json_t *mp_manifest_text(const char *s)
{
    if (!s)
        return json_null();
    mp_buf b = {0};
    mp_pack_clean(&b, s);
    json_t *text = json_stringn(b.p, b.n);
    mp_buf_free(&b);
    return text;
}
