/* qa.c - what does not belong, and what is a bad picture. */
#include "http/items.h"
#include "http/odds.h"
#include "http/server.h"

#include "base/os.h"
#include "core/ports.h"

#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 1000 };

/* A page of a list: limit and the position where it begins. */
static bool read_window(mp_request *r, long long otherwise, size_t *from, size_t *limit)
{
    long long n, at;
    if (!mp_request_number(r, "limit", 1, AT_ONCE, otherwise, &n) ||
        !mp_request_number(r, "cursor", 0, 1000000000, 0, &at))
        return false;
    *from = (size_t)at;
    *limit = (size_t)n;
    return true;
}

static json_t *next_of(mp_request *r, size_t to, size_t n)
{
    return to < n ? json_string(mp_request_text(r, "%zu", to)) : json_null();
}

/* ---- anomalies ---- */

static json_t *odd_json(mp_request *r, const mp_odd_row *odd, double alpha)
{
    magpie_item *item;
    json_t *o = json_pack("{s:s, s:I, s:f, s:f, s:f, s:b, s:s}", "image_id",
                          mp_request_text(r, "%lld", (long long)odd->id), "id", (json_int_t)odd->id,
                          "anomaly_score", (double)odd->nearest, "score", (double)odd->score,
                          "p_value", odd->p, "flagged", (int)(odd->p <= alpha), "preview_url",
                          mp_preview_url(r, odd->id));
    if (magpie_get(r->service->library, odd->id, &item, NULL) == MAGPIE_OK) {
        json_object_set_new(o, "payload", mp_item_payload(r, item));
        magpie_item_free(item);
    } else {
        json_object_set_new(o, "payload", json_object());
    }
    json_object_set_new(
        o, "heatmap_url",
        json_string(mp_request_text(r, "/api/images/%lld/explain", (long long)odd->id)));
    return o;
}

/* Histogram of the p-values: flat where all is normal. */
static json_t *histogram_json(const mp_odd_list *odds)
{
    enum { BINS = 20 };
    json_int_t count[BINS] = {0};
    json_t *bins = json_array();
    for (size_t i = 0; i < odds->n; i++)
        count[MP_MIN((int)(odds->row[i].p * BINS), BINS - 1)]++;
    for (int i = 0; i < BINS; i++)
        json_array_append_new(bins, json_integer(count[i]));
    return json_pack("{s:s, s:o}", "of", "p_value", "counts", bins);
}

/* How the scores are spread, for a picture of them. */
static json_t *scores_json(const mp_odd_list *odds)
{
    enum { BINS = 48 };
    json_int_t count[BINS] = {0};
    json_t *bins = json_array();
    double high = odds->n ? (double)odds->row[0].score : 0; /* the oddest is first */
    double low = odds->n ? (double)odds->row[odds->n - 1].score : 0;
    double step = high > low ? (high - low) / BINS : 1;
    for (size_t i = 0; i < odds->n; i++)
        count[MP_MIN((int)((odds->row[i].score - low) / step), BINS - 1)]++;
    for (int i = 0; i < BINS; i++)
        json_array_append_new(bins, json_integer(count[i]));
    return json_pack("{s:f, s:f, s:o}", "from", low, "to", high, "counts", bins);
}

/* What other rates would flag, and from which score on: a slider needs no request of its own. */
static json_t *rates_json(const mp_odd_list *odds)
{
    static const double rate[] = {0.001, 0.002, 0.003, 0.005, 0.007, 0.01, 0.015, 0.02, 0.03, 0.04,
                                  0.05,  0.07,  0.1,   0.15,  0.2,   0.25, 0.3,   0.4,  0.5};
    json_t *rows = json_array();
    for (size_t k = 0; k < MP_COUNT(rate); k++) {
        size_t flagged = 0;
        double least = 0;
        for (size_t i = 0; i < odds->n; i++)
            if (odds->row[i].p <= rate[k]) {
                least = flagged ? MP_MIN(least, (double)odds->row[i].score)
                                : (double)odds->row[i].score;
                flagged++;
            }
        json_array_append_new(rows, json_pack("{s:f, s:I, s:o}", "alpha", rate[k], "flagged",
                                              (json_int_t)flagged, "score",
                                              flagged ? json_real(least) : json_null()));
    }
    return rows;
}

static bool read_alpha(mp_request *r, double *alpha)
{
    const char *text = mp_request_query(r, "alpha");
    char *end = NULL;
    *alpha = text ? strtod(text, &end) : 0.05;
    if (!text || (*text && !*end && *alpha > 0 && *alpha < 1))
        return true;
    mp_reply_problem(r, 422, "alpha must be above 0 and below 1");
    return false;
}

