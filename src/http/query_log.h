/* query_log.h - what was searched for, on its way into the database. Inside the http room.
 *
 * A search must not wait for the disk, so entries gather in memory and are written together once a
 * second; a crash loses at most that. The queue is bounded: what does not fit is dropped and
 * counted. Any thread. */
#ifndef MP_HTTP_QUERY_LOG_H
#define MP_HTTP_QUERY_LOG_H

#include "meta/search_logs.h"

typedef struct mp_query_log mp_query_log; /* opaque */

mp_query_log *mp_query_log_new(mp_meta *meta);
/* Copies the texts. */
void mp_query_log_add(mp_query_log *q, const mp_search_log *entry);
/* Writes what is there now; for reports that must not miss it. */
void mp_query_log_flush(mp_query_log *q);
void mp_query_log_free(mp_query_log *q); /* writes what is left; NULL allowed */

#endif
