/* search.c - look-alikes, words, and mixed questions. See search.h. */
#include "http/search.h"

#include "base/os.h"
#include "core/ports.h"
#include "http/body.h"
#include "http/items.h"
#include "http/recall.h"
#include "http/server.h"

#include <float.h>
#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { JSON_BYTES = 1024 * 1024, WORDS = MAGPIE_TEXT_BYTES, WHERE = 4000, MOST_DIMS = 8192 };
/* Of parts; beyond, the scores of several would leave the numbers that a float has. */
static const double LEAST_WEIGHT = 0.001, MOST_WEIGHT = 1000;

/* ---- answers ---- */

void mp_search_fail(mp_request *r, magpie_err err, const magpie_why *why)
{
    mp_why broken = {0};
    char model[64], version[65];
    bool perhaps = err == MAGPIE_CORRUPT || err == MAGPIE_NOT_FOUND || err == MAGPIE_UNSUPPORTED;
    if (!perhaps || mp_core_model_usable(r->service->library, &broken) == MP_OK) {
        mp_reply_error(r, err, why);
        return;
    }
    mp_core_model_name(r->service->library, model, version);
    mp_log(MP_LOG_ERROR, "request %s: %s", r->id, broken.text);
    mp_reply_problem(r, 503,
                     "the model %s of this service cannot be used: its files are missing or "
                     "damaged; the log of the service says which, magpie model verify %s, too",
                     model, model);
    mp_reply_header(r, "Retry-After", "60");
}

magpie_hits *mp_search_ask(mp_request *r, const mp_question *q, const char *kind, double *ms)
{
    magpie_why why = {0};
    magpie_hits *hits;
    magpie_query query = {.terms = q->term,
                          .n_terms = q->n,
                          .where = q->scope,
                          .skip = q->offset,
                          .k = MP_MIN(q->limit, MP_SEARCH_MOST - q->offset),
                          .min_score = q->threshold,
                          .exact = q->exact,
                          .bare = q->bare};
    double began = mp_monotonic_s();
    magpie_err err = magpie_search(r->service->library, &query, &hits, &why);
    double seconds = mp_monotonic_s() - began;
    mp_metrics_observe(r->service->metrics, MP_VECTOR_SEARCH, kind, seconds);
    *ms = seconds * 1000;
    mp_metrics_count(r->service->metrics, MP_SEARCHES, kind, 1);
    if (err)
        mp_search_fail(r, err, &why);
    else
        mp_recall_sample(r->service->recall, r->service->work, q, hits);
    return err ? NULL : hits;
}

static void describe_hit(mp_sink *s, mp_request *r, const mp_question *q, const magpie_hits *hits,
                         const magpie_hit *h)
{
    mp_sink_object(s, NULL);
    mp_sink_integer(s, "id", h->id);
    mp_sink_real(s, "score", (double)h->score);
    if (!q->bare)
        mp_item_describe(s, "payload", r->service, h->item);
    mp_sink_text(s, "preview_url", mp_preview_url(r, h->id));
    mp_sink_text(s, "reason", h->reason);
    mp_sink_real(s, "picture", (double)h->picture); /* NaN where there was none to compare */
    mp_sink_real(s, "words", (double)h->words);
    mp_sink_bool(s, "good", h->score >= hits->standard);
    mp_sink_end(s);
}

static void describe_hits(mp_sink *s, mp_request *r, const mp_question *q, const magpie_hits *hits,
                          double ms)
{
    mp_sink_object(s, NULL);
    mp_sink_array(s, "results");
    for (size_t i = 0; i < hits->n; i++)
        describe_hit(s, r, q, hits, &hits->hit[i]);
    mp_sink_end(s);
    mp_sink_text(s, "next_cursor",
                 hits->more ? mp_request_text(r, "%zu", q->offset + q->limit) : NULL);
    mp_sink_bool(s, "convincing", hits->convincing && hits->best >= hits->standard);
    mp_sink_real(s, "floor", (double)hits->floor);
    mp_sink_real(s, "standard", (double)hits->standard);
    mp_sink_real(s, "best", (double)hits->best);
    mp_sink_text(s, "measure", hits->measure);
    mp_sink_text(s, "note", hits->note);
    mp_sink_text(s, "model", hits->model);
    mp_sink_real(s, "took_ms", ms);
    mp_sink_end(s);
}

