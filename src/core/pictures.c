/* pictures.c - an item's bytes and its thumbnails, wherever they lie. */
#include "core/core.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SMALL_PX = 256, LARGE_PX = 1024 };

void mp_core_original_key(const uint8_t sha256[32], char out[96])
{
    char hex[65];
    mp_hex(sha256, 32, hex);
    snprintf(out, 96, "originals/%.2s/%s", hex, hex);
}

void mp_core_thumb_key(const uint8_t sha256[32], int size_px, char out[96])
{
    char hex[65];
    mp_hex(sha256, 32, hex);
    snprintf(out, 96, "thumbs/%.2s/%s-%d.webp", hex, hex, size_px);
}

mp_err mp_core_hash_fd(int fd, uint8_t out[32], uint64_t *bytes, mp_why *why)
{
    enum { CHUNK = 256 * 1024 };
    uint8_t *buffer = mp_xmalloc(CHUNK);
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    mp_err err = MP_OK;
    uint64_t at = 0;
    for (;;) {
        ssize_t got = pread(fd, buffer, CHUNK, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            err = mp_fail_errno(why, errno, "cannot read the file");
        if (got <= 0)
            break;
        crypto_hash_sha256_update(&state, buffer, (unsigned long long)got);
        at += (uint64_t)got;
    }
    crypto_hash_sha256_final(&state, out);
    *bytes = at;
    free(buffer);
    return err;
}

/* The file at `path` if it is regular and has the item's size: content is checked by whoever needs
 * to be sure of it. */
static int open_source(const char *path, int64_t bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size != bytes)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

mp_err mp_core_open_original(magpie *m, const mp_item *item, int *fd, mp_why *why)
{
    *fd = -1;
    if (item->copied) {
        char key[96];
        mp_core_original_key(item->sha256, key);
        mp_err err = mp_blob_open_fd(m->blobs, key, fd, why);
        if (err != MP_NOT_FOUND)
            return err;
    }
    if (*item->path)
        *fd = open_source(item->path, item->bytes);
    if (*fd >= 0)
        return MP_OK;
    return mp_fail(why, MP_NOT_FOUND, "the file of #%lld is gone or changed: %s",
                   (long long)item->id, *item->path ? item->path : item->name);
}

magpie_err magpie_content(magpie *m, int64_t id, uint8_t **data, size_t *n, magpie_why *why)
{
    *data = NULL;
    *n = 0;
    mp_arena *arena = mp_arena_new(0);
    mp_item item;
    uint8_t *bytes = NULL, sha256[32];
    int fd = -1;
    mp_err err = mp_meta_get_item(m->meta, id, arena, &item, INNER(why));
    if (!err)
        err = mp_core_open_original(m, &item, &fd, INNER(why));
    if (err)
        goto done;
    bytes = mp_try_array((size_t)item.bytes + 1, 1);
    if (!bytes) {
        err = mp_fail(INNER(why), MP_NOMEM, "no memory for %lld bytes", (long long)item.bytes);
        goto done;
    }
    for (int64_t at = 0; at < item.bytes;) {
        ssize_t got = pread(fd, bytes + at, (size_t)(item.bytes - at), at);
        if (got <= 0 && errno != EINTR)
            break;
        at += MP_MAX(got, 0);
    }
    crypto_hash_sha256(sha256, bytes, (unsigned long long)item.bytes);
    if (memcmp(sha256, item.sha256, 32) != 0) {
        err = mp_fail(INNER(why), MP_CORRUPT,
                      "#%lld: the bytes are no longer those that were added", (long long)id);
        goto done;
    }
    *data = bytes;
    *n = (size_t)item.bytes;
    bytes = NULL;
done:
    free(bytes);
    if (fd >= 0)
        close(fd);
    mp_arena_free(arena);
    return OUTER(err);
}

magpie_err magpie_content_fd(magpie *m, int64_t id, int *fd, magpie_why *why)
{
    mp_arena *arena = mp_arena_new(0);
    mp_item item;
    *fd = -1;
    mp_err err = mp_meta_get_item(m->meta, id, arena, &item, INNER(why));
    if (!err)
        err = mp_core_open_original(m, &item, fd, INNER(why));
    mp_arena_free(arena);
    return OUTER(err);
}

/* Decodes the original into a thumbnail; keeps it unless the library is read-only. */
static mp_err make_thumbnail(magpie *m, const mp_item *item, int size_px, const char *key,
                             uint8_t **data, size_t *n, mp_why *why)
{
    mp_decoder *decoder;
    mp_decoded decoded = {0};
    mp_decode_spec spec = {.thumbnail = size_px};
    int fd = -1;
    mp_err err = mp_core_open_original(m, item, &fd, why);
    if (!err)
        err = mp_core_decoder(m, &decoder, why);
    if (!err)
        err = mp_decode_fd(decoder, fd, &spec, &decoded, why);
    if (!err) {
        *data = decoded.thumbnail;
        *n = decoded.thumbnail_n;
        decoded.thumbnail = NULL;
        if (!m->read_only && mp_blob_put(m->blobs, key, (mp_span){*data, *n}, MP_DERIVABLE, NULL))
            mp_log(MP_LOG_INFO, "the thumbnail of #%lld is not kept", (long long)item->id);
    }
    mp_decoded_free(&decoded);
    if (fd >= 0)
        close(fd);
    return err;
}

mp_err mp_core_thumbnail(magpie *m, const mp_item *item, int size_px, uint8_t **data, size_t *n,
                         mp_why *why)
{
    *data = NULL;
    *n = 0;
    if (size_px != SMALL_PX && size_px != LARGE_PX)
        return mp_fail(why, MP_INVALID, "thumbnails have 256 or 1024 pixels, not %d", size_px);
    /* A picture that fits the small size has the same large one. */
    if (item->width <= SMALL_PX && item->height <= SMALL_PX)
        size_px = SMALL_PX;
    char key[96];
    mp_core_thumb_key(item->sha256, size_px, key);
    if (mp_blob_get(m->blobs, key, 0, data, n, NULL) == MP_OK && *n > 12 &&
        memcmp(*data, "RIFF", 4) == 0 && memcmp(*data + 8, "WEBP", 4) == 0)
        return MP_OK;
    free(*data);
    *data = NULL;
    return make_thumbnail(m, item, size_px, key, data, n, why);
}

magpie_err magpie_thumbnail(magpie *m, int64_t id, int size_px, uint8_t **data, size_t *n,
                            magpie_why *why)
{
    *data = NULL;
    *n = 0;
    mp_arena *arena = mp_arena_new(0);
    mp_item item;
    mp_err err = mp_meta_get_item(m->meta, id, arena, &item, INNER(why));
    if (!err)
        err = mp_core_thumbnail(m, &item, size_px, data, n, INNER(why));
    mp_arena_free(arena);
    return OUTER(err);
}

magpie_err magpie_make_thumbnails(magpie *m, int64_t id, magpie_why *why)
{
    static const int sizes[] = {SMALL_PX, LARGE_PX};
    mp_arena *arena = mp_arena_new(0);
    mp_item item;
    mp_err err = mp_meta_get_item(m->meta, id, arena, &item, INNER(why));
    for (size_t i = 0; !err && i < MP_COUNT(sizes); i++) {
        char key[96];
        uint8_t *data = NULL;
        size_t n;
        mp_core_thumb_key(item.sha256, sizes[i], key);
        err = make_thumbnail(m, &item, sizes[i], key, &data, &n, INNER(why));
        free(data);
    }
    mp_arena_free(arena);
    return OUTER(err);
}

mp_err mp_core_small(magpie *m, const mp_item *item, mp_image *out, mp_why *why)
{
    *out = (mp_image){0};
    uint8_t *bytes = NULL;
    size_t n;
    mp_decoder *decoder;
    mp_decoded decoded = {0};
    mp_decode_spec spec = {.fit_long_side = SMALL_PX};
    mp_err err = mp_core_thumbnail(m, item, SMALL_PX, &bytes, &n, why);
    if (!err)
        err = mp_core_decoder(m, &decoder, why);
    if (!err)
        err = mp_decode_bytes(decoder, (mp_span){bytes, n}, &spec, &decoded, why);
    if (!err) {
        *out = decoded.fitted;
        decoded.fitted = (mp_image){0};
    }
    mp_decoded_free(&decoded);
    free(bytes);
    return err;
}
