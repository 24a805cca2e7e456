/* assets.c - see assets.h. */
#include "service/assets.h"

#include "base/os.h"
#include "core/ports.h"
#include "meta/products.h"
#include "meta/projects.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static magpie_why *outer(mp_why *why)
{
    return (magpie_why *)(void *)why;
}

bool mp_asset_type_fine(const char *type)
{
    size_t n = strlen(type);
    return n >= 1 && n <= MP_TYPE_MAX && *type >= 'a' && *type <= 'z' &&
           strspn(type, "abcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}

/* ---- files ---- */

typedef struct kept {
    mp_sha256 sha256;
    uint64_t bytes;
} kept;

static mp_err keep_bytes(magpie *library, int fd, const kept *k, mp_why *why)
{
    char key[96];
    uint64_t bytes;
    mp_core_original_key(k->sha256.byte, key);
    if (mp_blob_stat(mp_core_blobs(library), key, &bytes, NULL) == MP_OK && bytes == k->bytes)
        return MP_OK;
    return mp_blob_put_fd(mp_core_blobs(library), key, fd, &bytes, why);
}

/* Makes the bytes durable, then takes the write lock: nobody removes them until the caller, who
 * gives it back, has written the row. The long write goes first, so that the lock is held for a
 * look alone; only what was removed in between is written again. */
static mp_err begin_with_bytes(magpie *library, int fd, kept *k, mp_why *why)
{
    mp_err err = mp_core_hash_fd(fd, k->sha256.byte, &k->bytes, why);
    if (!err && k->bytes == 0)
        err = mp_fail(why, MP_INVALID, "the file is empty");
    if (!err && k->bytes > (uint64_t)mp_core_max_bytes(library))
        err = mp_fail(why, MP_TOO_BIG, "%llu bytes are over the limit of %lld",
                      (unsigned long long)k->bytes, (long long)mp_core_max_bytes(library));
    if (!err)
        err = keep_bytes(library, fd, k, why);
    if (!err)
        err = mp_core_begin_write(library, why);
    if (err)
        return err;
    err = keep_bytes(library, fd, k, why);
    if (err)
        mp_core_end_write(library);
    return err;
}

static mp_err add_file(magpie *library, int fd, const mp_asset_put *put, int64_t *id, bool *known,
                       mp_why *why)
{
    kept k;
    mp_err err = begin_with_bytes(library, fd, &k, why);
    if (err)
        return err;
    mp_asset a = {.project_id = put->project_id,
                  .user_id = put->user_id,
                  .added_ms = mp_now_ms(),
                  .type = *put->type ? put->type : "file",
                  .name = put->name,
                  .title = put->title,
                  .description = put->description,
                  .metadata = put->metadata,
                  .version = {.sha256 = k.sha256, .bytes = (int64_t)k.bytes}};
    err = mp_meta_add_asset(mp_core_meta(library), &a, id, known, why);
    mp_core_end_write(library);
    return err;
}

/* ---- any type ---- */

mp_err mp_asset_add(magpie *library, int fd, const mp_asset_put *put, int64_t *id, bool *known,
                    mp_why *why)
{
    magpie_outcome outcome;
    bool picture = strcmp(put->type, "image") == 0;
    *id = 0;
    *known = false;
    if (!picture && *put->type)
        return add_file(library, fd, put, id, known, why);
    magpie_put as_picture = {.name = put->name,
                             .title = put->title,
                             .description = put->description,
                             .metadata = put->metadata,
                             .project = put->project_id,
                             .user = put->user_id};
    mp_err err = (mp_err)magpie_add_fd(library, fd, &as_picture, id, &outcome, outer(why));
    if (err == MP_UNSUPPORTED && !picture)
        return add_file(library, fd, put, id, known, why);
    *known = !err && outcome != MAGPIE_ADDED;
    return err;
}

mp_err mp_asset_replace(magpie *library, const mp_asset *a, int fd, int64_t user_id,
                        bool *unchanged, mp_why *why)
{
    int64_t id;
    magpie_outcome outcome;
    kept k;
    *unchanged = false;
    if (strcmp(a->type, "image") == 0) {
        magpie_put put = {.name = a->name, .user = user_id, .replace = a->id};
        mp_err err = (mp_err)magpie_add_fd(library, fd, &put, &id, &outcome, outer(why));
        *unchanged = !err && outcome == MAGPIE_UNCHANGED;
        return err;
    }
    mp_err err = begin_with_bytes(library, fd, &k, why);
    if (err)
        return err;
    err = mp_meta_add_version(mp_core_meta(library), a->id, &k.sha256, (int64_t)k.bytes, user_id,
                              mp_now_ms(), unchanged, why);
    mp_core_end_write(library);
    return err;
}

/* A file that is only referenced may have changed since: what is given out is what was seen. */
static int open_referenced(const mp_version *v)
{
    struct stat st;
    mp_sha256 now;
    uint64_t bytes;
    int fd = *v->path ? open(v->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) : -1;
    if (fd < 0)
        return -1;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == v->bytes &&
        mp_core_hash_fd(fd, now.byte, &bytes, NULL) == MP_OK &&
        memcmp(now.byte, v->sha256.byte, sizeof now.byte) == 0)
        return fd;
    close(fd);
    return -1;
}

mp_err mp_asset_open(magpie *library, const mp_version *v, int *fd, mp_why *why)
{
    char key[96];
    mp_core_original_key(v->sha256.byte, key);
    mp_err err = mp_blob_open_fd(mp_core_blobs(library), key, fd, why);
    if (err != MP_NOT_FOUND)
        return err;
    *fd = open_referenced(v);
    return *fd >= 0 ? MP_OK
                    : mp_fail(why, MP_NOT_FOUND, "the bytes of version %lld are not there any more",
                              (long long)v->number);
}

mp_err mp_asset_change(magpie *library, const mp_asset *a, const char *name, const char *title,
                       const char *description, const char *metadata, mp_why *why)
{
    mp_err err =
        mp_meta_change_asset(mp_core_meta(library), a->id, name, title, description, metadata, why);
    /* The words are stored by now; told once more, a picture's get their vector. */
    if (!err && (title || description) && strcmp(a->type, "image") == 0)
        err = (mp_err)magpie_describe(library, a->id, title, description, outer(why));
    return err;
}

/* ---- the end of a project ---- */

static mp_err remove_assets(magpie *library, int64_t project_id, size_t *removed, mp_why *why)
{
    enum { AT_ONCE = 500 };
    mp_meta *meta = mp_core_meta(library);
    mp_arena *arena = mp_arena_new(0);
    mp_err err = MP_OK;
    for (size_t n = AT_ONCE; !err && n == AT_ONCE;) {
        int64_t *ids;
        size_t gone = 0;
        mp_arena_reset(arena);
        err = mp_meta_asset_ids(meta, project_id, AT_ONCE, arena, &ids, &n, why);
        if (!err && n)
            err = mp_core_remove(library, ids, n, &gone, why);
        *removed += gone;
    }
    mp_arena_free(arena);
    return err;
}

static mp_err remove_products(mp_meta *meta, int64_t project_id, mp_why *why)
{
    mp_product_filter filter = {.projects = &project_id, .n_projects = 1};
    int64_t *ids;
    size_t n;
    mp_err err = mp_meta_product_ids(meta, &filter, &ids, &n, why);
    if (!err)
        err = mp_meta_remove_products(meta, ids, n, NULL, why);
    free(ids);
    return err;
}

/* Pictures that come in are written under the same lock: one whose project is gone by then is
 * refused alone, not with all that are written beside it. */
static mp_err remove_empty(magpie *library, int64_t project_id, mp_why *why)
{
    mp_err err = mp_core_begin_write(library, why);
    if (err)
        return err;
    err = mp_meta_remove_project(mp_core_meta(library), project_id, why);
    mp_core_end_write(library);
    return err;
}

mp_err mp_project_remove(magpie *library, int64_t project_id, bool force, size_t *removed,
                         mp_why *why)
{
    mp_project p;
    mp_meta *meta = mp_core_meta(library);
    *removed = 0;
    if (!force)
        return remove_empty(library, project_id, why);
    mp_arena *arena = mp_arena_new(0);
    mp_err err = mp_meta_get_project(meta, project_id, 0, arena, &p, why);
    if (!err && p.is_default)
        err = mp_fail(why, MP_EXISTS, "a default project stays");
    if (!err)
        err = remove_assets(library, project_id, removed, why);
    if (!err)
        err = remove_products(meta, project_id, why);
    if (!err)
        err = remove_empty(library, project_id, why);
    mp_arena_free(arena);
    return err;
}
