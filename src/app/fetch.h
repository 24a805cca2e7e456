/* fetch.h - where models lie, and lite's way there: a script that converts packages of the Python
 * package index. Other models are plain files: pull.h. */
#ifndef MP_APP_FETCH_H
#define MP_APP_FETCH_H

#include "app/app.h"

#include "service/worker.h"

/* The folder that models are installed in: the setting, else $XDG_DATA_HOME/magpie/models. */
MP_CHECK mp_err fetch_models_dir(const mp_app *app, char *out, size_t cap, mp_why *why);
/* The script's path: in --share, else beside the installed binary (../share/magpie), else in the
 * source tree that this was built from. Errors: NOT_FOUND, naming where it was looked for. */
MP_CHECK mp_err fetch_script(const mp_app *app, char *out, size_t cap, mp_why *why);
/* Runs it; its output goes to standard error. Errors: NOT_FOUND (python3, or a package in
 * `from`), IO (out of reach), CORRUPT (it failed), CANCELLED (Ctrl-C). */
MP_CHECK mp_err fetch_run(const char *script, const char *models_dir, const char *from,
                          mp_why *why);
/* For mp_worker_options.fetch_model, for every model; context is the mp_app. What the script says
 * goes to the job's log. */
MP_CHECK mp_err fetch_job(void *app, const char *id, mp_job_run *run, mp_why *why);

#endif