static void ask_and_answer(mp_request *r, const mp_question *q, const char *kind)
{
    double ms;
    magpie_hits *hits = mp_search_ask(r, q, kind, &ms);
    if (!hits)
        return;
    mp_reply_text(r, 200, "application/json", (mp_str){0});
    mp_sink s = mp_sink_to_text(&r->reply.body);
    describe_hits(&s, r, q, hits, ms);
    magpie_hits_free(hits);
}

/* All that an answer depends on: the question, what may be seen, the state of the library, and the
 * hour, with which the links in it change. Empty: it is not worth keeping (pictures and vectors are
 * long and do not come again). */
static mp_buf make_key(mp_request *r, const mp_question *q, const char *kind)
{
    mp_generation now;
    mp_buf key = {0};
    for (size_t i = 0; i < q->n; i++)
        if (q->term[i].kind != MAGPIE_TEXT && q->term[i].kind != MAGPIE_ID)
            return key;
    if (mp_meta_generation(mp_core_meta(r->service->library), &now, NULL))
        return key;
    mp_buf_printf(&key, "%s %llu %lld %lld %zu %zu %.9g %d %d %s", kind,
                  (unsigned long long)mp_core_model_turn(r->service->library),
                  (long long)now.changes, (long long)(mp_now_ms() / 3600000), q->offset, q->limit,
                  (double)q->threshold, (int)q->exact, (int)q->bare, q->scope ? q->scope : "*");
    for (size_t i = 0; i < q->n; i++) {
        const magpie_term *t = &q->term[i];
        if (t->kind == MAGPIE_TEXT)
            mp_buf_printf(&key, "\nt %.9g %s", (double)t->weight, t->text);
        else
            mp_buf_printf(&key, "\ni %.9g %lld", (double)t->weight, (long long)t->id);
    }
    return key;
}

/* Takes the key. */
static void answer(mp_request *r, const mp_question *q, const char *kind, mp_buf key)
{
    mp_buf text = {0};
    mp_span name = {(const uint8_t *)key.p, key.n};
    if (key.n && mp_cache_get(r->service->results, name, &text)) {
        mp_metrics_count(r->service->metrics, MP_SEARCHES, kind, 1);
        mp_reply_text(r, 200, "application/json", (mp_str){text.p, text.n});
    } else {
        ask_and_answer(r, q, kind);
        const mp_reply *reply = &r->reply;
        if (key.n && reply->status == 200)
            mp_cache_put(r->service->results, name,
                         (mp_span){(const uint8_t *)reply->body.p, reply->body.n});
    }
    mp_buf_free(&text);
    mp_buf_free(&key);
}

/* ---- questions ---- */

bool mp_search_common(mp_request *r, mp_question *q, float floor)
{
    const json_t *threshold = json_object_get(r->json, "threshold");
    const char *cursor = mp_body_text(r, "cursor"), *where = mp_body_text(r, "where");
    const json_t *limit = json_object_get(r->json, "limit");
    char *end = NULL;
    q->limit = limit ? (size_t)json_integer_value(limit) : 20;
    q->exact = json_is_true(json_object_get(r->json, "exact"));
    q->bare = json_is_false(json_object_get(r->json, "with_payload"));
    q->threshold = threshold ? (float)json_number_value(threshold) : floor;
    if (threshold && q->threshold == 0) /* 0 is a bound here, "the default" in the library */
        q->threshold = FLT_MIN;
    if (*cursor) {
        q->offset = *cursor >= '0' && *cursor <= '9' ? strtoul(cursor, &end, 10) : 0;
        if (!end || *end || q->offset >= MP_SEARCH_MOST) {
            mp_reply_problem(r, 422, "the cursor is not one of this search");
            return false;
        }
    }
    return mp_scope_of(r, json_integer_value(json_object_get(r->json, "project_id")),
                       *where ? where : NULL, &q->scope);
}

