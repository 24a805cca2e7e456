/* remote_search.c - see remote_search.h. The query goes as JSON; pictures that weigh 1 go beside it
 * as files of a form, which may be large, others in it as base64. */
#include "app/remote_search.h"

#include "app/remote.h"
#include "base/os.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 1000 };
static const float LEAST_THRESHOLD = -100; /* below every score */

typedef struct question {
    const remote *r;
    const magpie_query *q;
    json_t *body, *negatives;
    mp_buf form; /* the files so far */
    char boundary[48];
    mp_why why;
} question;

typedef struct remote_hits { /* what the hits' strings live in */
    magpie_hits hits;
    magpie_hit *hit;
    json_t *pages;
} remote_hits;

/* ---- the question ---- */

/* A list's new part: its value alone where it weighs 1. */
static void add_part(question *q, const char *list, const char *member, json_t *value, float weight)
{
    json_t *into = weight < 0 ? q->negatives : q->body, *array = json_object_get(into, list);
    double size = fabs((double)weight);
    if (!array) {
        array = json_array();
        json_object_set_new(into, list, array);
    }
    if (size != 1) {
        json_t *part = json_object();
        json_object_set_new(part, member, value);
        json_object_set_new(part, "weight", json_real(size));
        value = part;
    }
    json_array_append_new(array, value);
}

static void add_file(question *q, mp_span bytes, bool negative)
{
    mp_buf_printf(&q->form,
                  "--%s\r\nContent-Disposition: form-data; name=\"%s\"; filename=\"picture\"\r\n"
                  "Content-Type: application/octet-stream\r\n\r\n",
                  q->boundary, negative ? "negative_images" : "images");
    mp_buf_add(&q->form, bytes.p, bytes.n);
    mp_buf_str(&q->form, "\r\n");
}

static void add_picture(question *q, mp_span bytes, float weight, bool inside)
{
    if (!inside) {
        add_file(q, bytes, weight < 0);
        return;
    }
    mp_buf text = {0};
    text_base64(&text, bytes.p, bytes.n);
    add_part(q, "images", "data", json_stringn(text.p ? text.p : "", text.n), weight);
    mp_buf_free(&text);
}

static mp_err add_term(question *q, const magpie_term *t, bool inside)
{
    float weight = t->weight != 0 ? t->weight : 1;
    uint8_t *data = NULL;
    size_t n = 0;
    mp_err err = MP_OK;
    if (t->kind == MAGPIE_TEXT) {
        add_part(q, "texts", "text", json_text(t->text), weight);
    } else if (t->kind == MAGPIE_ID) {
        add_part(q, "ids", "id", json_integer(t->id), weight);
    } else if (t->kind == MAGPIE_BYTES) {
        add_picture(q, (mp_span){t->data, t->n}, weight, inside);
    } else {
        size_t cap = (size_t)mp_settings_int(&q->r->app->settings, MP_SET_MAX_BYTES);
        err = mp_file_read(t->text, cap, &data, &n, &q->why);
        if (!err)
            add_picture(q, (mp_span){data, n}, weight, inside);
        free(data);
    }
    return err;
}

/* A form has no room for a weight of its files. */
static bool weighs_pictures(const magpie_query *q)
{
    for (size_t i = 0; i < q->n_terms; i++) {
        const magpie_term *t = &q->terms[i];
        bool picture = t->kind == MAGPIE_FILE || t->kind == MAGPIE_BYTES;
        if (picture && t->weight != 0 && fabsf(t->weight) != 1)
            return true;
    }
    return false;
}

static mp_err make_question(question *q, int64_t project)
{
    const magpie_query *from = q->q;
    uint8_t dice[16];
    bool inside = weighs_pictures(from);
    mp_err err = MP_OK;
    mp_random_bytes(dice, sizeof dice);
    mp_hex(dice, sizeof dice, q->boundary);
    q->body = json_object();
    q->negatives = json_object();
    for (size_t i = 0; !err && i < from->n_terms; i++)
        err = add_term(q, &from->terms[i], inside);
    if (json_object_size(q->negatives))
        json_object_set(q->body, "negatives", q->negatives);
    if (from->where)
        json_object_set_new(q->body, "where", json_text(from->where));
    if (from->min_score != 0)
        json_object_set_new(q->body, "threshold",
                            json_real((double)MP_MAX(from->min_score, LEAST_THRESHOLD)));
    if (from->exact)
        json_object_set_new(q->body, "exact", json_true());
    if (project)
        json_object_set_new(q->body, "project_id", json_integer(project));
    json_object_set_new(q->body, "limit", json_integer((json_int_t)MP_MIN(from->k, (size_t)PAGE)));
    return err;
}

