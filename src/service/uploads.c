/* uploads.c - see uploads.h. */
#include "service/uploads.h"

#include "base/os.h"
#include "core/ports.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *type, *extension;
} types[] = {{"image/jpeg", "jpg"}, {"image/png", "png"},   {"image/webp", "webp"},
             {"image/gif", "gif"},  {"image/tiff", "tiff"}, {"image/avif", "avif"},
             {"image/heic", "heic"}};

static const char *extension_of(const char *type)
{
    for (size_t i = 0; i < MP_COUNT(types); i++)
        if (strcmp(types[i].type, type) == 0)
            return types[i].extension;
    return NULL;
}

/* What is signed: each part by its length, so that no two links read the same. */
static void signed_text(const mp_upload *u, mp_buf *out)
{
    mp_buf_printf(out, "upload %s %lld %lld %lld %lld %zu:%s %zu:%s", u->id, (long long)u->user_id,
                  (long long)u->project_id, (long long)u->bytes, (long long)(u->expires_ms / 1000),
                  strlen(u->name), u->name, strlen(u->type), u->type);
}

static void escape(mp_buf *out, const char *text)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    for (; *text; text++) {
        if (strchr(plain, *text))
            mp_buf_add(out, text, 1);
        else
            mp_buf_printf(out, "%%%02X", (unsigned char)*text);
    }
}

mp_err mp_upload_presign(const mp_signer *s, const mp_upload *u, mp_arena *arena, mp_presigned *out,
                         mp_why *why)
{
    uint8_t random[MP_UPLOAD_ID / 2];
    char hex[MP_UPLOAD_ID + 1], signature[MP_SIGNATURE + 1], key[128];
    mp_buf text = {0}, query = {0};
    mp_upload link = *u;
    const char *extension = extension_of(u->type);
    *out = (mp_presigned){0};
    if (!extension)
        return mp_fail(why, MP_INVALID, "file_type must be the type of a picture, as image/jpeg");
    randombytes_buf(random, sizeof random);
    mp_hex(random, sizeof random, hex);
    snprintf(key, sizeof key, "images/%lld/%s.%s", (long long)u->user_id, hex, extension);
    link.id = hex;
    link.expires_ms = (mp_now_ms() / 1000 + MP_PRESIGN_S) * 1000;
    signed_text(&link, &text);
    mp_signer_sign(s, text.p, signature);
    mp_buf_str(&query, "name=");
    escape(&query, u->name);
    mp_buf_str(&query, "&type=");
    escape(&query, u->type);
    mp_buf_printf(&query, "&size=%lld&user=%lld&project=%lld&exp=%lld&sig=%s", (long long)u->bytes,
                  (long long)u->user_id, (long long)u->project_id,
                  (long long)(link.expires_ms / 1000), signature);
    *out = (mp_presigned){.id = mp_arena_strdup(arena, mp_str_of(hex)),
                          .key = mp_arena_strdup(arena, mp_str_of(key)),
                          .query = mp_arena_strdup(arena, (mp_str){query.p, query.n}),
                          .expires_ms = link.expires_ms};
    mp_buf_free(&text);
    mp_buf_free(&query);
    return out->id && out->key && out->query ? MP_OK : mp_fail(why, MP_NOMEM, "no memory");
}

mp_err mp_upload_check(const mp_signer *s, const mp_upload *u, const char *signature, mp_why *why)
{
    mp_buf text = {0};
    signed_text(u, &text);
    bool good = strlen(u->id) == MP_UPLOAD_ID &&
                strspn(u->id, "0123456789abcdef") == MP_UPLOAD_ID &&
                mp_signer_check(s, text.p, signature);
    mp_buf_free(&text);
    if (!good)
        return mp_fail(why, MP_NOT_FOUND, "this upload link is not valid");
    return u->expires_ms > mp_now_ms() ? MP_OK
                                       : mp_fail(why, MP_NOT_FOUND, "this upload link has expired");
}

