/* remote_export.h - an export made by a service and brought here. */
#ifndef MP_APP_REMOTE_EXPORT_H
#define MP_APP_REMOTE_EXPORT_H

#include "app/app.h"

typedef struct remote_export {
    const char *to;        /* the ZIP file */
    const char *where;     /* NULL: all */
    const char *manifests; /* "json,csv,coco"; NULL: none */
    int64_t project;       /* 0: the default one; an administrator's: everything */
    bool vectors;
} remote_export;

/* Starts it, waits for it, downloads it. Ctrl-C while it is being made cancels it. */
int remote_export_run(mp_app *app, const remote_export *e);

#endif