/* ---- asking ---- */

static mp_err ask_form(question *q, remote_answer *answer)
{
    mp_buf whole = {0};
    char *text = json_dumps(q->body, JSON_COMPACT | JSON_REAL_PRECISION(9));
    char *type = remote_path("multipart/form-data; boundary=%s", q->boundary);
    mp_buf_add(&whole, q->form.p, q->form.n);
    mp_buf_printf(&whole, "--%s\r\nContent-Disposition: form-data; name=\"query\"\r\n\r\n%s\r\n",
                  q->boundary, text ? text : "{}");
    mp_buf_printf(&whole, "--%s--\r\n", q->boundary);
    remote_ask ask = {.method = "POST",
                      .path = "/api/search",
                      .bytes = {(const uint8_t *)whole.p, whole.n},
                      .type = type};
    mp_err err = remote_exchange(q->r, &ask, answer, &q->why);
    mp_buf_free(&whole);
    free(text);
    free(type);
    return err;
}

static mp_err ask_page(question *q, json_t **page)
{
    remote_answer answer;
    remote_ask ask = {.method = "POST", .path = "/api/search", .json = q->body};
    mp_err err = q->form.n ? ask_form(q, &answer) : remote_exchange(q->r, &ask, &answer, &q->why);
    *page = answer.json;
    if (!err && !json_is_array(json_object_get(answer.json, "results")))
        err = mp_fail(&q->why, MP_IO, "the server's answer is not one to a search");
    return err;
}

/* ---- the answer ---- */

static float real_of(const json_t *o, const char *member)
{
    const json_t *x = json_object_get(o, member);
    return json_is_number(x) ? (float)json_number_value(x) : NAN;
}

static void take_page(remote_hits *out, const json_t *page, size_t most)
{
    const json_t *rows = json_object_get(page, "results"), *row;
    size_t i;
    json_array_foreach(rows, i, row)
    {
        if (out->hits.n == most)
            return;
        out->hit[out->hits.n++] =
            (magpie_hit){.id = remote_number(row, "id"),
                         .score = real_of(row, "score"),
                         .picture = real_of(row, "picture"),
                         .words = real_of(row, "words"),
                         .path = "",
                         .name = remote_text(json_object_get(row, "payload"), "name"),
                         .reason = remote_text(row, "reason")};
    }
}

static void take_head(magpie_hits *h, const json_t *page)
{
    h->convincing = json_is_true(json_object_get(page, "convincing"));
    h->floor = real_of(page, "floor");
    h->standard = real_of(page, "standard");
    h->best = real_of(page, "best");
    h->measure = remote_text(page, "measure");
    h->note = remote_text(page, "note");
    h->model = remote_text(page, "model");
}

static mp_err ask_all(question *q, remote_hits *out)
{
    for (;;) {
        json_t *page = NULL;
        mp_err err = ask_page(q, &page);
        if (page)
            json_array_append_new(out->pages, page);
        if (err)
            return err;
        if (json_array_size(out->pages) == 1)
            take_head(&out->hits, page);
        take_page(out, page, q->q->k);
        const char *next = remote_text(page, "next_cursor");
        if (!*next || out->hits.n >= q->q->k)
            return MP_OK;
        json_object_set_new(q->body, "cursor", json_string(next));
    }
}

int remote_search(mp_app *app, const magpie_query *query, int64_t project, magpie_hits **out)
{
    remote r;
    question q = {.r = &r, .q = query};
    *out = NULL;
    int code = remote_open(&r, app);
    if (!code) {
        remote_hits *all = mp_xcalloc(1, sizeof *all);
        all->pages = json_array();
        all->hit = mp_xcalloc(query->k + 1, sizeof *all->hit); /* at most 10,000 */
        all->hits.hit = all->hit;
        mp_err err = make_question(&q, project);
        if (!err)
            err = ask_all(&q, all);
        if (err) {
            remote_hits_free(&all->hits);
            code = remote_failed(&r, err, &q.why);
        } else {
            *out = &all->hits;
        }
    }
    mp_buf_free(&q.form);
    json_decref(q.body);
    json_decref(q.negatives);
    remote_close(&r);
    return code;
}

void remote_hits_free(magpie_hits *hits)
{
    remote_hits *all = (remote_hits *)hits; /* its first member */
    if (!all)
        return;
    free(all->hit);
    json_decref(all->pages);
    free(all);
}
