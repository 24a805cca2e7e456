/* work_library.c - jobs of type processing: the library's long computations. See worker.h. */
#include "service/work.h"

#include <string.h>

enum { FLAGGED = 1000 };

static const char *const operations[] = {"reindex", "thumbnails", "deduplicate", "anomalies"};

mp_err mp_check_processing(const json_t *params, const mp_net_allow *allow, mp_why *why)
{
    (void)allow; /* it reaches nobody */

    static const mp_param list[] = {{"operation", JSON_STRING, true}, {"where", JSON_STRING, false},
                                    {"normals", JSON_STRING, false},  {"kind", JSON_STRING, false},
                                    {"threshold", JSON_REAL, false},  {"alpha", JSON_REAL, false},
                                    {"projects", JSON_ARRAY, false}};
    const mp_filter *filter;
    mp_err err = mp_work_params(params, list, MP_COUNT(list), why);
    if (err)
        return err;
    const char *operation = mp_work_text(params, "operation");
    bool known = false;
    for (size_t i = 0; i < MP_COUNT(operations); i++)
        known = known || strcmp(operations[i], operation) == 0;
    if (!known)
        return mp_fail(why, MP_INVALID,
                       "params.operation must be one of reindex, thumbnails, "
                       "deduplicate, anomalies");
    err = mp_check_dedup(params, why);
    if (err)
        return err;
    mp_arena *arena = mp_arena_new(0);
    err = mp_filter_parse(mp_work_text(params, "where"), arena, &filter, why);
    if (!err)
        err = mp_filter_parse(mp_work_text(params, "normals"), arena, &filter, why);
    mp_arena_free(arena);
    return err;
}

/* Every picture of the scope, one after the other; one that cannot be read is told in the log. */
static mp_err each_item(mp_worker *w, mp_job_run *run, const char *where,
                        magpie_err (*what)(magpie *m, int64_t id, magpie_why *why), json_t **result,
                        mp_why *why)
{
    enum { PAGE = 500 };
    magpie_why *outer = (magpie_why *)(void *)why;
    int64_t after = 0, done = 0, failed = 0;
    for (;;) {
        magpie_item **items;
        size_t n;
        magpie_err err = magpie_list(w->opt.library, where, after, PAGE, &items, &n, outer);
        if (err || n == 0) {
            magpie_items_free(items, err ? 0 : n);
            if (!err)
                *result =
                    json_pack("{s:I, s:I}", "done", (json_int_t)done, "failed", (json_int_t)failed);
            return (mp_err)err;
        }
        for (size_t i = 0; i < n; i++) {
            magpie_why one = {0};
            after = items[i]->id;
            if (what(w->opt.library, after, &one)) {
                failed++;
                mp_job_log(run, MP_LOG_WARN, "#%lld: %s", (long long)after, one.text);
            }
            if (mp_job_progress(run, ++done, 0)) {
                magpie_items_free(items, n);
                return mp_fail(why, MP_CANCELLED, "stopped");
            }
        }
        magpie_items_free(items, n);
    }
}

static magpie_err reindex_one(magpie *m, int64_t id, magpie_why *why)
{
    return magpie_reindex_items(m, &id, 1, why);
}

static mp_err find_odd(mp_worker *w, mp_job_run *run, const json_t *params, const char *where,
                       mp_arena *arena, json_t **result, mp_why *why)
{
    magpie_odds *odds;
    const char *normals = mp_work_text(params, "normals");
    magpie_odd_options opt = {.where = where,
                              .alpha = json_number_value(json_object_get(params, "alpha")),
                              .on_progress = mp_work_progress,
                              .context = run};
    mp_err err =
        *normals ? mp_work_scope(mp_job_of(run), normals, arena, &opt.normals, why) : MP_OK;
    if (!err)
        err = (mp_err)magpie_odd_ones(w->opt.library, &opt, &odds, (magpie_why *)(void *)why);
    if (err)
        return err;
    json_t *flagged = json_array();
    for (size_t i = 0; i < odds->n && i < FLAGGED; i++)
        if (odds->odd[i].flagged)
            json_array_append_new(flagged, json_integer(odds->odd[i].id));
    *result = json_pack("{s:I, s:I, s:o}", "total", (json_int_t)odds->n, "flagged",
                        (json_int_t)odds->n_flagged, "image_ids", flagged);
    magpie_odds_free(odds);
    return MP_OK;
}

mp_err mp_work_processing(mp_worker *w, mp_job_run *run, const json_t *params, json_t **result,
                          mp_why *why)
{
    const char *operation = mp_work_text(params, "operation"), *where;
    mp_arena *arena = mp_arena_new(0);
    mp_err err = mp_check_processing(params, NULL, why);
    if (!err)
        err = mp_work_scope(mp_job_of(run), mp_work_text(params, "where"), arena, &where, why);
    if (err) {
        mp_arena_free(arena);
        return err;
    }
    mp_job_log(run, MP_LOG_INFO, "%s%s%s", operation, where ? " of " : "", where ? where : "");
    if (strcmp(operation, "reindex") == 0)
        err = each_item(w, run, where, reindex_one, result, why);
    else if (strcmp(operation, "thumbnails") == 0)
        err = each_item(w, run, where, magpie_make_thumbnails, result, why);
    else if (strcmp(operation, "deduplicate") == 0)
        err = mp_work_dedup(w, run, params, result, why);
    else
        err = find_odd(w, run, params, where, arena, result, why);
    mp_arena_free(arena);
    return err;
}