static int by_nearest(const void *a, const void *b)
{
    float x = ((const mp_odd_row *)a)->nearest, y = ((const mp_odd_row *)b)->nearest;
    return (x < y) - (x > y);
}

static void send_odds(mp_request *r, const mp_odd_list *odds, size_t from, size_t limit, bool plain,
                      double alpha)
{
    json_t *rows = json_array();
    mp_odd_row *list = mp_xcalloc(odds->n + 1, sizeof *list);
    size_t to = MP_MIN(from + limit, odds->n), flagged = 0;
    memcpy(list, odds->row, odds->n * sizeof *list);
    if (plain)
        qsort(list, odds->n, sizeof *list, by_nearest);
    for (size_t i = from; i < to; i++)
        json_array_append_new(rows, odd_json(r, &list[i], alpha));
    for (size_t i = 0; i < odds->n; i++)
        flagged += list[i].p <= alpha;
    free(list);
    mp_reply_json(r, 200,
                  json_pack("{s:o, s:I, s:I, s:I, s:f, s:s, s:o, s:o, s:o, s:o, s:f}", "anomalies",
                            rows, "total", (json_int_t)odds->n, "flagged", (json_int_t)flagged,
                            "normals", (json_int_t)odds->n_normals, "alpha", alpha, "method",
                            odds->method, "next_cursor", next_of(r, to, odds->n), "histogram",
                            histogram_json(odds), "scores", scores_json(odds), "rates",
                            rates_json(odds), "took_ms", odds->seconds * 1000));
}

void mp_handle_anomalies(mp_request *r)
{
    const char *where, *chosen = NULL, *normals = mp_request_query(r, "normals");
    mp_odd_list odds;
    mp_why why = {0};
    size_t from, limit;
    int64_t project;
    double alpha;
    int order;
    if (!read_window(r, 100, &from, &limit) || !read_alpha(r, &alpha) ||
        !mp_request_choice(r, "sort", "score|anomaly_score", &order) ||
        !mp_query_project(r, &project) ||
        !mp_scope_of(r, project, mp_request_query(r, "where"), &where))
        return;
    if (normals && *normals && !mp_scope_of(r, project, normals, &chosen))
        return;
    mp_err err = mp_odds_find(r, where, chosen, &odds, &why);
    if (err)
        mp_reply_failure(r, err, &why);
    else
        send_odds(r, &odds, from, limit, order == 1, alpha);
}

/* ---- quality ---- */

/* Pictures with something wrong, and how many have which fault. */
void mp_handle_quality(mp_request *r)
{
    magpie_why why = {0};
    long long after, limit;
    int64_t project;
    const char *scope;
    magpie_item **items = NULL;
    size_t n = 0;
    const char *issue = mp_request_query(r, "issue");
    int which;
    if (!mp_request_number(r, "limit", 1, AT_ONCE, 100, &limit) ||
        !mp_request_number(r, "cursor", 0, INT64_MAX, 0, &after) ||
        !mp_query_project(r, &project) ||
        !mp_request_choice(r, "issue", "any|too_dark|too_bright|blurred|blank|low_contrast",
                           &which) ||
        !mp_scope_of(r, project, mp_request_text(r, "issue:%s", issue ? issue : "any"), &scope))
        return;
    json_t *counts = json_object(), *rows = json_array();
    magpie_err err = MAGPIE_OK;
    for (uint32_t bit = 1; !err && bit <= MAGPIE_LOW_CONTRAST; bit <<= 1) {
        const mp_filter *filter;
        const char *one;
        uint64_t count = 0;
        mp_why *inner = (mp_why *)(void *)&why;
        const char *word = magpie_issue_word(bit);
        err = (magpie_err)mp_access_where(&r->access, project, mp_request_text(r, "issue:%s", word),
                                          r->arena, &one, inner);
        if (!err)
            err = (magpie_err)mp_filter_parse(one, r->arena, &filter, inner);
        if (!err)
            err =
                (magpie_err)mp_meta_count(mp_core_meta(r->service->library), filter, &count, inner);
        json_object_set_new(counts, word, json_integer((json_int_t)count));
    }
    if (!err)
        err = magpie_list(r->service->library, scope, after, (size_t)limit, &items, &n, &why);
    for (size_t i = 0; !err && i < n; i++)
        json_array_append_new(rows, mp_item_json(r, items[i]));
    json_t *next = n == (size_t)limit
                       ? json_string(mp_request_text(r, "%lld", (long long)items[n - 1]->id))
                       : json_null();
    json_t *reply =
        json_pack("{s:o, s:o, s:o}", "images", rows, "counts", counts, "next_cursor", next);
    magpie_items_free(items, n);
    if (err) {
        json_decref(reply);
        mp_reply_error(r, err, &why);
    } else {
        mp_reply_json(r, 200, reply);
    }
}
