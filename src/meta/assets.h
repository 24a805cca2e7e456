/* assets.h - named things of any type and their versions: the part of the metadata port behind
 * items. An item (meta.h) is an asset of type image with its current version; an asset of another
 * type has only bytes, which lie in the blob store. A version is never changed but for the name and
 * the metadata of its asset, which the current one follows, and goes with its asset alone: they are
 * numbered from 1, and the current one is the last. As durable as all of it; any thread. */
#ifndef MP_ASSETS_H
#define MP_ASSETS_H

#include "meta/meta.h"

typedef struct mp_sha256 {
    uint8_t byte[32];
} mp_sha256;

typedef struct mp_version {
    int64_t asset_id, number;
    bool current;
    mp_sha256 sha256;
    bool copied;        /* the bytes are in the blob store */
    const char *path;   /* where they were seen, if not; else "" */
    const char *format; /* of a picture; else "" */
    int32_t width, height;
    int64_t bytes, user_id, created_ms;
    const char *name, *metadata; /* of the asset, when this was the current one */
} mp_version;

typedef struct mp_asset {
    int64_t id, project_id, user_id, added_ms;
    const char *type; /* a word: "image", "file", "document", ... */
    const char *name, *title, *description;
    const char *metadata; /* a JSON object */
    mp_item_state state;
    mp_version version; /* the current one */
} mp_asset;

/* An asset that is no picture, with its first version: of a->version only sha256 and bytes are
 * read, of a all but id and state. Its bytes are in the blob store already, and the caller holds
 * the library's write lock, so that they stay. *known: the project has one of this type, name and
 * bytes, and *id is its. Errors: INVALID (type image), NOT_FOUND (the project). */
MP_CHECK mp_err mp_meta_add_asset(mp_meta *m, const mp_asset *a, int64_t *id, bool *known,
                                  mp_why *why);
/* New bytes for an asset that is no picture, under the same conditions; *unchanged: the current
 * ones are these. Errors: NOT_FOUND (also in the trash), INVALID (type image). */
MP_CHECK mp_err mp_meta_add_version(mp_meta *m, int64_t id, const mp_sha256 *sha256, int64_t bytes,
                                    int64_t user_id, int64_t now_ms, bool *unchanged, mp_why *why);
/* NULL leaves a text as it is. A picture's words lose their vector. NOT_FOUND. */
MP_CHECK mp_err mp_meta_change_asset(mp_meta *m, int64_t id, const char *name, const char *title,
                                     const char *description, const char *metadata, mp_why *why);

/* Also one in the trash. Strings in `arena`. NOT_FOUND. */
MP_CHECK mp_err mp_meta_get_asset(mp_meta *m, int64_t id, mp_arena *arena, mp_asset *out,
                                  mp_why *why);
/* By ascending id after `after`, without the trash. type NULL: any; glob (*, ?, [a-z]; letters'
 * case aside) of the name, NULL: any. */
MP_CHECK mp_err mp_meta_list_assets(mp_meta *m, int64_t project_id, const char *type,
                                    const char *glob, int64_t after, size_t limit, mp_arena *arena,
                                    mp_asset **out, size_t *n, mp_why *why);
/* NOT_FOUND. */
MP_CHECK mp_err mp_meta_get_version(mp_meta *m, int64_t id, int64_t number, mp_arena *arena,
                                    mp_version *out, mp_why *why);
/* Those after a number (0: from the first). */
MP_CHECK mp_err mp_meta_list_versions(mp_meta *m, int64_t id, int64_t after, size_t limit,
                                      mp_arena *arena, mp_version **out, size_t *n, mp_why *why);

/* The first ids of a project's assets, of any type and in whatever state, the trash included; in
 * `arena`. */
MP_CHECK mp_err mp_meta_asset_ids(mp_meta *m, int64_t project_id, size_t limit, mp_arena *arena,
                                  int64_t **out, size_t *n, mp_why *why);
/* The bytes that these assets have had in any version; one may come several times. In `arena`.
 * Unknown ids are fine. */
MP_CHECK mp_err mp_meta_asset_hashes(mp_meta *m, const int64_t *ids, size_t n, mp_arena *arena,
                                     mp_sha256 **out, size_t *n_out, mp_why *why);
/* Every version whose bytes are in the blob store, but those that an item has now: fn gets each
 * and returns true to stop. number is 0. */
typedef bool (*mp_version_fn)(void *context, const mp_version *v);
MP_CHECK mp_err mp_meta_each_copy(mp_meta *m, mp_version_fn fn, void *context, mp_why *why);

#endif
