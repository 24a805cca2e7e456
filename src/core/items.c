/* items.c - reading and changing items: the public shapes over the metadata port. */
#include "core/core.h"

#include "core/ports.h"
#include "meta/assets.h"

#include <stdlib.h>
#include <string.h>

const char *magpie_issue_word(uint32_t bit)
{
    switch (bit) {
    case MAGPIE_TOO_DARK:
        return "too_dark";
    case MAGPIE_TOO_BRIGHT:
        return "too_bright";
    case MAGPIE_BLURRED:
        return "blurred";
    case MAGPIE_BLANK:
        return "blank";
    case MAGPIE_LOW_CONTRAST:
        return "low_contrast";
    default:
        return NULL;
    }
}

const char *magpie_outcome_word(magpie_outcome outcome)
{
    static const char *const words[] = {"added",   "unchanged", "known",   "moved",
                                        "changed", "vanished",  "skipped", "refused"};
    return (unsigned)outcome < MP_COUNT(words) ? words[outcome] : "unknown";
}

void magpie_free(void *p)
{
    free(p);
}

/* ---- the public item: one block that holds the struct, its strings and its tags ---- */

typedef struct packer {
    char *at;
} packer;

static const char *pack(packer *p, const char *s)
{
    size_t n = strlen(s) + 1;
    char *to = p->at;
    memcpy(to, s, n);
    p->at += n;
    return to;
}

magpie_item *mp_core_publish(const mp_item *item)
{
    char sha256[65];
    mp_hex(item->sha256, 32, sha256);
    size_t need = sizeof(magpie_item) + item->n_tags * sizeof(char *) + strlen(item->path) +
                  strlen(item->name) + strlen(item->title) + strlen(item->description) +
                  strlen(item->format) + sizeof sha256 + 8;
    for (size_t i = 0; i < item->n_tags; i++)
        need += strlen(item->tags[i]) + 1;
    magpie_item *out = mp_xcalloc(1, need);
    const char **tags = (const char **)(out + 1);
    packer p = {(char *)(tags + item->n_tags)};
    *out = (magpie_item){
        .id = item->id,
        .project = item->project_id,
        .user = item->user_id,
        .state = (magpie_state)item->state,
        .copied = item->copied,
        .path = pack(&p, item->path),
        .name = pack(&p, item->name),
        .title = pack(&p, item->title),
        .description = pack(&p, item->description),
        .sha256 = pack(&p, sha256),
        .format = pack(&p, item->format),
        .width = item->width,
        .height = item->height,
        .bytes = item->bytes,
        .mtime_ms = item->mtime_ns / 1000000,
        .taken_ms = item->taken_ms,
        .added_ms = item->added_ms,
        .phash = item->phash[0],
        .sharpness = item->sharpness,
        .brightness = item->brightness,
        .contrast = item->contrast,
        .entropy = item->entropy,
        .issues = item->issues,
        .tags = tags,
        .n_tags = item->n_tags,
    };
    for (size_t i = 0; i < item->n_tags; i++)
        tags[i] = pack(&p, item->tags[i]);
    return out;
}

magpie_err magpie_get(magpie *m, int64_t id, magpie_item **out, magpie_why *why)
{
    *out = NULL;
    mp_arena *arena = mp_arena_new(0);
    mp_item item;
    mp_err err = mp_meta_get_item(m->meta, id, arena, &item, INNER(why));
    if (!err)
        *out = mp_core_publish(&item);
    mp_arena_free(arena);
    return OUTER(err);
}

void magpie_item_free(magpie_item *item)
{
    free(item);
}

magpie_err magpie_list(magpie *m, const char *where, int64_t after, size_t limit,
                       magpie_item ***out, size_t *n, magpie_why *why)
{
    *out = NULL;
    *n = 0;
    mp_arena *arena = mp_arena_new(0);
    const mp_filter *filter;
    mp_item *items = NULL;
    size_t count = 0;
    mp_err err = mp_core_filter(where, arena, &filter, INNER(why));
    if (!err)
        err = mp_meta_list(m->meta, filter, after, limit, arena, &items, &count, INNER(why));
    if (!err) {
        *out = mp_xcalloc(count, sizeof **out);
        for (size_t i = 0; i < count; i++)
            (*out)[i] = mp_core_publish(&items[i]);
        *n = count;
    }
    mp_arena_free(arena);
    return OUTER(err);
}

