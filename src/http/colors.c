/* colors.c - one value for every point of a map, to colour it by: one request and a few bytes a
 * picture, whatever their number. */
#include "http/items.h"
#include "http/odds.h"
#include "http/server.h"

#include "base/os.h"
#include "core/ports.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TAGS = 24 };
static const double MS_PER_DAY = 86400000.0;

typedef enum color_of {
    OF_PROJECT,
    OF_TAG,
    OF_DATE,
    OF_ADDED,
    OF_ANOMALY,
    OF_SHARPNESS,
    OF_BRIGHTNESS,
    OF_CONTRAST,
    OF_ENTROPY
} color_of;

typedef struct colors {
    mp_item_value *rows; /* by rising id */
    size_t n;
    const char *const *names; /* of categories; NULL: values are numbers */
    size_t n_names;
} colors;

static int by_id(const void *a, const void *b)
{
    int64_t x = ((const mp_item_value *)a)->id, y = ((const mp_item_value *)b)->id;
    return (x > y) - (x < y);
}

static mp_err by_oddness(mp_request *r, const char *scope, colors *out, mp_why *why)
{
    mp_odd_list odds;
    mp_err err = mp_odds_find(r, scope, NULL, &odds, why);
    if (err)
        return err;
    out->n = odds.n;
    out->rows = mp_xcalloc(odds.n + 1, sizeof *out->rows);
    for (size_t i = 0; i < odds.n; i++)
        out->rows[i] = (mp_item_value){odds.row[i].id, (double)odds.row[i].nearest};
    qsort(out->rows, out->n, sizeof *out->rows, by_id);
    return MP_OK;
}

/* Numbers of projects become positions among those that there are. */
static mp_err name_projects(mp_request *r, colors *c, mp_why *why)
{
    enum { MOST = 4096 };
    int64_t seen[MOST];
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++) {
        int64_t id = (int64_t)c->rows[i].value;
        size_t at = 0;
        while (at < n && seen[at] != id)
            at++;
        if (at == n && n < MOST)
            seen[n++] = id;
        c->rows[i].value = at < n ? (double)at : -1;
    }
    const char **names = mp_arena_alloc(r->arena, (n + 1) * sizeof *names);
    if (!names)
        return mp_fail(why, MP_NOMEM, "no memory for the names of projects");
    for (size_t i = 0; i < n; i++) {
        mp_project project;
        names[i] = mp_request_text(r, "%lld", (long long)seen[i]);
        if (!mp_meta_get_project(mp_core_meta(r->service->library), seen[i], r->user.id, r->arena,
                                 &project, NULL))
            names[i] = project.name;
    }
    c->names = names;
    c->n_names = n;
    return MP_OK;
}

static mp_err read_colors(mp_request *r, color_of of, const char *scope, colors *c, mp_why *why)
{
    static const mp_column columns[] = {
        [OF_PROJECT] = MP_COLUMN_PROJECT,       [OF_DATE] = MP_COLUMN_DATE,
        [OF_ADDED] = MP_COLUMN_ADDED,           [OF_SHARPNESS] = MP_COLUMN_SHARPNESS,
        [OF_BRIGHTNESS] = MP_COLUMN_BRIGHTNESS, [OF_CONTRAST] = MP_COLUMN_CONTRAST,
        [OF_ENTROPY] = MP_COLUMN_ENTROPY,
    };
    mp_meta *meta = mp_core_meta(r->service->library);
    const mp_filter *filter;
    if (of == OF_ANOMALY)
        return by_oddness(r, scope, c, why);
    mp_err err = mp_filter_parse(scope, r->arena, &filter, why);
    if (!err && of == OF_TAG)
        return mp_meta_tag_column(meta, filter, MOST_TAGS, r->arena, &c->names, &c->n_names,
                                  &c->rows, &c->n, why);
    if (!err)
        err = mp_meta_column(meta, filter, columns[of], &c->rows, &c->n, why);
    if (!err && of == OF_PROJECT)
        err = name_projects(r, c, why);
    /* Days fit into the 24 bits of a float to the minute; milliseconds do not fit at all. */
    for (size_t i = 0; !err && (of == OF_DATE || of == OF_ADDED) && i < c->n; i++)
        c->rows[i].value = c->rows[i].value ? c->rows[i].value / MS_PER_DAY : (double)NAN;
    return err;
}

/* Little-endian: "MPC1", u32 number of categories, u64 n, n ids (i64), n values (f32), then each
 * category's name with a zero behind it. */
static void send_colors(mp_request *r, const colors *c)
{
    uint32_t n_names = (uint32_t)c->n_names;
    uint64_t n = c->n;
    mp_reply_text(r, 200, "application/octet-stream", (mp_str){0});
    mp_buf *out = &r->reply.body;
    mp_buf_add(out, "MPC1", 4);
    mp_buf_add(out, &n_names, sizeof n_names);
    mp_buf_add(out, &n, sizeof n);
    for (size_t i = 0; i < c->n; i++)
        mp_buf_add(out, &c->rows[i].id, sizeof c->rows[i].id);
    for (size_t i = 0; i < c->n; i++) {
        float value = (float)c->rows[i].value;
        mp_buf_add(out, &value, sizeof value);
    }
    for (size_t i = 0; i < c->n_names; i++)
        mp_buf_add(out, c->names[i], strlen(c->names[i]) + 1);
}

void mp_handle_map_colors(mp_request *r)
{
    colors c = {0};
    mp_why why = {0};
    const char *scope;
    int64_t project;
    int of;
    if (!mp_request_choice(
            r, "of", "project|tag|date|added|anomaly|sharpness|brightness|contrast|entropy", &of) ||
        !mp_query_project(r, &project) ||
        !mp_scope_of(r, project, mp_request_query(r, "where"), &scope))
        return;
    double began = mp_monotonic_s();
    mp_err err = read_colors(r, (color_of)of, scope, &c, &why);
    mp_metrics_observe(r->service->metrics, MP_IMAGE_PROCESSING, "colors",
                       mp_monotonic_s() - began);
    if (err)
        mp_reply_failure(r, err, &why);
    else
        send_colors(r, &c);
    free(c.rows);
}
