/* items.h - pictures in requests and answers: which one is meant, may they, and its JSON. Inside
 * the http room. */
#ifndef MP_HTTP_ITEMS_H
#define MP_HTTP_ITEMS_H

#include "http/json_sink.h"
#include "http/message.h"

#include "meta/meta.h"

/* The picture that a path's parameter names, when who asks may read (or write) it: else false with
 * a 404 (also for somebody else's) or 403 made. Free it with magpie_item_free. */
bool mp_item_asked(mp_request *r, const char *text, bool write, magpie_item **out);
/* The same for a JSON member that is a number or a string of digits. */
bool mp_item_id(mp_request *r, const json_t *value, const char *what, bool write, int64_t *out);
/* 404 or 403 when this project cannot be reached (or written to). */
bool mp_project_reached(mp_request *r, int64_t project_id, bool write);
/* Where new things go: `project_id` when it is given and may be written to, else the user's default
 * project. */
bool mp_project_to_write(mp_request *r, int64_t project_id, int64_t *out);
/* A project's number from the query or a body (0: none given), and the filter of what may be seen
 * there. False with the reply made. */
bool mp_scope_of(mp_request *r, int64_t project_id, const char *where, const char **out);
bool mp_query_project(mp_request *r, int64_t *out);

/* What the first service kept beside a vector, and more. */
json_t *mp_item_payload(mp_request *r, const magpie_item *item);
/* The same into a sink. */
void mp_item_describe(mp_sink *s, const char *key, const mp_service *service,
                      const magpie_item *item);
/* The picture as a resource: the payload with its id and links. */
json_t *mp_item_json(mp_request *r, const magpie_item *item);
const char *mp_preview_url(mp_request *r, int64_t id);
/* "2026-01-31T12:00:00Z"; null for 0. */
json_t *mp_time_json(int64_t ms);
/* "image/jpeg"; static. */
const char *mp_media_type(const char *format);

/* ---- pages of pictures: images.c ---- */

/* What the query says of a list: the order, where to go on (*mark has room for it), and the filter
 * of what may be seen and is wanted. False with the reply made. */
bool mp_page_asked(mp_request *r, mp_page *page, mp_page_mark *mark, const char **scope);
/* The `cursor` that goes on behind the mark; in the request's arena. */
const char *mp_page_cursor(mp_request *r, const mp_page *page, const mp_page_mark *mark);

#endif
