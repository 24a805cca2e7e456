/* dedup.c - copies of the same picture, and look-alikes, as clusters. */
#include "http/body.h"
#include "http/items.h"
#include "http/server.h"

#include "base/os.h"

#include <stdlib.h>
#include <string.h>

static json_t *member_json(mp_request *r, const magpie_member *m)
{
    magpie_item *item;
    json_t *o = json_pack("{s:s, s:I, s:b, s:f, s:s, s:s, s:i, s:i, s:I}", "image_id",
                          mp_request_text(r, "%lld", (long long)m->id), "id", (json_int_t)m->id,
                          "keep", (int)m->keep, "score", (double)m->score, "reason", m->reason,
                          "preview_url", mp_preview_url(r, m->id), "width", (int)m->width, "height",
                          (int)m->height, "bytes", (json_int_t)m->bytes);
    if (magpie_get(r->service->library, m->id, &item, NULL) == MAGPIE_OK) {
        json_object_set_new(o, "payload", mp_item_payload(r, item));
        magpie_item_free(item);
    } else { /* removed since the groups were made */
        json_object_set_new(o, "payload", json_object());
    }
    return o;
}

/* A cluster is the list of its pictures, as the first service had it; what is to say of it as a
 * whole stands beside it, in the same order. */
static json_t *clusters_json(mp_request *r, const magpie_groups *groups, size_t from, size_t to)
{
    json_t *clusters = json_array(), *about = json_array();
    for (size_t g = from; g < to; g++) {
        const magpie_group *group = &groups->group[g];
        json_t *cluster = json_array();
        for (size_t i = 0; i < group->n; i++)
            json_array_append_new(cluster, member_json(r, &group->member[i]));
        json_array_append_new(clusters, cluster);
        json_array_append_new(
            about,
            json_pack("{s:I, s:I, s:{s:f, s:I, s:I}}", "size", (json_int_t)group->n, "bytes_saved",
                      (json_int_t)group->bytes_saved, "weakest", "score", (double)group->weakest,
                      "a", (json_int_t)group->weakest_a, "b", (json_int_t)group->weakest_b));
    }
    return json_pack("{s:o, s:o}", "clusters", clusters, "cluster_info", about);
}

static void send_clusters(mp_request *r, const magpie_groups *groups, size_t offset, size_t limit,
                          double seconds)
{
    size_t from = MP_MIN(offset, groups->n), to = MP_MIN(offset + limit, groups->n);
    int64_t saved = 0;
    for (size_t g = 0; g < groups->n; g++)
        saved += groups->group[g].bytes_saved;
    json_t *o = clusters_json(r, groups, from, to);
    json_object_set_new(o, "status", json_string("done"));
    json_object_set_new(o, "total", json_integer((json_int_t)groups->n));
    json_object_set_new(o, "bytes_saved", json_integer(saved));
    json_object_set_new(o, "kind",
                        json_string(groups->kind == MAGPIE_SIMILAR ? "similar" : "same"));
    json_object_set_new(o, "threshold", json_real((double)groups->threshold));
    json_object_set_new(o, "next_cursor",
                        to < groups->n ? json_string(mp_request_text(r, "%zu", to)) : json_null());
    json_object_set_new(o, "took_ms", json_real(seconds * 1000));
    mp_reply_json(r, 200, o);
}

static bool draining(void *context, const magpie_progress *p)
{
    (void)p;
    return atomic_load(&((mp_service *)context)->draining);
}

static bool read_kind(mp_request *r, magpie_dupe_kind *kind)
{
    const char *word = mp_body_text(r, "kind");
    *kind = strcmp(word, "similar") == 0 ? MAGPIE_SIMILAR : MAGPIE_SAME_PICTURE;
    if (!*word || strcmp(word, "same") == 0 || *kind == MAGPIE_SIMILAR)
        return true;
    mp_reply_problem(r, 422, "kind must be same or similar");
    return false;
}

void mp_handle_deduplicate(mp_request *r)
{
    static const mp_member members[] = {
        {"kind", JSON_STRING, false, 1, 16},     {"threshold", JSON_REAL, false, 0, 1},
        {"where", JSON_STRING, false, 0, 4000},  {"project_id", JSON_INTEGER, false, 1, 9e15},
        {"limit", JSON_INTEGER, false, 1, 1000}, {"cursor", JSON_STRING, false, 0, 32}};
    magpie_dupe_options opt = {.on_progress = draining, .context = r->service};
    magpie_groups *groups;
    magpie_why why = {0};
    char *end = NULL;
    if (!mp_body_read(r, members, MP_COUNT(members)) || !read_kind(r, &opt.kind))
        return;
    const char *where = mp_body_text(r, "where"), *cursor = mp_body_text(r, "cursor");
    const json_t *limit = json_object_get(r->json, "limit");
    size_t offset = *cursor ? strtoul(cursor, &end, 10) : 0;
    if (*cursor && (*cursor < '0' || *cursor > '9' || *end)) {
        mp_reply_problem(r, 422, "the cursor is not one of this list");
        return;
    }
    opt.threshold = (float)json_number_value(json_object_get(r->json, "threshold"));
    if (!mp_scope_of(r, json_integer_value(json_object_get(r->json, "project_id")),
                     *where ? where : NULL, &opt.where))
        return;
    double began = mp_monotonic_s();
    magpie_err err = magpie_duplicates(r->service->library, &opt, &groups, &why);
    double seconds = mp_monotonic_s() - began;
    mp_metrics_observe(r->service->metrics, MP_IMAGE_PROCESSING, "deduplicate", seconds);
    if (err) {
        mp_reply_error(r, err, &why);
        return;
    }
    send_clusters(r, groups, offset, limit ? (size_t)json_integer_value(limit) : 100, seconds);
    magpie_groups_free(groups);
}
