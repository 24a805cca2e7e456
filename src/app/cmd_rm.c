/* cmd_rm.c - forgets items. */
#include "app/commands.h"

#include <stdlib.h>
#include <unistd.h>

static const mp_option rows[] = {
    OPTION_WHERE,
    OPTION_YES("With --where: do not ask."),
};

bool app_confirm(const char *question)
{
    char answer[16];
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return false;
    fprintf(stderr, "%s [y/N] ", question);
    fflush(stderr);
    return fgets(answer, sizeof answer, stdin) && (*answer == 'y' || *answer == 'Y');
}

static int choose(mp_app *app, int64_t **ids, size_t *n)
{
    const char *where = mp_args_text(&app->args, "where", NULL);
    char question[96];
    if (where && mp_args_operands(&app->args))
        return app_usage(app, "give ids or --where, not both");
    int code = where ? EXIT_DONE : app_ids(app, 0, ids, n);
    if (!code && !where && *n == 0)
        code = app_usage(app, "remove which? Give ids or --where FILTER");
    if (!code)
        code = app_open(app, APP_WRITE);
    if (!code && where)
        code = app_ids_where(app, where, ids, n);
    if (code || !where || *n == 0 || mp_args_flag(&app->args, "yes"))
        return code;
    snprintf(question, sizeof question, "forget %zu %s?", *n,
             text_plural(*n, "picture", "pictures"));
    return app_confirm(question) ? EXIT_DONE
                                 : app_usage(app, "%zu would be forgotten; --yes does it", *n);
}

static int run(mp_app *app)
{
    int64_t *ids = NULL;
    size_t n = 0, missing = 0;
    magpie_why why = {0};
    int code = choose(app, &ids, &n);
    magpie_err err =
        code || n == 0 ? MAGPIE_OK : magpie_remove(app->library, ids, n, &missing, &why);
    free(ids);
    if (code)
        return code;
    if (err)
        return app_fail(app, err, &why);
    if (app->json) {
        json_t *o = app_json(app);
        json_object_set_new(o, "removed", json_integer((json_int_t)(n - missing)));
        json_object_set_new(o, "unknown", json_integer((json_int_t)missing));
        app_json_print(o);
    } else if (!app->quiet) {
        printf("forgot %zu %s\n", n - missing, text_plural(n - missing, "picture", "pictures"));
        if (missing)
            app_note(app, PAINT_WARN, "%zu %s not there", missing,
                     text_plural(missing, "was", "were"));
    }
    return missing ? EXIT_NOT_FOUND : EXIT_DONE;
}

const mp_command command_rm = {
    .name = "rm",
    .summary = "Forget pictures; their files stay",
    .usage = "rm ID...\nrm --where FILTER [--yes]",
    .about =
        "Forgets items with their vectors, thumbnails and copies in the library. Files outside "
        "the library are not touched; adding them again makes new items.",
    OPTIONS_OF(rows),
    .run = run,
};