#define COMMON                                                                                     \
    {"limit", JSON_INTEGER, false, 1, 1000}, {"threshold", JSON_REAL, false, -100, 100},           \
        {"where", JSON_STRING, false, 0, WHERE}, {"project_id", JSON_INTEGER, false, 1, 9e15},     \
        {"cursor", JSON_STRING, false, 0, 32}, {"exact", JSON_TRUE, false, 0, 0},                  \
    {                                                                                              \
        "with_payload", JSON_TRUE, false, 0, 0                                                     \
    }

void mp_handle_similar(mp_request *r)
{
    static const mp_member members[] = {
        {"image_id", MP_JSON_ANY, false, 0, 0}, {"id", MP_JSON_ANY, false, 0, 0}, COMMON};
    mp_question q = {.n = 1};
    if (!mp_body_read(r, members, MP_COUNT(members)))
        return;
    const json_t *id = json_object_get(r->json, "image_id");
    const json_t *other = json_object_get(r->json, "id");
    if (!id == !other) {
        mp_reply_problem(
            r, 422, id ? "image_id and id are the same: say one of them" : "image_id is missing");
        return;
    }
    id = id ? id : other;
    q.term[0].kind = MAGPIE_ID;
    mp_meta *meta = mp_core_meta(r->service->library);
    mp_meta_hold(meta); /* whose it is, what may be seen, and the state that an answer is kept of */
    bool fine = mp_item_id(r, id, "image_id", false, &q.term[0].id) && mp_search_common(r, &q, -1);
    mp_buf key = fine ? make_key(r, &q, "similar") : (mp_buf){0};
    mp_meta_let_go(meta);
    if (fine)
        answer(r, &q, "similar", key);
}

bool mp_search_words_fine(mp_request *r, const char *words)
{
    mp_why why = {0};
    mp_err err = *words ? mp_core_check_question(words, &why) : MP_OK;
    if (!*words)
        mp_reply_problem(r, 422, "query is missing");
    else if (err)
        mp_reply_failure(r, err, &why);
    return *words && !err;
}

void mp_handle_search_text(mp_request *r)
{
    static const mp_member members[] = {
        {"query", JSON_STRING, false, 1, WORDS}, {"text", JSON_STRING, false, 1, WORDS}, COMMON};
    mp_question q = {.n = 1};
    if (!mp_body_read(r, members, MP_COUNT(members)))
        return;
    const char *words = mp_body_text(r, "query");
    words = *words ? words : mp_body_text(r, "text");
    if (!mp_search_words_fine(r, words))
        return;
    q.term[0] = (magpie_term){.kind = MAGPIE_TEXT, .text = words};
    if (mp_search_common(r, &q, 0))
        answer(r, &q, "text", make_key(r, &q, "text"));
}

/* ---- mixed ---- */

/* Room for one more term, or 422. */
static magpie_term *next_term(mp_request *r, mp_question *q, float weight)
{
    if (q->n == MP_TERMS) {
        mp_reply_problem(r, 422, "a search has at most %d parts", MP_TERMS);
        return NULL;
    }
    q->term[q->n] = (magpie_term){.weight = weight};
    return &q->term[q->n++];
}

