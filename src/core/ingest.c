/* ingest.c - batches of analysed pictures become items. See ingest.h. */
#include "core/ingest.h"

#include "meta/projects.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- a batch ---- */

static mp_err encode_pictures(ingest *g, mp_why *why)
{
    mp_views views[INGEST_BATCH] = {0};
    float *out[MP_SPACES] = {0};
    for (int s = 0; s < MP_SPACES; s++)
        if (g->view_of[s] >= 0)
            out[s] = g->vectors[s];
    for (size_t i = 0; i < g->n_entries; i++) {
        const ingest_entry *e = &g->entries[i];
        for (int s = 0; e->put && s < MP_SPACES; s++)
            if (g->view_of[s] >= 0)
                views[e->put_at].px[s] = e->a.decoded.view[g->view_of[s]].px;
    }
    return mp_model_encode_images(g->model, views, g->n_puts, mp_core_eager_mask(g->model), out,
                                  why);
}

/* The SENTENCE vector of one put's title, description and tags. One call's tags are the same for
 * each of its pictures, so that the last words are often these. */
static mp_err encode_words(ingest *g, size_t at, mp_why *why)
{
    size_t dims = (size_t)mp_core_key(g->model, MP_SPACE_SENTENCE).dims;
    float *to = g->vectors[MP_SPACE_SENTENCE] + at * dims;
    mp_buf words = {0};
    mp_core_item_words(&g->puts[at].item, &words);
    mp_str text = {words.p, words.n};
    g->worded[at] = words.n > 0;
    mp_err err = MP_OK;
    if (words.n && at > 0 && g->worded[at - 1] && mp_str_eq(text, (mp_str){g->words.p, g->words.n}))
        memcpy(to, to - dims, dims * sizeof *to);
    else if (words.n)
        err = mp_model_encode_sentences(g->model, &text, 1, to, why);
    mp_buf_free(&g->words);
    g->words = words;
    return err;
}

static mp_err encode_batch(ingest *g, mp_why *why)
{
    mp_err err = encode_pictures(g, why);
    bool sentences = mp_core_key(g->model, MP_SPACE_SENTENCE).dims > 0;
    for (size_t i = 0; !err && sentences && i < g->n_puts; i++)
        err = encode_words(g, i, why);
    return err;
}

static void attach_vectors(ingest *g, mp_vector *rows)
{
    size_t n = 0;
    for (size_t i = 0; i < g->n_puts; i++) {
        g->puts[i].vectors = rows + n;
        size_t began = n;
        for (int s = 0; s < MP_SPACES; s++) {
            mp_vector_key key = mp_core_key(g->model, (mp_space)s);
            if (g->view_of[s] >= 0 || (s == MP_SPACE_SENTENCE && g->worded[i]))
                rows[n++] = (mp_vector){.model = key.model,
                                        .model_sha256 = key.model_sha256,
                                        .space = key.space,
                                        .dims = key.dims,
                                        .data = g->vectors[s] + i * (size_t)key.dims};
        }
        g->puts[i].n_vectors = n - began;
    }
}

void mp_ingest_forget(ingest *g)
{
    for (size_t i = 0; i < g->n_entries; i++)
        mp_analysis_free(&g->entries[i].a);
    g->n_entries = g->n_puts = g->n_before = g->n_after = 0;
    memset(g->worded, 0, sizeof g->worded);
}

mp_err mp_ingest_flush(ingest *g, mp_why *why)
{
    mp_vector rows[INGEST_BATCH * MP_SPACES];
    mp_err err = MP_OK;
    if (g->n_puts)
        err = encode_batch(g, why);
    if (!err)
        attach_vectors(g, rows);
    if (!err && g->n_before)
        err = mp_meta_change_sources(g->m->meta, g->before, g->n_before, why);
    if (!err && g->n_puts)
        err = mp_meta_put_items(g->m->meta, g->puts, g->n_puts, why);
    if (!err && g->n_after)
        err = mp_meta_change_sources(g->m->meta, g->after, g->n_after, why);
    for (size_t i = 0; !err && i < g->n_entries; i++) {
        const ingest_entry *e = &g->entries[i];
        g->report(g, e, e->put ? g->puts[e->put_at].item.id : e->id);
    }
    mp_ingest_forget(g);
    return err;
}

/* ---- what a picture means ---- */

