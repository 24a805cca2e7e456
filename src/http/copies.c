/* copies.c - the copies of one picture among those that may be seen. */
#include "http/body.h"
#include "http/items.h"
#include "http/search.h"
#include "http/server.h"

#include "base/os.h"

static void describe_copy(mp_sink *s, mp_request *r, const magpie_copy *copy, bool bare)
{
    magpie_item *item;
    magpie_why why = {0};
    if (magpie_get(r->service->library, copy->id, &item, &why)) /* removed meanwhile */
        return;
    mp_sink_object(s, NULL);
    mp_sink_integer(s, "id", copy->id);
    mp_sink_real(s, "score", (double)copy->score);
    mp_sink_text(s, "relation", copy->relation);
    if (!bare)
        mp_item_describe(s, "payload", r->service, item);
    mp_sink_text(s, "preview_url", mp_preview_url(r, copy->id));
    mp_sink_end(s);
    magpie_item_free(item);
}

static void answer(mp_request *r, const magpie_term *term, const char *where)
{
    magpie_why why = {0};
    magpie_copy *copies;
    size_t n;
    double began = mp_monotonic_s();
    magpie_err err = magpie_copies(r->service->library, term, where, &copies, &n, &why);
    double seconds = mp_monotonic_s() - began;
    mp_metrics_observe(r->service->metrics, MP_IMAGE_PROCESSING, "copies", seconds);
    mp_metrics_count(r->service->metrics, MP_SEARCHES, "copies", 1);
    if (err) {
        mp_search_fail(r, err, &why);
        return;
    }
    bool bare = json_is_false(json_object_get(r->json, "with_payload"));
    mp_reply_text(r, 200, "application/json", (mp_str){0});
    mp_sink s = mp_sink_to_text(&r->reply.body);
    mp_sink_object(&s, NULL);
    mp_sink_array(&s, "results");
    for (size_t i = 0; i < n; i++)
        describe_copy(&s, r, &copies[i], bare);
    mp_sink_end(&s);
    mp_sink_real(&s, "took_ms", seconds * 1000);
    mp_sink_end(&s);
    magpie_free(copies);
}

/* The picture that the body names or holds: exactly one. False with the reply made. */
static bool read_term(mp_request *r, magpie_term *term)
{
    const json_t *named = json_object_get(r->json, "image_id");
    int given = named != NULL;
    for (size_t i = 0; i < r->n_parts; i++) {
        const mp_part *p = &r->parts[i];
        if (!p->file_name || !*p->field)
            continue;
        given++; /* libmagpie opens it by the number of its descriptor */
        *term = (magpie_term){.kind = MAGPIE_FILE,
                              .text = mp_request_text(r, "/proc/self/fd/%d", p->fd)};
    }
    if (given != 1) {
        mp_reply_problem(r, 422, "one picture is needed: image_id, or a file of a form");
        return false;
    }
    if (!named)
        return true;
    term->kind = MAGPIE_ID;
    return mp_item_id(r, named, "image_id", false, &term->id);
}

void mp_handle_copies(mp_request *r)
{
    static const mp_member members[] = {{"image_id", MP_JSON_ANY, false, 0, 0},
                                        {"where", JSON_STRING, false, 0, 4000},
                                        {"project_id", JSON_INTEGER, false, 1, 9e15},
                                        {"with_payload", JSON_TRUE, false, 0, 0}};
    magpie_term term = {0};
    const char *scope;
    if (!mp_search_body(r) || !mp_body_read(r, members, MP_COUNT(members)) || !read_term(r, &term))
        return;
    const char *where = mp_body_text(r, "where");
    if (mp_scope_of(r, json_integer_value(json_object_get(r->json, "project_id")),
                    *where ? where : NULL, &scope))
        answer(r, &term, scope);
}
