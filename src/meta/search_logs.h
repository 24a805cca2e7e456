/* search_logs.h - what was searched for, how long it took and what it found: the part of the
 * metadata port that keeps it and sums it up. As durable as all of it; any thread. */
#ifndef MP_SEARCH_LOGS_H
#define MP_SEARCH_LOGS_H

#include "meta/meta.h"

typedef enum mp_query_type {
    MP_QUERY_TEXT = 0,
    MP_QUERY_IMAGE,
    MP_QUERY_MIXED,
    MP_QUERY_SIMILAR /* to something that is in the library */
} mp_query_type;
enum { MP_QUERY_TYPES = 4 };
const char *mp_query_type_word(mp_query_type type); /* "text", "image", "mixed", "similar" */

typedef struct mp_search_log {
    int64_t id; /* ignored when adding */
    mp_query_type type;
    const char *text, *image_url; /* "": none */
    int64_t results, time_ms;
    const char *user_id, *session_id; /* "": nobody was signed in */
    int64_t project_id;               /* 0: no single one */
    int64_t created_ms;               /* when adding, 0: now */
} mp_search_log;

/* All of them in one transaction: whoever logs many waits for the disk once. NULL texts are "".
 * INVALID: a type that does not exist, a negative number, a text over MP_QUERY_TEXT_MAX bytes or
 * not UTF-8.
 */
enum { MP_QUERY_TEXT_MAX = 65536 };
MP_CHECK mp_err mp_meta_add_search_logs(mp_meta *m, const mp_search_log *logs, size_t n,
                                        mp_why *why);
/* At most `limit` (1 to 1000) before the id `before` (0: the newest), the newest first; project_id
 * 0: of all. In `arena`. */
MP_CHECK mp_err mp_meta_list_search_logs(mp_meta *m, int64_t project_id, int64_t before,
                                         size_t limit, mp_arena *arena, mp_search_log **out,
                                         size_t *n, mp_why *why);

/* The text in the form by which queries are counted as one: blanks trimmed and squeezed, lower case
 * (ASCII, Latin, Greek, Cyrillic). Appended to `out`. */
void mp_query_normalise(const char *text, mp_buf *out);

typedef struct mp_query_figures {
    const char *query; /* normalised */
    uint64_t count;
    double mean_results, mean_ms;
    int64_t last_ms; /* when it was asked last */
} mp_query_figures;
typedef struct mp_query_totals {
    uint64_t count, empty; /* empty: found nothing */
    double mean_ms;
    int64_t p95_ms; /* 95 of 100 took at most so long (nearest rank) */
} mp_query_totals;
typedef struct mp_search_report {
    const mp_query_figures *top; /* the most asked first */
    size_t n_top;
    const mp_query_figures *empty; /* of the searches that found nothing, the most asked first */
    size_t n_empty;
    mp_query_totals type[MP_QUERY_TYPES]; /* by mp_query_type */
} mp_search_report;
/* Over from_ms <= created_ms < to_ms; at most `limit` (1 to 1000) queries in each list, searches
 * without words being in neither; project_id 0: of all. One state of the data. In `arena`. */
typedef struct mp_search_report_options {
    int64_t from_ms, to_ms, project_id;
    size_t limit;
} mp_search_report_options;
MP_CHECK mp_err mp_meta_search_report(mp_meta *m, const mp_search_report_options *opt,
                                      mp_arena *arena, mp_search_report *out, mp_why *why);

/* Forgets what is older, in steps that let other writers in between. *removed (NULL allowed)
 * counts, also what was forgotten before an error. */
MP_CHECK mp_err mp_meta_prune_search_logs(mp_meta *m, int64_t before_ms, uint64_t *removed,
                                          mp_why *why);

#endif