/* A part is its value alone, or an object of the value and a weight. */
static bool part_of(mp_request *r, const json_t *part, const char *member, const json_t **value,
                    float *weight)
{
    *value = part;
    *weight = 1;
    if (!json_is_object(part))
        return true;
    const json_t *w = json_object_get(part, "weight");
    *value = json_object_get(part, member);
    double size = w ? fabs(json_number_value(w)) : 1;
    *weight = w ? (float)json_number_value(w) : 1;
    bool fine = *value && json_object_size(part) == (w ? 2u : 1u);
    if (!fine)
        mp_reply_problem(r, 422, "a part is a value, or {\"%s\": value, \"weight\": number}",
                         member);
    else if (!(size >= LEAST_WEIGHT && size <= MOST_WEIGHT)) { /* 0 for what is no number */
        mp_reply_problem(r, 422, "a weight is a number from %g to %g, or its negative",
                         LEAST_WEIGHT, MOST_WEIGHT);
        fine = false;
    }
    return fine;
}

static bool take_text(mp_request *r, mp_question *q, const json_t *value, float weight)
{
    size_t n = json_string_length(value);
    if (!json_is_string(value) || !n || n > WORDS) {
        mp_reply_problem(r, 422, "a text is a string of 1 to %d bytes%s", WORDS,
                         n ? mp_request_text(r, "; this one has %zu", n) : "");
        return false;
    }
    magpie_term *t = next_term(r, q, weight);
    if (t) {
        t->kind = MAGPIE_TEXT;
        t->text = json_string_value(value);
    }
    return t != NULL;
}

static bool take_id(mp_request *r, mp_question *q, const json_t *value, float weight)
{
    int64_t id;
    if (!mp_item_id(r, value, "ids", false, &id))
        return false;
    magpie_term *t = next_term(r, q, weight);
    if (t) {
        t->kind = MAGPIE_ID;
        t->id = id;
    }
    return t != NULL;
}

