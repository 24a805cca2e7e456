/* work_clean.c - jobs of type cleanup: what is past its time goes. See worker.h.
 *
 * Ended jobs with their exports and clusters, events that every subscriber has behind it, uploads
 * that nobody took in, temporary files of crashes; of projects that say for how long they keep
 * their assets, the older ones (retention.h). Nothing else of anybody's is touched. */
#include "service/retention.h"
#include "service/uploads.h"
#include "service/work.h"

#include "core/ports.h"
#include "meta/accounts.h"
#include "meta/events.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { AT_ONCE = 1000 };
static const int64_t DAY_MS = 24LL * 3600 * 1000;

mp_err mp_check_clean(const json_t *params, const mp_net_allow *allow, mp_why *why)
{
    (void)allow; /* it reaches nobody */

    static const mp_param list[] = {{"keep_days", JSON_INTEGER, false}};
    mp_err err = mp_work_params(params, list, MP_COUNT(list), why);
    json_int_t days = json_integer_value(json_object_get(params, "keep_days"));
    if (!err && json_object_get(params, "keep_days") && (days < 1 || days > 36500))
        err = mp_fail(why, MP_INVALID, "params.keep_days must be from 1 to 36500");
    return err;
}

/* What jobs made and left in a folder of the library under their number, once the job is gone. */
static uint64_t drop_files(magpie *library, mp_meta *meta, const char *name)
{
    char folder[PATH_MAX], path[PATH_MAX + 300];
    uint64_t n = 0;
    snprintf(folder, sizeof folder, "%s/%s", magpie_path(library), name);
    DIR *dir = opendir(folder);
    for (const struct dirent *e; dir && (e = readdir(dir));) {
        char *end;
        mp_job job;
        long long id = strtoll(e->d_name, &end, 10);
        if (id <= 0 || *end != '.')
            continue;
        mp_arena *arena = mp_arena_new(0);
        bool gone = mp_meta_get_job(meta, id, arena, &job, NULL) == MP_NOT_FOUND;
        mp_arena_free(arena);
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        n += gone && unlink(path) == 0;
    }
    if (dir)
        closedir(dir);
    return n;
}

typedef mp_err (*drop_fn)(mp_meta *m, int64_t before_ms, size_t limit, uint64_t *n, mp_why *why);

static mp_err drop_all(mp_job_run *run, mp_meta *meta, drop_fn drop, int64_t before_ms,
                       uint64_t *total, mp_why *why)
{
    uint64_t n = AT_ONCE;
    mp_err err = MP_OK;
    for (*total = 0; !err && n == AT_ONCE; *total += n) {
        err = drop(meta, before_ms, AT_ONCE, &n, why);
        if (mp_job_progress(run, (int64_t)*total, 0))
            return mp_fail(why, MP_CANCELLED, "stopped");
    }
    return err;
}

static bool asked_to_stop(void *run)
{
    return mp_job_progress(run, 0, 0);
}

/* The removal is committed: a note that fails is told in the log. */
static void note_removal(mp_meta *meta, const mp_project *p, size_t removed)
{
    char detail[120];
    mp_why why = {0};
    mp_audit row = {.action = "project.retention", .detail = detail};
    snprintf(detail, sizeof detail, "#%lld: %zu assets older than %lld days", (long long)p->id,
             removed, (long long)mp_retention_days(p->config));
    if (mp_meta_add_audit(meta, &row, &why))
        mp_log(MP_LOG_ERROR, "%s are removed, and it is not in the audit log: %s", detail,
               why.text);
}

static mp_err drop_old_assets(mp_worker *w, mp_job_run *run, uint64_t *total, mp_why *why)
{
    mp_meta *meta = mp_core_meta(w->opt.library);
    int64_t after = 0, now_ms = mp_now_ms();
    mp_err err = MP_OK;
    for (size_t n = 1; !err && n;) {
        mp_project *list;
        mp_arena *arena = mp_arena_new(0);
        err = mp_meta_list_projects(meta, 0, true, "active", after, AT_ONCE, arena, &list, &n, why);
        for (size_t i = 0; !err && i < n; i++) {
            size_t removed = 0;
            after = list[i].id;
            err = mp_retention_apply(w->opt.library, &list[i], now_ms, asked_to_stop, run, &removed,
                                     why);
            *total += removed;
            if (!removed)
                continue;
            note_removal(meta, &list[i], removed);
            mp_job_log(run, MP_LOG_INFO, "project %lld: %zu assets were past their time",
                       (long long)after, removed);
        }
        mp_arena_free(arena);
    }
    return err;
}

mp_err mp_work_clean(mp_worker *w, mp_job_run *run, const json_t *params, json_t **result,
                     mp_why *why)
{
    mp_meta *meta = mp_core_meta(w->opt.library);
    int64_t days = json_integer_value(json_object_get(params, "keep_days"));
    uint64_t jobs = 0, events = 0, assets = 0;
    size_t uploads = 0;
    if (!days)
        days = w->opt.keep_days ? w->opt.keep_days : 30;
    int64_t before = mp_now_ms() - days * DAY_MS;
    mp_err err = drop_all(run, meta, mp_meta_drop_jobs, before, &jobs, why);
    if (!err)
        err = drop_all(run, meta, mp_meta_drop_events, before, &events, why);
    if (!err)
        err = drop_old_assets(w, run, &assets, why);
    if (!err)
        err = mp_upload_sweep(w->opt.library, mp_now_ms(), &uploads, why);
    if (!err)
        err = mp_blob_sweep(mp_core_blobs(w->opt.library), why);
    if (err)
        return err;
    uint64_t exports = drop_files(w->opt.library, meta, "exports");
    uint64_t clusters = drop_files(w->opt.library, meta, "clusters");
    *result =
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "assets", (json_int_t)assets, "jobs",
                  (json_int_t)jobs, "events", (json_int_t)events, "uploads", (json_int_t)uploads,
                  "exports", (json_int_t)exports, "clusters", (json_int_t)clusters);
    return MP_OK;
}
