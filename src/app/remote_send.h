/* remote_send.h - pictures from disk to a service: one request per file, several at once, each
 * streamed from its descriptor. What the service has already it calls known, so a run that was cut
 * off is taken up again by running it once more. */
#ifndef MP_APP_REMOTE_SEND_H
#define MP_APP_REMOTE_SEND_H

#include "app/remote.h"

typedef struct remote_batch {
    const remote *remote;
    char *const *path;
    size_t n;
    int64_t project;    /* 0: the default one */
    const json_t *tags; /* put on every picture that is there afterwards; NULL: none */
    int64_t max_bytes;  /* larger files are refused here */
    /* Both on the calling thread; on_progress at least every 200 ms, true: stop. */
    magpie_file_fn on_file;
    magpie_progress_fn on_progress;
    void *context;
} remote_batch;

/* A file that cannot be taken is an event; what hinders all of them (no connection, a token that is
 * not accepted, no such project) ends the batch. report->outcomes counts what on_file was told. */
MP_CHECK mp_err remote_send(const remote_batch *b, magpie_add_report *report, mp_why *why);

#endif
