/* pull_job.c - a pull as a job of the service: what it says and how far it is go to the job. */
#include "app/fetch.h"
#include "app/pull.h"

#include <limits.h>
#include <stdlib.h>

static void say(void *run, const char *line)
{
    mp_job_log(run, MP_LOG_INFO, "%s", line);
}

static bool on_bytes(void *run, int64_t done, int64_t total)
{
    return mp_job_progress(run, done, total);
}

mp_err pull_job(const mp_app *app, const char *id, mp_job_run *run, mp_why *why)
{
    char dir[PATH_MAX];
    mp_manifest *m = mp_xmalloc(sizeof *m);
    mp_err err = pull_find(id, m, why);
    if (!err)
        err = fetch_models_dir(app, dir, sizeof dir, why);
    if (!err) {
        pull p = {.manifest = m,
                  .models_dir = dir,
                  .hub = mp_settings_text(&app->settings, MP_SET_MODELS_HUB),
                  .say = say,
                  .on_bytes = on_bytes,
                  .arg = run};
        err = pull_run(&p, why);
    }
    free(m);
    return err;
}
