/* events.h - what happened in the library, in order: the part of the metadata port that holds
 * events, how far each subscriber has come, and daily figures.
 *
 * Ids grow in the order of commits: whoever has read up to an id misses nothing that comes below it
 * later. A subscriber reads the events after its cursor, does its work and then advances the
 * cursor: after a crash it sees some again (at least once). Figures are counted in the same
 * transaction as the cursor moves: exactly once. As durable as all of the port; any thread. */
#ifndef MP_EVENTS_H
#define MP_EVENTS_H

#include "meta/meta.h"

enum { MP_EVENT_PAGE_MAX = 1000, MP_EVENT_DATA_MAX = 64 << 10 };

typedef struct mp_event {
    int64_t id;          /* ignored when adding */
    int64_t at_ms;       /* adding: 0 for now */
    const char *type;    /* "image.added" */
    int64_t project_id;  /* 0: of none */
    int64_t user_id;     /* 0: of the system */
    const char *subject; /* what it is about: an id, a name */
    const char *data;    /* JSON; NULL or "": {} */
} mp_event;

/* From now on every change of a picture is an event too, in the same transaction: image.added,
 * image.changed, image.tagged, image.described, image.moved, image.removed, image.trashed,
 * image.restored; the subject is its id. Kept with the library: also what other processes do is
 * told. */
MP_CHECK mp_err mp_meta_tell_changes(mp_meta *m, mp_why *why);

/* All in one transaction. Errors: INVALID (no type, data that are not JSON), TOO_BIG. */
MP_CHECK mp_err mp_meta_add_events(mp_meta *m, const mp_event *events, size_t n, mp_why *why);

typedef struct mp_event_query {
    int64_t after;           /* ids above this */
    int64_t before;          /* ids below this; 0: all */
    bool newest_first;       /* else the oldest */
    const int64_t *projects; /* NULL: all; else of these alone (0: those of none) */
    size_t n_projects;
    const char *prefix; /* of the type; NULL: any */
    size_t limit;       /* at most MP_EVENT_PAGE_MAX */
} mp_event_query;
/* In `arena`. */
MP_CHECK mp_err mp_meta_list_events(mp_meta *m, const mp_event_query *query, mp_arena *arena,
                                    mp_event **out, size_t *n, mp_why *why);
/* The newest id that was ever given; 0: none yet. A reader with a filter that asks for this first
 * may go on from here when its page was not full. */
MP_CHECK mp_err mp_meta_last_event(mp_meta *m, int64_t *id, mp_why *why);
/* Drops at most `limit` events from before a time that every known subscriber has behind it. */
MP_CHECK mp_err mp_meta_drop_events(mp_meta *m, int64_t before_ms, size_t limit, uint64_t *n,
                                    mp_why *why);

/* ---- subscribers ---- */

/* The id of the last event that it has behind it; 0 for one that never advanced. */
MP_CHECK mp_err mp_meta_get_cursor(mp_meta *m, const char *subscriber, int64_t *last_id,
                                   mp_why *why);
/* Never goes back: a lower id changes nothing. */
MP_CHECK mp_err mp_meta_advance_cursor(mp_meta *m, const char *subscriber, int64_t last_id,
                                       mp_why *why);
/* Forgets one, so that it no longer holds up drop_events. Unknown ones are fine. */
MP_CHECK mp_err mp_meta_drop_cursor(mp_meta *m, const char *subscriber, mp_why *why);

/* ---- daily figures ---- */

typedef struct mp_daily {
    const char *day; /* "YYYY-MM-DD" */
    int64_t project_id;
    const char *name;
    int64_t value;
} mp_daily;
/* Adds to the figures, in one transaction. INVALID: a day that is none, no name. */
MP_CHECK mp_err mp_meta_add_daily(mp_meta *m, const mp_daily *rows, size_t n, mp_why *why);

typedef struct mp_tally {
    const char *subscriber;
    int64_t from_id, to_id; /* the cursor as it was read, and as it becomes */
    const mp_daily *rows;
    size_t n;
} mp_tally;
/* Adds to the figures and advances the cursor, both or none. EXISTS: the cursor is no longer at
 * from_id, another has counted these events; nothing changed. */
MP_CHECK mp_err mp_meta_count_events(mp_meta *m, const mp_tally *tally, mp_why *why);

/* Writes the events between the cursor and to_id into the audit log (action: the type, target: the
 * subject) and advances the cursor, both or none. EXISTS: as above. */
MP_CHECK mp_err mp_meta_audit_events(mp_meta *m, const char *subscriber, int64_t from_id,
                                     int64_t to_id, mp_why *why);

typedef struct mp_daily_query {
    const char *from, *to; /* days, both within */
    const int64_t *projects;
    size_t n_projects; /* as in mp_event_query */
    const char *name;  /* NULL: any */
} mp_daily_query;
/* By day, project, name; in `arena`. TOO_BIG: more than 100,000 rows. */
MP_CHECK mp_err mp_meta_list_daily(mp_meta *m, const mp_daily_query *query, mp_arena *arena,
                                   mp_daily **out, size_t *n, mp_why *why);

#endif
