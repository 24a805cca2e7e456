/* analyse.h - one file, from its bytes to all that is recorded of it but its vectors.
 *
 * analyse.c does one file; pipeline.c runs it over many with reader threads, which mostly wait for
 * decode workers, and hands the results out in the order of the input through a bounded ring. */
#ifndef MP_ANALYSE_H
#define MP_ANALYSE_H

#include "core/core.h"

/* What every analysis of one magpie_add shares; read-only while it runs. */
typedef struct analysis_plan {
    magpie *m;
    mp_decoder *decoder;
    mp_decode_spec spec;
    bool copy;
    bool given;         /* the file may become the copy */
    int64_t project_id; /* where twins are looked for; 0: nowhere */
    /* Asked once the picture is decoded and before anything is kept of it; NULL: nobody. */
    mp_err (*gate)(void *context, const mp_decoded *decoded, mp_why *why);
    void *gate_context;
} analysis_plan;

typedef struct analysis {
    const char *path; /* not owned */
    mp_err err;       /* UNSUPPORTED: no picture, skipped; others: refused */
    mp_why why;
    bool no_picture;
    uint8_t sha256[32];
    int64_t bytes, mtime_ns;
    int64_t twin;       /* the item that has these bytes and needs nothing more, or 0 */
    bool copied;        /* the bytes are durable in the library */
    mp_decoded decoded; /* empty when twin is set or err */
} analysis;

/* Fills *out (zeroed by the caller but for path). */
void mp_analyse_path(const analysis_plan *plan, analysis *out);
/* The same for an open descriptor (not closed). */
void mp_analyse_fd(const analysis_plan *plan, int fd, analysis *out);
void mp_analysis_free(analysis *a);

typedef struct pipeline pipeline;
/* Starts reader threads over paths[0..n), which must outlive it. */
MP_CHECK mp_err mp_pipeline_open(pipeline **out, const analysis_plan *plan,
                                 const char *const *paths, size_t n, int threads, mp_why *why);
/* Moves the next result, in order, into *out. False when it is not there within wait_ms. */
bool mp_pipeline_next(pipeline *p, analysis *out, int wait_ms);
/* Stops after the files under way and frees. NULL allowed. */
void mp_pipeline_close(pipeline *p);

#endif
