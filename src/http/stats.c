/* stats.c - how much there is, of what can be reached. */
#include "http/items.h"
#include "http/server.h"

#include "core/ports.h"

static bool count(mp_request *r, int64_t project, const char *where, uint64_t *out)
{
    const mp_filter *filter;
    const char *scope;
    mp_why why = {0};
    if (!mp_scope_of(r, project, where, &scope))
        return false;
    mp_err err = mp_filter_parse(scope, r->arena, &filter, &why);
    if (!err)
        err = mp_meta_count(mp_core_meta(r->service->library), filter, out, &why);
    if (err)
        mp_reply_failure(r, err, &why);
    return !err;
}

void mp_handle_stats(mp_request *r)
{
    static const char *const words[] = {"too_dark", "too_bright", "blurred", "blank",
                                        "low_contrast"};
    int64_t project;
    uint64_t images, missing, trashed, n;
    magpie_stats stats;
    magpie_why why = {0};
    if (!mp_query_project(r, &project) || !count(r, project, NULL, &images) ||
        !count(r, project, "state:missing", &missing) ||
        !count(r, project, "state:trashed", &trashed))
        return;
    json_t *issues = json_object();
    for (size_t i = 0; i < MP_COUNT(words); i++) {
        if (!count(r, project, mp_request_text(r, "issue:%s", words[i]), &n)) {
            json_decref(issues);
            return;
        }
        json_object_set_new(issues, words[i], json_integer((json_int_t)n));
    }
    magpie_err err = magpie_get_stats(r->service->library, &stats, &why);
    if (err) {
        json_decref(issues);
        mp_reply_error(r, err, &why);
        return;
    }
    json_t *o =
        json_pack("{s:I, s:I, s:I, s:o, s:s, s:s, s:s}", "images", (json_int_t)images, "missing",
                  (json_int_t)missing, "trashed", (json_int_t)trashed, "issues", issues, "model",
                  stats.model, "model_version", stats.model_sha256, "index", stats.index);
    if (r->access.all && !project) /* of the library as a whole */
        json_object_update_new(o, json_pack("{s:I, s:I, s:I, s:I, s:I}", "vectors",
                                            (json_int_t)stats.vectors, "bytes_pictures",
                                            (json_int_t)stats.bytes_pictures, "bytes_library",
                                            (json_int_t)stats.bytes_library, "bytes_thumbnails",
                                            (json_int_t)stats.bytes_thumbnails, "verdicts",
                                            (json_int_t)stats.verdicts));
    mp_reply_json(r, 200, o);
}
