/* products.h - products in requests and answers. Inside the http room. */
#ifndef MP_HTTP_PRODUCTS_H
#define MP_HTTP_PRODUCTS_H

#include "http/message.h"

#include "meta/products.h"

/* The product that the path names, when who asks reaches its project. False with the reply made. */
bool mp_product_asked(mp_request *r, bool write, mp_product *out);
json_t *mp_product_json(mp_request *r, const mp_product *p);
/* Replies with the product as it is now; job_id: that indexes it, 0 for none. */
void mp_product_send(mp_request *r, int status, int64_t id, int64_t job_id);
/* category, price_min, price_max, currency from where `text_of` finds them, and the projects that
 * are reached (project 0: all). 422. */
typedef const char *(*mp_text_of)(mp_request *r, const char *name);
bool mp_product_filter_of(mp_request *r, mp_text_of text_of, int64_t project,
                          mp_product_filter *out);
json_t *mp_facets_json(const mp_product_facets *f);
/* Adds a job for what waits to be indexed; its id, 0 when it could not be added (it is logged: the
 * rows say that they are queued, and the next one takes them). */
int64_t mp_product_queue(mp_request *r, int64_t project, const int64_t *ids, size_t n);

#endif
