/* assets.h - assets of a library that is served, of any type: how they come in, get new versions,
 * and go with their bytes.
 *
 * Bytes are in the blob store, under their SHA-256, before a row names them: a crash between the
 * two leaves bytes that nobody names, never a row without its bytes. Any thread. */
#ifndef MP_SERVICE_ASSETS_H
#define MP_SERVICE_ASSETS_H

#include "magpie.h"

#include "meta/assets.h"

enum { MP_TYPE_MAX = 32 };

/* What is to become an asset. All strings are needed, and may be "". */
typedef struct mp_asset_put {
    int64_t project_id, user_id;
    const char *type; /* "": a picture if it can be one, else "file" */
    const char *name, *title, *description;
    const char *metadata; /* a JSON object */
} mp_asset_put;

/* 1 to 32 of a-z, 0-9, '_' and '-', a letter first. */
bool mp_asset_type_fine(const char *type);
/* Takes in what fd holds. *known: the project has it (a picture by its bytes, others by bytes, name
 * and type), and *id is that one's. Errors: those of magpie_add_fd. */
MP_CHECK mp_err mp_asset_add(magpie *library, int fd, const mp_asset_put *put, int64_t *id,
                             bool *known, mp_why *why);
/* What fd holds becomes the asset's next version; *unchanged: it is the current one. NOT_FOUND: it
 * was removed or lies in the trash; UNSUPPORTED ...: no picture for one of type image. */
MP_CHECK mp_err mp_asset_replace(magpie *library, const mp_asset *a, int fd, int64_t user_id,
                                 bool *unchanged, mp_why *why);
/* The bytes of a version; the caller closes *fd. NOT_FOUND: they were only referenced, and the file
 * is gone or another one. */
MP_CHECK mp_err mp_asset_open(magpie *library, const mp_version *v, int *fd, mp_why *why);
/* One transaction for all of it; NULL leaves a text as it is. NOT_FOUND, INVALID (the limits of
 * magpie_describe). */
MP_CHECK mp_err mp_asset_change(magpie *library, const mp_asset *a, const char *name,
                                const char *title, const char *description, const char *metadata,
                                mp_why *why);

/* Removes a project; with `force` all that it holds goes first, assets and products, and *removed
 * counts the assets, also when it ends half-way. EXISTS: it is its owner's default (then nothing
 * goes), it holds something, or something came in meanwhile. NOT_FOUND. */
MP_CHECK mp_err mp_project_remove(magpie *library, int64_t project_id, bool force, size_t *removed,
                                  mp_why *why);

#endif
