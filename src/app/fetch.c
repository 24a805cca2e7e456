/* fetch.c - see fetch.h. */
#include "app/fetch.h"

#include "app/model_measure.h"
#include "app/pull.h"
#include "app/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char SCRIPT[] = "lite_fetch.py";
enum { OUT_OF_REACH = 3, NOT_THERE = 4, NO_PYTHON = 127 };

mp_err fetch_models_dir(const mp_app *app, char *out, size_t cap, mp_why *why)
{
    const char *given = mp_settings_text(&app->settings, MP_SET_MODELS);
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    int n;
    if (given)
        n = snprintf(out, cap, "%s", given);
    else if (data && *data == '/')
        n = snprintf(out, cap, "%s/magpie/models", data);
    else if (home && *home == '/')
        n = snprintf(out, cap, "%s/.local/share/magpie/models", home);
    else
        return mp_fail(why, MP_NOT_FOUND, "no home folder: name one for models with --models");
    return n < (int)cap ? MP_OK : mp_fail(why, MP_TOO_BIG, "the models' path is too long");
}

static bool there(char *out, size_t cap, const char *folder, const char *below)
{
    return snprintf(out, cap, "%s%s/%s", folder, below, SCRIPT) < (int)cap &&
           access(out, R_OK) == 0;
}

mp_err fetch_script(const mp_app *app, char *out, size_t cap, mp_why *why)
{
    const char *share = mp_settings_text(&app->settings, MP_SET_SHARE);
    char self[PATH_MAX];
    if (share)
        return there(out, cap, share, "")
                   ? MP_OK
                   : mp_fail(why, MP_NOT_FOUND, "no %s in %.300s", SCRIPT, share);
    if (app_self(self, sizeof self)) {
        *strrchr(self, '/') = '\0';
        if (there(out, cap, self, "/../share/magpie"))
            return MP_OK;
    }
    if (there(out, cap, MAGPIE_TOOLS_DIR, ""))
        return MP_OK;
    return mp_fail(why, MP_NOT_FOUND,
                   "%s was not installed with this magpie; name its folder with --share", SCRIPT);
}

/* A job's child has a group of its own, so that what it started can be stopped with it. */
static _Noreturn void run_child(const char *const *argv, int say)
{
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    if (say >= 0) {
        setpgid(0, 0);
        dup2(say, STDERR_FILENO);
    }
    dup2(STDERR_FILENO, STDOUT_FILENO); /* standard output is for our own result */
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    _exit(NO_PYTHON);
}

static mp_err judge(int status, bool stopped, mp_why *why)
{
    if (stopped)
        return mp_fail(why, MP_CANCELLED, "stopped; rerun to go on");
    if (WIFSIGNALED(status))
        return mp_fail(why, MP_IO, "%s was ended by signal %d", SCRIPT, WTERMSIG(status));
    switch (WEXITSTATUS(status)) {
    case 0:
        return MP_OK;
    case OUT_OF_REACH:
        return mp_fail(why, MP_IO,
                       "the model is out of reach from here; --from DIR takes its files from a "
                       "folder");
    case NOT_THERE:
        return mp_fail(why, MP_NOT_FOUND,
                       "not all of the model's packages are in the folder of --from; what was said "
                       "before names those that are missing");
    case NO_PYTHON:
        return mp_fail(why, MP_NOT_FOUND, "python3 is needed to fetch the model, and is not here");
    default:
        return mp_fail(why, MP_CORRUPT,
                       "the model could not be installed; what it said before tells why");
    }
}

/* say: where it speaks to, -1: standard error. */
static mp_err start(pid_t *child, const char *script, const char *models_dir, const char *from,
                    int say, mp_why *why)
{
    const char *argv[] = {"python3", script, "--to", models_dir, from ? "--from" : NULL,
                          from,      NULL};
    fflush(NULL);
    *child = fork();
    if (*child < 0)
        return mp_fail_errno(why, errno, "cannot start %s", script);
    if (*child == 0)
        run_child(argv, say);
    return MP_OK;
}

mp_err fetch_run(const char *script, const char *models_dir, const char *from, mp_why *why)
{
    int status;
    pid_t child;
    mp_err err = start(&child, script, models_dir, from, -1, why);
    if (err)
        return err;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return mp_fail_errno(why, errno, "cannot wait for %s", script);
    return judge(status, stop_asked(), why);
}

/* ---- as a job ---- */

typedef struct listening {
    mp_job_run *run;
    char line[500];
    size_t n;
} listening;

static void flush_line(listening *l)
{
    l->line[l->n] = '\0';
    if (l->n)
        mp_job_log(l->run, MP_LOG_INFO, "%s", l->line);
    l->n = 0;
}

/* What the script says goes to the job's log, line by line. False at its end. */
static bool listen_to(listening *l, int fd)
{
    char text[1024];
    ssize_t n = read(fd, text, sizeof text);
    for (ssize_t i = 0; i < n; i++) {
        if (text[i] == '\n' || l->n == sizeof l->line - 1)
            flush_line(l);
        if (text[i] != '\n')
            l->line[l->n++] = text[i];
    }
    return n > 0 || (n < 0 && errno == EINTR);
}

static mp_err follow(mp_job_run *run, pid_t child, int fd, mp_why *why)
{
    enum { LOOK_MS = 250 };
    listening l = {.run = run};
    bool stopped = false, open = true;
    int status;
    while (open) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, LOOK_MS) > 0)
            open = listen_to(&l, fd);
        if (!stopped && mp_job_progress(run, 0, 0)) {
            stopped = true;
            kill(-child, SIGTERM);
        }
    }
    flush_line(&l);
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return mp_fail_errno(why, errno, "cannot wait for %s", SCRIPT);
    return judge(status, stopped, why);
}

static mp_err bring(void *app, const char *id, mp_job_run *run, mp_why *why)
{
    char script[PATH_MAX], dir[PATH_MAX];
    int ends[2];
    pid_t child;
    if (strcmp(id, "lite") != 0)
        return pull_job(app, id, run, why);
    mp_err err = fetch_models_dir(app, dir, sizeof dir, why);
    if (!err)
        err = fetch_script(app, script, sizeof script, why);
    if (err)
        return err;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return mp_fail_errno(why, errno, "cannot listen to %s", SCRIPT);
    err = start(&child, script, dir, NULL, ends[1], why);
    close(ends[1]);
    if (!err)
        err = follow(run, child, ends[0], why);
    close(ends[0]);
    return err;
}

mp_err fetch_job(void *app, const char *id, mp_job_run *run, mp_why *why)
{
    mp_buf line = {0};
    mp_err err = bring(app, id, run, why);
    if (err)
        return err;
    err = model_measure_new(app, id, &line, why);
    if (!err)
        mp_job_log(run, MP_LOG_INFO, "%s", line.p);
    mp_buf_free(&line);
    return err;
}
