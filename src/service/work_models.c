/* work_models.c - jobs of types use_model and fetch_model: another model for the library, and its
 * files from outside. See worker.h.
 *
 * Both are asked for by routes of their own, for administrators. A switch that is stopped half-way
 * leaves the library with the model that it has, and goes on from there when it is tried again. */
#include "service/work.h"

#include "core/ports.h"
#include "meta/accounts.h"

#include <string.h>

static mp_err check_model(const json_t *params, mp_why *why)
{
    static const mp_param list[] = {{"model", JSON_STRING, true}};
    return mp_work_params(params, list, MP_COUNT(list), why);
}

/* What was done is done: a note that fails is told in the log. */
static void note(mp_worker *w, const mp_job *job, const char *action, const char *detail)
{
    mp_why why = {0};
    mp_audit row = {.user_id = job->user_id, .action = action, .detail = detail};
    if (mp_meta_add_audit(mp_core_meta(w->opt.library), &row, &why))
        mp_log(MP_LOG_ERROR, "%s %s is done, and it is not in the audit log: %s", action, detail,
               why.text);
}

mp_err mp_work_use_model(mp_worker *w, mp_job_run *run, const json_t *params, json_t **result,
                         mp_why *why)
{
    char before[64], sha256[65], detail[200];
    const char *id = mp_work_text(params, "model");
    mp_err err = check_model(params, why);
    if (err)
        return err;
    mp_core_model_name(w->opt.library, before, sha256);
    mp_job_log(run, MP_LOG_INFO, "from %s to %s; searches go on with %s meanwhile", before, id,
               before);
    err = (mp_err)magpie_use_model(w->opt.library, id, mp_work_progress, run,
                                   (magpie_why *)(void *)why);
    if (err)
        return err;
    snprintf(detail, sizeof detail, "%s instead of %s", id, before);
    if (strcmp(before, id) != 0) /* else a run before this one got so far */
        note(w, mp_job_of(run), "model.use", detail);
    *result = json_pack("{s:s, s:s}", "model", id, "before", before);
    return MP_OK;
}

mp_err mp_work_fetch_model(mp_worker *w, mp_job_run *run, const json_t *params, json_t **result,
                           mp_why *why)
{
    const char *id = mp_work_text(params, "model");
    mp_err err = check_model(params, why);
    if (!err && !w->opt.fetch_model)
        err = mp_fail(why, MP_UNSUPPORTED, "models cannot be fetched from here");
    if (!err)
        err = w->opt.fetch_model(w->opt.fetch_context, id, run, why);
    if (err)
        return err;
    note(w, mp_job_of(run), "model.fetch", id);
    *result = json_pack("{s:s}", "model", id);
    return MP_OK;
}
