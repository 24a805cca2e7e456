/* timeline.c - a whole library as a page that can be scrolled: which months there are, where each
 * few hundred pictures begin and how much room they take, and then those pictures with the little
 * that it takes to show them. Made in one pass over all that match, and kept until something
 * changes. */
#include "http/body.h"
#include "http/items.h"
#include "http/links.h"
#include "http/server.h"

#include "base/os.h"
#include "core/ports.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- segments ---- */

/* A picture that is far wider or higher than others is shown as if it were not. */
static double ratio_of(const mp_cell *c)
{
    static const double least = 0.25, most = 4;
    double ratio = c->height > 0 ? (double)c->width / c->height : 1;
    return ratio < least ? least : ratio > most ? most : ratio;
}

/* Months since the year 0, in UTC. */
static int month_of(int64_t ms)
{
    struct tm t;
    time_t s = (time_t)(ms / 1000);
    return gmtime_r(&s, &t) ? (t.tm_year + 1900) * 12 + t.tm_mon : 0;
}

/* One begins with each month, and after so many pictures. */
static void describe_segments(mp_request *r, mp_sink *s, const mp_page *page, const mp_cell *cells,
                              size_t n, size_t most)
{
    for (size_t from = 0, to; from < n; from = to) {
        int month = month_of(cells[from].at_ms);
        double ratios = 0;
        for (to = from; to < n && to - from < most && month_of(cells[to].at_ms) == month; to++)
            ratios += ratio_of(&cells[to]);
        mp_sink_object(s, NULL);
        mp_sink_text(s, "month", mp_request_text(r, "%04d-%02d", month / 12, month % 12 + 1));
        mp_sink_integer(s, "count", (int64_t)(to - from));
        mp_sink_real(s, "ratio", (double)(int64_t)(ratios * 100 + 0.5) / 100);
        mp_page_mark mark = {.text = ""};
        if (from)
            mark.id = cells[from - 1].id, mark.number = cells[from - 1].at_ms;
        mp_sink_text(s, "cursor", from ? mp_page_cursor(r, page, &mark) : NULL);
        mp_sink_end(s);
    }
}

static mp_err write_timeline(mp_request *r, const mp_page *page, const char *scope, size_t most,
                             mp_why *why)
{
    const mp_filter *filter;
    mp_cell *cells;
    size_t n;
    mp_err err = mp_filter_parse(scope, r->arena, &filter, why);
    if (!err)
        err = mp_meta_cells(mp_core_meta(r->service->library), filter, page, &cells, &n, why);
    if (err)
        return err;
    mp_reply_text(r, 200, "application/json", (mp_str){0});
    mp_sink s = mp_sink_to_text(&r->reply.body);
    mp_sink_object(&s, NULL);
    mp_sink_integer(&s, "total", (int64_t)n);
    mp_sink_array(&s, "segments");
    describe_segments(r, &s, page, cells, n, most);
    mp_sink_end(&s);
    mp_sink_end(&s);
    free(cells);
    return MP_OK;
}

/* All that an answer depends on; false when the library cannot say. */
static bool make_key(mp_request *r, const mp_page *page, const char *scope, size_t most,
                     mp_buf *key)
{
    mp_generation now;
    if (mp_meta_generation(mp_core_meta(r->service->library), &now, NULL))
        return false;
    mp_buf_printf(key, "timeline %lld %d %d %zu %s", (long long)now.changes, (int)page->order,
                  (int)page->descending, most, scope ? scope : "*");
    return true;
}

void mp_handle_timeline(mp_request *r)
{
    mp_page page;
    mp_page_mark mark;
    const char *scope;
    long long most;
    mp_why why = {0};
    mp_buf key = {0}, text = {0};
    if (!mp_request_number(r, "size", 10, 1000, 200, &most) ||
        !mp_page_asked(r, &page, &mark, &scope))
        return;
    if (!mp_request_query(r, "sort"))
        page.order = MP_BY_ADDED;
    if (page.order != MP_BY_ADDED && page.order != MP_BY_DATE) {
        mp_reply_problem(r, 422, "sort must be one of added, date here");
        return;
    }
    bool keep = make_key(r, &page, scope, (size_t)most, &key);
    mp_span name = {(const uint8_t *)key.p, key.n};
    if (keep && mp_cache_get(r->service->results, name, &text)) {
        mp_reply_text(r, 200, "application/json", (mp_str){text.p, text.n});
    } else {
        mp_err err = write_timeline(r, &page, scope, (size_t)most, &why);
        const mp_buf *body = &r->reply.body;
        if (err)
            mp_reply_failure(r, err, &why);
        else if (keep)
            mp_cache_put(r->service->results, name, (mp_span){(const uint8_t *)body->p, body->n});
    }
    mp_buf_free(&text);
    mp_buf_free(&key);
}

