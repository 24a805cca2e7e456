/* brief.h - handlers that are quick lately, although they may take long. Inside the http room.
 *
 * A search by id in a loaded index takes less time than handing its request to a worker and back.
 * So routes that are marked `brief` run on the thread that read the request, as long as they have
 * taken at most MP_BRIEF_MS MP_BRIEF_RUN times in a row; one that took longer sends its route back
 * to the workers until it has shown as often that it is quick again. Other connections of that
 * thread then wait for one slow answer at most. Any thread. */
#ifndef MP_HTTP_BRIEF_H
#define MP_HTTP_BRIEF_H

#include "http/route.h"

enum { MP_BRIEF_MS = 5, MP_BRIEF_RUN = 32 };

typedef struct mp_brief mp_brief; /* opaque */
mp_brief *mp_brief_new(void);
void mp_brief_free(mp_brief *b); /* NULL allowed */
/* May this route run where its request was read? */
bool mp_brief_is(mp_brief *b, const mp_route *route);
/* What a run of it took. */
void mp_brief_took(mp_brief *b, const mp_route *route, double seconds);

#endif
