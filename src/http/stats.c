/* stats.c - how much there is, of what can be reached. */
#include "http/items.h"
#include "http/server.h"

#include "base/os.h"
#include "core/ports.h"

#include <stdlib.h>
#include <time.h>

enum { MOST_DAYS = 366 };
static const int64_t DAY_MS = 86400000;

static const char *day_text(mp_request *r, int64_t day)
{
    struct tm t = {0};
    time_t seconds = (time_t)(day * (DAY_MS / 1000));
    (void)gmtime_r(&seconds, &t);
    return mp_request_text(r, "%04d-%02d-%02d", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday);
}

/* How many of the pictures came on each of the last `days` days (UTC), however they came; NULL with
 * the reply made. */
static json_t *count_days(mp_request *r, int64_t project, long long days)
{
    uint64_t count[MOST_DAYS] = {0};
    int64_t first = mp_now_ms() / DAY_MS - days + 1;
    const mp_filter *filter;
    const char *scope;
    mp_item_value *added = NULL;
    size_t n = 0;
    mp_why why = {0};
    if (!mp_scope_of(r, project, mp_request_text(r, "added>=%s", day_text(r, first)), &scope))
        return NULL;
    mp_err err = mp_filter_parse(scope, r->arena, &filter, &why);
    if (!err)
        err = mp_meta_column(mp_core_meta(r->service->library), filter, MP_COLUMN_ADDED, &added, &n,
                             &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        int64_t at = (int64_t)added[i].value / DAY_MS - first;
        if (at >= 0 && at < days)
            count[at]++;
    }
    free(added);
    json_t *list = json_array();
    for (long long i = 0; i < days; i++)
        json_array_append_new(list, json_pack("{s:s, s:I}", "day", day_text(r, first + i), "count",
                                              (json_int_t)count[i]));
    return list;
}

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
    long long days;
    magpie_stats stats;
    magpie_why why = {0};
    if (!mp_query_project(r, &project) || !mp_request_number(r, "days", 0, MOST_DAYS, 0, &days) ||
        !count(r, project, NULL, &images) || !count(r, project, "state:missing", &missing) ||
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
    json_t *added = days ? count_days(r, project, days) : NULL;
    if (added)
        json_object_set_new(o, "added", added);
    if (days && !added)
        json_decref(o);
    else
        mp_reply_json(r, 200, o);
}