/* A picture in the body, base64 (RFC 4648, either alphabet). */
static bool take_image(mp_request *r, mp_question *q, const json_t *value, float weight)
{
    const char *text = json_string_value(value);
    size_t length = text ? strlen(text) : 0, n = 0;
    uint8_t *bytes = length ? mp_arena_alloc(r->arena, length) : NULL;
    const char *comma = length > 5 && strncmp(text, "data:", 5) == 0 ? strchr(text, ',') : NULL;
    text = comma ? comma + 1 : text;
    bool fine = bytes && (sodium_base642bin(bytes, length, text, strlen(text), "\r\n ", &n, NULL,
                                            sodium_base64_VARIANT_ORIGINAL) == 0 ||
                          sodium_base642bin(bytes, length, text, strlen(text), "\r\n ", &n, NULL,
                                            sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0);
    if (!fine || !n) {
        mp_reply_problem(r, 422, "an image in the body is base64");
        return false;
    }
    magpie_term *t = next_term(r, q, weight);
    if (t) {
        t->kind = MAGPIE_BYTES;
        t->data = bytes;
        t->n = n;
    }
    return t != NULL;
}

static bool take_vector(mp_request *r, mp_question *q, const json_t *value, float weight)
{
    size_t n = json_array_size(value), i;
    const json_t *x;
    float *v = n && n <= MOST_DIMS ? mp_arena_alloc(r->arena, n * sizeof *v) : NULL;
    json_array_foreach(value, i, x)
    {
        if (!v || !json_is_number(x)) {
            v = NULL;
            break;
        }
        v[i] = (float)json_number_value(x);
    }
    if (!v) {
        mp_reply_problem(r, 422, "a vector is a list of 1 to %d numbers", MOST_DIMS);
        return false;
    }
    magpie_term *t = next_term(r, q, weight);
    if (t) {
        t->kind = MAGPIE_VECTOR;
        t->vector = v;
        t->n = n;
    }
    return t != NULL;
}

static const struct kind {
    const char *list, *member;
    bool (*take)(mp_request *r, mp_question *q, const json_t *value, float weight);
} kinds[] = {{"texts", "text", take_text},
             {"ids", "id", take_id},
             {"images", "data", take_image},
             {"vectors", "vector", take_vector}};

/* The lists of `from`; sign -1: what it must not be like. */
static bool take_lists(mp_request *r, mp_question *q, const json_t *from, float sign)
{
    for (size_t k = 0; k < MP_COUNT(kinds); k++) {
        const json_t *list = json_object_get(from, kinds[k].list), *part, *value;
        size_t i;
        float weight;
        if (list && !json_is_array(list)) {
            mp_reply_problem(r, 422, "%s must be a list", kinds[k].list);
            return false;
        }
        json_array_foreach(list, i, part)
        {
            if (!part_of(r, part, kinds[k].member, &value, &weight) ||
                !kinds[k].take(r, q, value, sign * weight))
                return false;
        }
    }
    return true;
}

/* Files of a form: what it should be like, or under "negative_images" what not. */
static bool take_files(mp_request *r, mp_question *q)
{
    for (size_t i = 0; i < r->n_parts; i++) {
        const mp_part *p = &r->parts[i];
        if (!p->file_name || !*p->field)
            continue;
        bool negative = strcmp(p->field, "negative_images") == 0;
        magpie_term *t = next_term(r, q, negative ? -1.0f : 1.0f);
        if (!t)
            return false;
        /* libmagpie opens it by the number of its descriptor. */
        t->kind = MAGPIE_FILE;
        t->text = mp_request_text(r, "/proc/self/fd/%d", p->fd);
    }
    return true;
}

static bool read_file(mp_request *r, const mp_part *p)
{
    char piece[16 * 1024];
    if (p->bytes > JSON_BYTES) {
        mp_reply_problem(r, 413, "a JSON body has at most %d bytes", JSON_BYTES);
        return false;
    }
    for (off_t at = 0;;) {
        ssize_t got = pread(p->fd, piece, sizeof piece, at);
        if (got <= 0)
            return true;
        mp_buf_add(&r->body, piece, (size_t)got);
        at += got;
    }
}

bool mp_search_body(mp_request *r)
{
    if (r->n_parts == 1 && r->parts[0].file_name && !*r->parts[0].field)
        return read_file(r, &r->parts[0]);
    for (size_t i = 0; i < r->n_parts; i++) {
        const mp_part *p = &r->parts[i];
        if (p->file_name)
            continue;
        if (strcmp(p->field, "query") != 0) {
            mp_reply_problem(r, 422, "%.60s is not known here", p->field);
            return false;
        }
        mp_buf_str(&r->body, p->text);
    }
    if (!r->body.n)
        mp_buf_str(&r->body, "{}");
    r->json_form = true;
    return true;
}

static bool known_negatives(mp_request *r, const json_t *negatives)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)negatives, name, value)
    {
        bool known = false;
        for (size_t k = 0; k < MP_COUNT(kinds); k++)
            known = known || strcmp(kinds[k].list, name) == 0;
        if (!known) {
            mp_reply_problem(r, 422, "negatives.%.60s is not known here", name);
            return false;
        }
    }
    return true;
}

void mp_handle_search(mp_request *r)
{
    static const mp_member members[] = {
        {"texts", JSON_ARRAY, false, 0, 0},      {"ids", JSON_ARRAY, false, 0, 0},
        {"images", JSON_ARRAY, false, 0, 0},     {"vectors", JSON_ARRAY, false, 0, 0},
        {"negatives", JSON_OBJECT, false, 0, 0}, COMMON};
    mp_question q = {0};
    if (!mp_search_body(r) || !mp_body_read(r, members, MP_COUNT(members)))
        return;
    const json_t *negatives = json_object_get(r->json, "negatives");
    if (!known_negatives(r, negatives) || !take_lists(r, &q, r->json, 1) || !take_files(r, &q))
        return;
    size_t positive = q.n;
    if (!take_lists(r, &q, negatives, -1) || !mp_search_common(r, &q, 0))
        return;
    if (positive == 0)
        mp_reply_problem(r, 422, "say what to look for: texts, ids, images or vectors");
    else
        answer(r, &q, "mixed", make_key(r, &q, "mixed"));
}
