/* progress.h - one line on a terminal's standard error that shows how far a long command is; and
 * the place where Ctrl-C takes effect. Without a terminal (or with --quiet) nothing is drawn. */
#ifndef MP_APP_PROGRESS_H
#define MP_APP_PROGRESS_H

#include "app/app.h"

/* The unit of what is counted in bytes, and shown in kB, MB, ... */
#define PROGRESS_BYTES "bytes"

typedef struct progress {
    mp_app *app;
    const char *unit; /* "pictures" */
    bool shown;       /* a bar stands on the terminal now */
    double drawn_at;
    char stage[32];
    double stage_began; /* elapsed_s and done when this stage was first seen: rates are its own */
    uint64_t stage_done;
    uint64_t last_done, last_bytes; /* for the words of an interruption */
} progress;

progress progress_start(mp_app *app, const char *unit);
/* A magpie_progress_fn; context is a progress. True once Ctrl-C was pressed. */
bool progress_tick(void *context, const magpie_progress *p);
/* Takes the bar away, so that lines can be printed. */
void progress_clear(progress *p);
/* The words of the line, without its colours: for tests. `columns` is the terminal's width. */
void progress_line(mp_buf *out, const progress *p, const magpie_progress *now, int columns,
                   bool utf8);

#endif
