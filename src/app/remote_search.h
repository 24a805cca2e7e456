/* remote_search.h - a search asked of a service instead of a library here. */
#ifndef MP_APP_REMOTE_SEARCH_H
#define MP_APP_REMOTE_SEARCH_H

#include "app/app.h"

/* The hits of the query; free with remote_hits_free. Reports a failure. */
int remote_search(mp_app *app, const magpie_query *q, int64_t project, magpie_hits **out);
void remote_hits_free(magpie_hits *hits); /* NULL allowed */

#endif
