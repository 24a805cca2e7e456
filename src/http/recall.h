/* recall.h - how good the index is at what it is really asked: now and then a live question is
 * asked once more by comparing with every vector. Inside the http room. Any thread. */
#ifndef MP_HTTP_RECALL_H
#define MP_HTTP_RECALL_H

#include "http/search.h"
#include "http/work.h"

typedef struct mp_recall mp_recall; /* opaque */

mp_recall *mp_recall_new(magpie *library);
void mp_recall_free(mp_recall *r); /* after the workers have ended. NULL allowed */
/* A question about one picture of the library was answered: perhaps it is checked, on a worker. */
void mp_recall_sample(mp_recall *r, mp_work *w, const mp_question *q, const magpie_hits *hits);
/* The mean share of the ten nearest that were found, over the last samples; NAN before the first.
 */
double mp_recall_mean(mp_recall *r, uint64_t *samples);

#endif