void magpie_items_free(magpie_item **items, size_t n)
{
    for (size_t i = 0; items && i < n; i++)
        free(items[i]);
    free(items);
}

/* ---- changes ---- */

/* Bytes that no version of anything has any more: another project's item, one in the trash, or an
 * older version may need the same. */
static void delete_blobs(magpie *m, const uint8_t sha256[32])
{
    static const int sizes[] = {256, 1024};
    bool used = true;
    char key[96];
    if (mp_meta_uses_sha256(m->meta, sha256, &used, NULL) != MP_OK || used)
        return;
    for (size_t i = 0; i < MP_COUNT(sizes); i++) {
        mp_core_thumb_key(sha256, sizes[i], key);
        if (mp_blob_delete(m->blobs, key, NULL) == MP_IO)
            mp_log(MP_LOG_WARN, "cannot delete %s", key);
    }
    mp_core_original_key(sha256, key);
    if (mp_blob_delete(m->blobs, key, NULL) == MP_IO)
        mp_log(MP_LOG_WARN, "cannot delete %s", key);
}

mp_err mp_core_remove(magpie *m, const int64_t *ids, size_t n, size_t *removed, mp_why *why)
{
    mp_sha256 *hashes = NULL;
    size_t n_hashes = 0, count = 0;
    *removed = 0;
    mp_arena *arena = mp_arena_new(0);
    mp_err err = mp_core_begin_write(m, why);
    if (err)
        goto done;
    err = mp_meta_asset_hashes(m->meta, ids, n, arena, &hashes, &n_hashes, why);
    if (!err)
        err = mp_meta_remove(m->meta, ids, n, &count, why);
    /* The rows go first: a crash in between leaves bytes that nobody names, never a row whose
     * bytes are gone. */
    for (size_t i = 0; !err && i < n_hashes; i++)
        delete_blobs(m, hashes[i].byte);
    mp_core_end_write(m);
    if (!err)
        *removed = count;
done:
    mp_arena_free(arena);
    return err;
}

magpie_err magpie_remove(magpie *m, const int64_t *ids, size_t n, size_t *missing, magpie_why *why)
{
    mp_item *items = NULL;
    size_t known = 0, removed = 0;
    if (missing)
        *missing = 0;
    mp_arena *arena = mp_arena_new(0);
    int64_t *pictures = mp_arena_alloc(arena, (n + 1) * sizeof *pictures);
    mp_err err = pictures ? mp_meta_get_items(m->meta, ids, n, arena, &items, INNER(why))
                          : mp_fail(INNER(why), MP_NOMEM, "no memory for %zu ids", n);
    for (size_t i = 0; !err && i < n; i++)
        if (items[i].id) /* an asset of another type is none */
            pictures[known++] = items[i].id;
    if (!err)
        err = mp_core_remove(m, pictures, known, &removed, INNER(why));
    if (!err && missing)
        *missing = n - removed;
    mp_arena_free(arena);
    return OUTER(err);
}

mp_err mp_core_check_tag(const char *tag, mp_why *why)
{
    size_t n = strlen(tag);
    bool clean = n >= 1 && n <= 64;
    for (const unsigned char *c = (const unsigned char *)tag; clean && *c; c++)
        clean = *c >= 32 && *c != 127 && *c != ',';
    return clean ? MP_OK
                 : mp_fail(why, MP_INVALID,
                           "a tag has 1 to 64 bytes and neither commas nor control characters");
}

/* A new sentence vector after a change of words; the change itself is done, so a failure here is
 * only logged (reindex fills it in). */