/* ---- cells ---- */

static void describe_cell(mp_request *r, mp_sink *s, const mp_item *item, bool tags)
{
    mp_sink_object(s, NULL);
    mp_sink_integer(s, "id", item->id);
    mp_sink_integer(s, "width", item->width);
    mp_sink_integer(s, "height", item->height);
    mp_sink_text(s, "name", *item->title ? item->title : item->name);
    mp_sink_text(s, "preview_url", mp_preview_url(r, item->id));
    if (tags) {
        mp_sink_array(s, "tags");
        for (size_t i = 0; i < item->n_tags; i++)
            mp_sink_text(s, NULL, item->tags[i]);
        mp_sink_end(s);
    }
    mp_sink_end(s);
}

void mp_handle_cells(mp_request *r)
{
    mp_page page;
    mp_page_mark mark;
    const char *scope;
    const mp_filter *filter;
    mp_item *items = NULL;
    size_t n = 0;
    long long limit;
    mp_why why = {0};
    if (!mp_request_number(r, "limit", 1, 1000, 200, &limit) ||
        !mp_page_asked(r, &page, &mark, &scope))
        return;
    mp_err err = mp_filter_parse(scope, r->arena, &filter, &why);
    if (!err) /* one more than asked for tells whether there is a next page */
        err = mp_meta_page(mp_core_meta(r->service->library), filter, &page, (size_t)limit + 1,
                           r->arena, &items, &n, &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return;
    }
    bool more = n > (size_t)limit;
    n -= more;
    mp_page_mark last = n ? mp_meta_mark(&items[n - 1], page.order) : (mp_page_mark){0};
    mp_reply_text(r, 200, "application/json", (mp_str){0});
    mp_sink s = mp_sink_to_text(&r->reply.body);
    mp_sink_object(&s, NULL);
    mp_sink_array(&s, "cells");
    for (size_t i = 0; i < n; i++)
        describe_cell(r, &s, &items[i], false);
    mp_sink_end(&s);
    mp_sink_text(&s, "next_cursor", more ? mp_page_cursor(r, &page, &last) : NULL);
    mp_sink_end(&s);
}

/* ---- cells of some pictures ---- */

static bool read_some(mp_request *r, int64_t *ids, size_t *n)
{
    enum { MOST = 1000 };
    const json_t *list = json_object_get(r->json, "ids"), *value;
    size_t i;
    *n = json_array_size(list);
    bool fine = *n >= 1 && *n <= MOST;
    json_array_foreach(list, i, value)
    {
        fine = fine && json_is_integer(value) && json_integer_value(value) > 0;
        if (fine)
            ids[i] = json_integer_value(value);
    }
    if (!fine)
        mp_reply_problem(r, 422, "ids must be the numbers of 1 to %d pictures", MOST);
    return fine;
}

/* What is gone, in the trash or somebody else's is left out. */
void mp_handle_some_cells(mp_request *r)
{
    static const mp_member members[] = {{"ids", JSON_ARRAY, true, 0, 0}};
    int64_t ids[1000];
    mp_item *items = NULL;
    size_t n;
    mp_why why = {0};
    if (!mp_body_read(r, members, MP_COUNT(members)) || !read_some(r, ids, &n))
        return;
    mp_err err =
        mp_meta_get_items(mp_core_meta(r->service->library), ids, n, r->arena, &items, &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return;
    }
    mp_reply_text(r, 200, "application/json", (mp_str){0});
    mp_sink s = mp_sink_to_text(&r->reply.body);
    mp_sink_object(&s, NULL);
    mp_sink_array(&s, "cells");
    for (size_t i = 0; i < n; i++)
        if (items[i].id && items[i].state != MP_TRASHED &&
            mp_access_may(&r->access, items[i].project_id, false))
            describe_cell(r, &s, &items[i], true);
    mp_sink_end(&s);
    mp_sink_end(&s);
}
