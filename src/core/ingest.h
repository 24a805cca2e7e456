/* ingest.h - how analysed pictures become items: what all ways into a library share.
 *
 *   ingest.c     batches: one encode call, one metadata transaction, and only then the reports
 *   add_paths.c  magpie_add: files and folders, compared with what is known
 *   add_one.c    magpie_add_bytes and magpie_add_fd: one picture each, many callers at once
 *
 * Nothing is reported before it is durable, and what is not reported is wholly there or wholly
 * absent. A batch is filled and flushed by one thread, which holds the write lock. */
#ifndef MP_INGEST_H
#define MP_INGEST_H

#include "core/analyse.h"

enum { INGEST_BATCH = 16, INGEST_SMALL_PX = 256 };

/* How a picture is taken in, beside its bytes. Strings outlive the batch. */
typedef struct ingest_how {
    int64_t project_id, user_id; /* project 0: the first */
    const char *title, *description, *metadata;
    const char *folder; /* clean; NULL or "": none */
    const char *const *tags;
    size_t n_tags;
    int64_t replace; /* the item whose new version it is; 0: by its bytes and its path */
} ingest_how;

/* One picture of a batch: how it will be recorded and reported. */
typedef struct ingest_entry {
    analysis a;
    const ingest_how *how;
    void *ticket; /* the caller's, for its report */
    magpie_outcome outcome;
    int64_t id;
    bool put; /* has a row in `puts` */
    size_t put_at;
} ingest_entry;

typedef struct ingest ingest;
/* What became of an entry: id is set where there is an item. */
typedef void (*ingest_report_fn)(ingest *g, const ingest_entry *e, int64_t id);

struct ingest {
    magpie *m;
    mp_model *model;
    analysis_plan plan;
    int view_of[MP_SPACES];
    ingest_report_fn report;
    void *context; /* for report */

    mp_source *sources; /* known below the given paths, by path; none where pictures have no path */
    size_t n_sources;
    mp_arena *arena; /* of sources, and of texts that live as long as the batch */

    ingest_entry entries[INGEST_BATCH];
    size_t n_entries;
    double batch_began;
    mp_put puts[INGEST_BATCH];
    size_t n_puts;
    mp_source_change before[INGEST_BATCH], after[INGEST_BATCH];
    size_t n_before, n_after;
    float *vectors[MP_SPACES]; /* INGEST_BATCH x dims */
    bool worded[INGEST_BATCH]; /* puts with a SENTENCE vector */
    mp_buf words;              /* that `vectors` were last made of: tags of one call repeat */
};

/* Opens model and decoder and plans the analysis. The caller sets report, context and plan.copy. */
MP_CHECK mp_err mp_ingest_open(ingest *g, magpie *m, mp_why *why);
void mp_ingest_close(ingest *g);
/* Takes over `a`, whose own failure is reported with its entry. `how` outlives the batch. Errors
 * are the library's, never the picture's: FULL, IO, BUSY, NOMEM. */
MP_CHECK mp_err mp_ingest_take(ingest *g, analysis *a, const ingest_how *how, void *ticket,
                               mp_why *why);
/* Writes what was taken, then reports it. After an error nothing of the batch is there. */
MP_CHECK mp_err mp_ingest_flush(ingest *g, mp_why *why);
/* Drops what was taken since the last flush, unreported. */
void mp_ingest_forget(ingest *g);
const mp_source *mp_ingest_source(const ingest *g, const char *path);

#endif