static void blob_key(const char *id, char out[64])
{
    snprintf(out, 64, "uploads/%.*s", MP_UPLOAD_ID, id);
}

/* The bytes go first: a row means that they are there. Of two PUTs at once to one link the blob of
 * either is whole, and one of them gets the row. */
mp_err mp_upload_store(magpie *library, const mp_upload *u, int fd, mp_why *why)
{
    char key[64];
    uint64_t bytes;
    mp_upload row = *u;
    mp_upload known;
    mp_meta *meta = mp_core_meta(library);
    mp_arena *arena = mp_arena_new(0);
    mp_err err = mp_meta_get_upload(meta, u->id, arena, &known, NULL);
    mp_arena_free(arena);
    if (!err)
        return mp_fail(why, MP_EXISTS, "this link was used already");
    blob_key(u->id, key);
    row.expires_ms = mp_now_ms() + MP_UPLOAD_KEEP_S * 1000LL;
    err = mp_blob_give_fd(mp_core_blobs(library), key, fd, &bytes, why);
    return err ? err : mp_meta_add_upload(meta, &row, why);
}

mp_err mp_upload_of_key(magpie *library, const char *key, int64_t user_id, mp_arena *arena,
                        mp_upload *out, mp_why *why)
{
    char id[MP_UPLOAD_ID + 1], extension[8];
    long long user = 0;
    int n = 0;
    *out = (mp_upload){0};
    if (sscanf(key, "images/%lld/%32[0-9a-f].%7[a-z]%n", &user, id, extension, &n) != 3 || key[n] ||
        strlen(id) != MP_UPLOAD_ID || user != user_id)
        return mp_fail(why, MP_NOT_FOUND, "nothing was uploaded under this key");
    mp_err err = mp_meta_get_upload(mp_core_meta(library), id, arena, out, why);
    if (err == MP_NOT_FOUND || (!err && out->user_id != user_id)) {
        *out = (mp_upload){0};
        return mp_fail(why, MP_NOT_FOUND, "nothing was uploaded under this key");
    }
    return err;
}

/* A crash between the picture and the note of it makes the next try find the same bytes: KNOWN. */
mp_err mp_upload_ingest(magpie *library, const mp_upload *u, const magpie_put *put, int64_t *id,
                        magpie_outcome *outcome, mp_why *why)
{
    char key[64];
    int fd = -1;
    magpie_put full = *put;
    mp_meta *meta = mp_core_meta(library);
    *id = u->item_id;
    *outcome = MAGPIE_KNOWN;
    if (u->item_id)
        return MP_OK;
    blob_key(u->id, key);
    full.name = u->name;
    full.project = u->project_id;
    full.user = u->user_id;
    mp_err err = mp_blob_open_fd(mp_core_blobs(library), key, &fd, why);
    if (!err)
        err = (mp_err)magpie_add_fd(library, fd, &full, id, outcome, (magpie_why *)(void *)why);
    if (fd >= 0)
        close(fd);
    if (!err)
        err = mp_meta_take_upload(meta, u->id, *id, why);
    if (!err && mp_blob_delete(mp_core_blobs(library), key, NULL))
        mp_log(MP_LOG_INFO, "an upload that was taken in is left until it expires");
    return err;
}

mp_err mp_upload_sweep(magpie *library, int64_t now_ms, size_t *swept, mp_why *why)
{
    enum { AT_ONCE = 500 };
    mp_meta *meta = mp_core_meta(library);
    mp_arena *arena = mp_arena_new(0);
    const char **ids;
    size_t n = 0;
    *swept = 0;
    mp_err err = mp_meta_old_uploads(meta, now_ms, AT_ONCE, arena, &ids, &n, why);
    for (size_t i = 0; !err && i < n; i++) {
        char key[64];
        blob_key(ids[i], key);
        err = mp_blob_delete(mp_core_blobs(library), key, why);
        if (!err || err == MP_NOT_FOUND)
            err = mp_meta_drop_upload(meta, ids[i], why);
        *swept += !err;
    }
    mp_arena_free(arena);
    return err;
}
