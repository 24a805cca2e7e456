/* ingest.h - what add and watch share: file events as lines, and the words at the end. */
#ifndef MP_APP_INGEST_H
#define MP_APP_INGEST_H

#include "app/progress.h"

typedef struct ingest_view {
    progress bar; /* first: progress_tick gets this struct as its context */
    mp_app *app;
    const char *const *named; /* paths given on the command line: their skips are told */
    size_t n_named;
    uint64_t told_skips, untold_skips;
} ingest_view;

ingest_view ingest_view_of(mp_app *app, const char *const *named, size_t n_named);
/* A magpie_file_fn; context is an ingest_view. */
void ingest_file(void *context, const magpie_file_event *e);
/* "added 12, unchanged 3, refused 1 in 0.8 s (...)" */
void ingest_summary(const magpie_add_report *report);
json_t *ingest_json(const mp_app *app, const magpie_add_report *report);

#endif
