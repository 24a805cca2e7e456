/* fetch.c - see fetch.h. */
#include "app/fetch.h"

#include "app/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char SCRIPT[] = "lite_fetch.py";
enum { OUT_OF_REACH = 3, NO_PYTHON = 127 };

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

static _Noreturn void run_child(const char *const *argv)
{
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    dup2(STDERR_FILENO, STDOUT_FILENO); /* standard output is for our own result */
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    _exit(NO_PYTHON);
}

static mp_err judge(int status, mp_why *why)
{
    if (stop_asked())
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
    case NO_PYTHON:
        return mp_fail(why, MP_NOT_FOUND, "python3 is needed to fetch the model, and is not here");
    default:
        return mp_fail(why, MP_CORRUPT, "the model could not be installed; see above");
    }
}

mp_err fetch_run(const char *script, const char *models_dir, const char *from, mp_why *why)
{
    const char *argv[] = {"python3", script, "--to", models_dir, from ? "--from" : NULL,
                          from,      NULL};
    int status;
    fflush(NULL);
    pid_t child = fork();
    if (child < 0)
        return mp_fail_errno(why, errno, "cannot start %s", script);
    if (child == 0)
        run_child(argv);
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return mp_fail_errno(why, errno, "cannot wait for %s", script);
    return judge(status, why);
}
