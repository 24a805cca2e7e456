/* pull.h - bringing a model that is plain files, from a hub, a mirror or a folder.
 *
 * The files gather in <models>/.pull-<id>, which is locked meanwhile; each appears there under its
 * name once its size and SHA-256 are right (until then it is NAME.part: src/net/part.h). When all
 * are there and durable, manifest.json joins them and one rename makes the model appear. Killed at
 * any point, there is no model or a whole one, and the next pull goes on with what came. */
#ifndef MP_APP_PULL_H
#define MP_APP_PULL_H

#include "app/app.h"

#include "model/manifest.h"
#include "service/worker.h"

typedef struct pull {
    const mp_manifest *manifest;
    const char *models_dir;
    const char *hub;    /* the address that the files' paths stand below */
    const char *from;   /* instead: a folder, the weights' file, or an address; NULL: the hub */
    const char *sha256; /* that the weights must have; NULL: what the manifest says */
    int stall_s;        /* 0: 30 s */
    void (*say)(void *arg, const char *line);
    bool (*on_bytes)(void *arg, int64_t done, int64_t total); /* true: stop. total 0: not known */
    void *arg;
} pull;

/* MP_OK also when it is there already. Errors: as mp_net_download, and BUSY (another pull of it
 * runs), INVALID (`sha256` or `from` do not fit the manifest). */
MP_CHECK mp_err pull_run(const pull *p, mp_why *why);

/* The catalogue's entry, or NOT_FOUND with a text that names all that can be fetched. */
MP_CHECK mp_err pull_find(const char *id, mp_manifest *out, mp_why *why);
/* A manifest that a user wrote. INVALID for an id that is no such model's (lite, builtin). */
MP_CHECK mp_err pull_read(const char *path, mp_manifest *out, mp_why *why);

/* The same as a job of the service, by the catalogue and the hub of the settings. */
MP_CHECK mp_err pull_job(const mp_app *app, const char *id, mp_job_run *run, mp_why *why);

/* Takes a model away, and what an unfinished pull left of it. NOT_FOUND: there was neither; BUSY: a
 * pull of it runs. */
MP_CHECK mp_err pull_remove(const char *models_dir, const char *id, mp_why *why);

#endif