static void refresh_sentences(magpie *m, const int64_t *ids, size_t n)
{
    mp_model_info info;
    char id[64];
    mp_core_model_id(m, id);
    if (!mp_model_installed(id, m->models_dir, &info) || !info.space[MP_SPACE_SENTENCE].dims)
        return;
    mp_model *model;
    mp_why why = {0};
    mp_err err = mp_core_model(m, &model, &why);
    if (!err)
        err = mp_core_fill_sentences(m, model, ids, n, &why);
    if (err)
        mp_log(MP_LOG_WARN, "the words are stored, their vectors are not: %s", why.text);
}

magpie_err magpie_tag(magpie *m, const int64_t *ids, size_t n, const char *const *add, size_t n_add,
                      const char *const *remove, size_t n_remove, magpie_why *why)
{
    mp_err err = MP_OK;
    for (size_t i = 0; !err && i < n_add; i++)
        err = mp_core_check_tag(add[i], INNER(why));
    if (!err)
        err = mp_meta_tag(m->meta, ids, n, add, n_add, remove, n_remove, INNER(why));
    if (!err)
        refresh_sentences(m, ids, n);
    return OUTER(err);
}

mp_err mp_core_check_words(const char *title, const char *description, mp_why *why)
{
    if (title && strlen(title) > 512)
        return mp_fail(why, MP_INVALID, "a title has at most 512 bytes");
    if (description && strlen(description) > 8192)
        return mp_fail(why, MP_INVALID, "a description has at most 8192 bytes");
    return MP_OK;
}

magpie_err magpie_describe(magpie *m, int64_t id, const char *title, const char *description,
                           magpie_why *why)
{
    mp_err err = mp_core_check_words(title, description, INNER(why));
    if (!err)
        err = mp_meta_describe(m->meta, id, title, description, INNER(why));
    if (!err)
        refresh_sentences(m, &id, 1);
    return OUTER(err);
}

/* ---- verdicts ---- */

magpie_err magpie_verdict_set(magpie *m, magpie_verdict_kind kind, int64_t a, int64_t b,
                              const char *note, magpie_why *why)
{
    bool pair = kind == MAGPIE_SAME || kind == MAGPIE_DIFFERENT;
    if (kind < MAGPIE_SAME || kind > MAGPIE_NOTE)
        return OUTER(mp_fail(INNER(why), MP_INVALID, "no such kind of verdict"));
    if (pair && (a == b || b <= 0))
        return OUTER(mp_fail(INNER(why), MP_INVALID, "this verdict is about two different items"));
    if (note && strlen(note) > 2048)
        return OUTER(mp_fail(INNER(why), MP_INVALID, "a note has at most 2048 bytes"));
    mp_verdict v = {.kind = kind,
                    .a = pair ? MP_MIN(a, b) : a,
                    .b = pair ? MP_MAX(a, b) : 0,
                    .note = note ? note : "",
                    .at_ms = mp_now_ms()};
    return OUTER(mp_meta_set_verdict(m->meta, &v, INNER(why)));
}

magpie_err magpie_verdict_clear(magpie *m, int64_t a, int64_t b, magpie_why *why)
{
    int64_t low = b ? MP_MIN(a, b) : a, high = b ? MP_MAX(a, b) : 0;
    return OUTER(mp_meta_clear_verdict(m->meta, low, high, INNER(why)));
}

magpie_err magpie_verdicts(magpie *m, magpie_verdict **out, size_t *n, magpie_why *why)
{
    *out = NULL;
    *n = 0;
    mp_arena *arena = mp_arena_new(0);
    mp_verdict *list = NULL;
    size_t count = 0, text = 0;
    mp_err err = mp_meta_list_verdicts(m->meta, arena, &list, &count, INNER(why));
    if (!err) {
        for (size_t i = 0; i < count; i++)
            text += strlen(list[i].note) + 1;
        *out = mp_xcalloc(1, count * sizeof **out + text + 1);
        packer p = {(char *)(*out + count)};
        for (size_t i = 0; i < count; i++)
            (*out)[i] = (magpie_verdict){.kind = (magpie_verdict_kind)list[i].kind,
                                         .a = list[i].a,
                                         .b = list[i].b,
                                         .note = pack(&p, list[i].note),
                                         .at_ms = list[i].at_ms};
        *n = count;
    }
    mp_arena_free(arena);
    return OUTER(err);
}