const mp_source *mp_ingest_source(const ingest *g, const char *path)
{
    size_t low = 0, high = g->n_sources;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(g->sources[middle].path, path);
        if (order == 0)
            return &g->sources[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static const char *text_or_none(const char *text)
{
    return text ? text : "";
}

static void add_put(ingest *g, ingest_entry *e, int64_t item_id)
{
    const mp_decoded *d = &e->a.decoded;
    const mp_quality *q = &d->quality;
    mp_item item = {.id = item_id,
                    .project_id = e->how->project_id,
                    .user_id = e->how->user_id,
                    .copied = e->a.copied,
                    .path = *e->a.path == '/' ? e->a.path : "",
                    .name = e->how->replace ? "" : base_name(e->a.path),
                    .title = text_or_none(e->how->title),
                    .description = text_or_none(e->how->description),
                    .format = mp_format_word(d->format),
                    .width = d->width,
                    .height = d->height,
                    .frames = d->frames,
                    .bytes = e->a.bytes,
                    .mtime_ns = e->a.mtime_ns,
                    .taken_ms = d->taken_ms,
                    .added_ms = mp_now_ms(),
                    .sharpness = q->sharpness,
                    .brightness = q->brightness,
                    .contrast = q->contrast,
                    .entropy = q->entropy,
                    .issues = q->issues,
                    .tags = e->how->tags,
                    .n_tags = e->how->n_tags,
                    .metadata = e->how->metadata,
                    .folder = e->how->folder};
    memcpy(item.sha256, e->a.sha256, sizeof item.sha256);
    memcpy(item.phash, d->phash, sizeof item.phash);
    e->put = true;
    e->put_at = g->n_puts;
    g->puts[g->n_puts++] = (mp_put){.item = item};
}

/* The bytes are those of an item that is there: what does this path tell about it? */
static mp_err take_twin(ingest *g, ingest_entry *e, const mp_source *known, mp_why *why)
{
    mp_arena *arena = mp_arena_new(0);
    mp_item item;
    struct stat st;
    mp_source_change c = {.kind = MP_SOURCE_EXTRA,
                          .path = e->a.path,
                          .item_id = e->a.twin,
                          .bytes = e->a.bytes,
                          .mtime_ns = e->a.mtime_ns};
    mp_err err = mp_meta_get_item(g->m->meta, e->a.twin, arena, &item, why);
    if (err)
        goto done;
    e->id = item.id;
    e->outcome = MAGPIE_KNOWN;
    if (e->how->folder && *e->how->folder)
        err = mp_meta_give_folder(g->m->meta, item.id, e->how->folder, why);
    if (err || *e->a.path != '/')
        goto done; /* bytes without a path: nothing more to note */
    if (known && known->item_id == item.id) {
        e->outcome = known->missing ? MAGPIE_MOVED : MAGPIE_UNCHANGED;
        c.kind = MP_SOURCE_SEEN;
    } else if (*item.path && lstat(item.path, &st) != 0 && errno == ENOENT) {
        const mp_source *old = mp_ingest_source(g, item.path);
        e->outcome = MAGPIE_MOVED;
        c.kind = MP_SOURCE_MOVED;
        c.old_path = mp_arena_strdup(g->arena, mp_str_of(old ? old->path : item.path));
    }
    if (known && known->item_id != item.id) /* the path leaves the item that it belonged to */
        g->before[g->n_before++] = (mp_source_change){
            .kind = MP_SOURCE_DROP, .path = e->a.path, .item_id = known->item_id};
    g->after[g->n_after++] = c;
done:
    mp_arena_free(arena);
    return err;
}

static void take_new(ingest *g, ingest_entry *e, const mp_source *known, int64_t twin)
{
    int64_t item_id = twin; /* not 0 only to bring in the bytes of a referenced item */
    e->outcome = twin ? MAGPIE_KNOWN : MAGPIE_ADDED;
    if (known && known->item_id != twin) {
        e->outcome = MAGPIE_CHANGED;
        /* The old bytes may live on at another path: then this one becomes an item of its own. */
        if (known->primary && known->others == 0 && !known->trashed)
            item_id = known->item_id;
        else
            g->before[g->n_before++] = (mp_source_change){
                .kind = MP_SOURCE_DROP, .path = e->a.path, .item_id = known->item_id};
    }
    add_put(g, e, item_id);
}

/* These bytes become a version of an item that is there, wherever else they are. */
static mp_err take_replacement(ingest *g, ingest_entry *e, mp_why *why)
{
    mp_arena *arena = mp_arena_new(0);
    mp_item item;
    mp_err err = mp_meta_get_item(g->m->meta, e->how->replace, arena, &item, why);
    if (err == MP_NOT_FOUND || (!err && item.state == MP_TRASHED)) {
        e->a.err = mp_fail(&e->a.why, MP_NOT_FOUND, "there is no #%lld, or it is in the trash",
                           (long long)e->how->replace);
        e->outcome = MAGPIE_REFUSED;
        err = MP_OK;
    } else if (!err && memcmp(item.sha256, e->a.sha256, 32) == 0) {
        e->outcome = MAGPIE_UNCHANGED;
        e->id = item.id;
    } else if (!err) {
        e->outcome = MAGPIE_CHANGED;
        add_put(g, e, item.id);
    }
    mp_arena_free(arena);
    return err;
}

/* What must be written before this one can be judged: its twin, or the last version of its item. */
static bool batch_holds(const ingest *g, const uint8_t sha256[32], const ingest_how *how)
{
    for (size_t i = 0; i < g->n_puts; i++) {
        const mp_item *item = &g->puts[i].item;
        if (how->replace
                ? item->id == how->replace
                : item->project_id == how->project_id && memcmp(item->sha256, sha256, 32) == 0)
            return true;
    }
    return false;
}

static bool is_copied(magpie *m, int64_t id)
{
    mp_arena *arena = mp_arena_new(0);
    mp_item item;
    bool copied = mp_meta_get_item(m->meta, id, arena, &item, NULL) == MP_OK && item.copied;
    mp_arena_free(arena);
    return copied;
}

/* Looks again, now that nobody else can write: the analysis was made without the lock, and a twin,
 * the copied bytes or the project itself may have come or gone since. */
static mp_err look_again(ingest *g, analysis *a, int64_t project_id, int64_t *twin, mp_why *why)
{
    char key[96];
    uint64_t bytes;
    bool there = true;
    mp_err err = mp_meta_find_sha256(g->m->meta, project_id, a->sha256, twin, why);
    if (!err && project_id > 1) /* the first is always there */
        err = mp_meta_has_project(g->m->meta, project_id, &there, why);
    if (err || a->err)
        return err;
    if (!there) {
        a->err = mp_fail(&a->why, MP_NOT_FOUND, "there is no such project");
        return MP_OK;
    }
    if (a->twin && a->twin != *twin) {
        a->err = mp_fail(&a->why, MP_BUSY, "it was removed meanwhile; add it again");
        return MP_OK;
    }
    if (!a->twin && *twin && (!a->copied || is_copied(g->m, *twin)))
        a->twin = *twin;
    mp_core_original_key(a->sha256, key);
    if (!a->twin && a->copied && mp_blob_stat(g->m->blobs, key, &bytes, NULL) != MP_OK)
        a->err = mp_fail(&a->why, MP_BUSY, "its bytes were removed meanwhile; add it again");
    return MP_OK;
}

static bool is_ours(mp_err err)
{
    return err == MP_FULL || err == MP_NOMEM || err == MP_INTERNAL;
}

mp_err mp_ingest_take(ingest *g, analysis *a, const ingest_how *how, void *ticket, mp_why *why)
{
    int64_t twin = 0;
    mp_err err = MP_OK;
    if (!a->err && !a->twin && batch_holds(g, a->sha256, how))
        err = mp_ingest_flush(g, why); /* the twin must have its id first */
    if (!err)
        err = look_again(g, a, how->project_id, &twin, why);
    if (!err && is_ours(a->err)) /* not the picture's fault */
        err = mp_fail(why, a->err, "%s", a->why.text);
    if (err) {
        mp_analysis_free(a);
        return err;
    }
    if (g->n_entries == 0)
        g->batch_began = mp_monotonic_s();
    ingest_entry *e = &g->entries[g->n_entries++];
    *e = (ingest_entry){.a = *a, .how = how, .ticket = ticket};
    const mp_source *known = mp_ingest_source(g, a->path);
    if (a->err)
        e->outcome = a->no_picture ? MAGPIE_SKIPPED : MAGPIE_REFUSED;
    else if (how->replace)
        err = take_replacement(g, e, why);
    else if (e->a.twin)
        err = take_twin(g, e, known, why);
    else
        take_new(g, e, known, twin);
    if (err) {
        mp_analysis_free(&e->a);
        g->n_entries--;
    }
    if (!err && g->n_entries == INGEST_BATCH)
        err = mp_ingest_flush(g, why);
    return err;
}

/* ---- opening ---- */

mp_err mp_ingest_open(ingest *g, magpie *m, mp_why *why)
{
    *g = (ingest){.m = m, .arena = mp_arena_new(0)};
    mp_err err = mp_core_model(m, &g->model, why);
    if (!err)
        err = mp_core_decoder(m, &g->plan.decoder, why);
    if (err)
        return err;
    g->plan.m = m;
    g->plan.spec.analysis = true;
    g->plan.spec.thumbnail = INGEST_SMALL_PX;
    mp_core_views(g->model, mp_core_eager_mask(g->model), &g->plan.spec, g->view_of);
    const mp_model_info *info = mp_model_get_info(g->model);
    for (int s = 0; s < MP_SPACES; s++)
        if (g->view_of[s] >= 0 || s == MP_SPACE_SENTENCE)
            g->vectors[s] =
                mp_xcalloc((size_t)INGEST_BATCH * (size_t)info->space[s].dims, sizeof(float));
    return MP_OK;
}

void mp_ingest_close(ingest *g)
{
    mp_ingest_forget(g);
    for (int s = 0; s < MP_SPACES; s++)
        free(g->vectors[s]);
    mp_buf_free(&g->words);
    free(g->sources);
    mp_arena_free(g->arena);
}
