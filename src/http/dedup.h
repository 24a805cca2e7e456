/* dedup.h - duplicates that requests ask for: how they are found, kept and shown. Inside the http
 * room.
 *
 * A question that covers few pictures is answered at once; its groups stay in bounded memory under
 * all that they depend on (the question, what may be seen, the state of the library), so that the
 * pages after the first only read them. What covers more is a job, whose groups lie in a file
 * (service/clusters.h). */
#ifndef MP_HTTP_DEDUP_H
#define MP_HTTP_DEDUP_H

#include "http/message.h"
#include "meta/jobs.h"
#include "service/clusters.h"

typedef struct mp_dedup_question {
    magpie_dupe_kind kind;
    float threshold;   /* 0: the kind's own */
    const char *scope; /* what may be seen; NULL: everything */
} mp_dedup_question;

/* Does the scope hold more pictures than are looked through while a request waits? False with the
 * reply made. */
bool mp_dedup_is_large(mp_request *r, const char *scope, bool *large);

/* The groups in the state `changes` of the library, 0: as it is now (then told). Their bytes go
 * into `out`. False with the reply made: 409 when that state is over and its groups are forgotten.
 */
bool mp_dedup_find(mp_request *r, const mp_dedup_question *q, int64_t *changes, mp_buf *out);

/* What a finished job found; close it with mp_clusters_close. False with a 404 made. */
bool mp_job_clusters(mp_request *r, const mp_job *job, mp_cluster_list *out);

/* One page of them as JSON, without its cursor; pictures that are gone or of others are left out.
 * NULL with the reply made. */
json_t *mp_clusters_page(mp_request *r, const mp_cluster_list *list, size_t from, size_t limit);

#endif
