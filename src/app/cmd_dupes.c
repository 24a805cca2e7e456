/* cmd_dupes.c - copies of the same picture: finding, planning, applying, taking back. */
#include "app/commands.h"
#include "app/stop.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const mp_option rows[] = {
    {.name = "similar", .type = MP_OPT_FLAG, .help = "Look-alikes instead of the same picture."},
    {.name = "threshold",
     .type = MP_OPT_NUMBER,
     .value = "X",
     .min = 0.01,
     .max = 1,
     .help = "Least score of the links in a group (default: the calibrated one)."},
    OPTION_WHERE,
    OPTION_HTML,
    {.name = "force", .type = MP_OPT_FLAG, .help = "plan: replace a file that is there."},
    OPTION_YES("apply: do it. Without it apply only tells what it would do."),
};

static int operands(mp_app *app, size_t least, size_t most, const char *usage)
{
    size_t n = mp_args_operands(&app->args);
    return n < least || n > most ? app_usage(app, "%s", usage) : EXIT_DONE;
}

/* Groups as the options ask for; the caller frees. */
static int find_groups(mp_app *app, app_mode mode, magpie_groups **out)
{
    magpie_why why = {0};
    progress bar = progress_start(app, "pictures");
    int code = app_open(app, mode);
    *out = NULL;
    if (code)
        return code;
    magpie_dupe_options o = {.kind = mp_args_flag(&app->args, "similar") ? MAGPIE_SIMILAR
                                                                         : MAGPIE_SAME_PICTURE,
                             .where = mp_args_text(&app->args, "where", NULL),
                             .threshold = (float)mp_args_number(&app->args, "threshold", 0),
                             .on_progress = progress_tick,
                             .context = &bar};
    magpie_err err = magpie_duplicates(app->library, &o, out, &why);
    progress_clear(&bar);
    return err ? app_fail(app, err, &why) : EXIT_DONE;
}

static int write_page(mp_app *app, const char *path, const magpie_groups *groups)
{
    html h;
    mp_why why = {0};
    mp_err err = html_open(
        &h, app, path,
        groups->kind == MAGPIE_SIMILAR ? "Look-alikes" : "Copies of the same picture", &why);
    if (!err) {
        groups_html(&h, groups);
        err = html_commit(&h, &why);
    }
    return err ? app_fail_inner(app, err, &why) : EXIT_DONE;
}

static int find(mp_app *app)
{
    magpie_groups *groups;
    const char *page = mp_args_text(&app->args, "html", NULL);
    int code = operands(app, 0, 1, "dupes find takes no operand");
    if (!code)
        code = find_groups(app, APP_READ, &groups);
    if (code)
        return code;
    if (page)
        code = write_page(app, page, groups);
    if (!code && app->json) {
        json_t *o = app_json(app);
        json_object_set_new(o, "action", json_string("find"));
        json_join(o, groups_json(groups));
        app_json_print(o);
    } else if (!code) {
        groups_print(app, groups);
    }
    magpie_groups_free(groups);
    return code;
}

/* ---- plans ---- */

static int plan(mp_app *app)
{
    magpie_groups *groups;
    magpie_why why = {0};
    const char *path = app_operand(app, 1);
    int code = operands(app, 2, 2, "usage: magpie dupes plan FILE");
    if (code)
        return code;
    if (!mp_args_flag(&app->args, "force") && access(path, F_OK) == 0) {
        mp_why inner;
        return app_fail_inner(
            app, mp_fail(&inner, MP_EXISTS, "%s is there already; --force replaces it", path),
            &inner);
    }
    code = find_groups(app, APP_READ, &groups);
    if (code)
        return code;
    magpie_err err = magpie_plan_write(app->library, groups, path, &why);
    if (err) {
        code = app_fail(app, err, &why);
    } else if (app->json) {
        json_t *o = app_json(app);
        json_object_set_new(o, "action", json_string("plan"));
        json_object_set_new(o, "plan", json_text(path));
        json_object_set_new(o, "groups", json_integer((json_int_t)groups->n));
        app_json_print(o);
    } else {
        char *shown = app_escaped(path);
        printf("wrote a plan for %zu %s to %s\n", groups->n,
               text_plural(groups->n, "group", "groups"), shown);
        app_note(app, PAINT_DIM, "read and edit it, then: magpie dupes apply %s", shown);
        free(shown);
    }
    magpie_groups_free(groups);
    return code;
}

typedef struct steps {
    mp_app *app;
    json_t *list; /* NULL: lines */
} steps;

static void on_step(void *context, int64_t id, const char *path, const char *what)
{
    steps *s = context;
    if (s->list) {
        json_t *row = json_object();
        json_object_set_new(row, "id", json_integer(id));
        json_object_set_new(row, "path", json_text(path));
        json_object_set_new(row, "what", json_text(what));
        json_array_append_new(s->list, row);
        return;
    }
    if (s->app->quiet)
        return;
    char *shown = app_escaped(path), *verb = app_escaped(what);
    printf("%s: %s (#%lld)\n", verb, shown, (long long)id);
    free(shown);
    free(verb);
}

static void tell_plan(mp_app *app, const steps *s, const char *action, bool dry_run,
                      const magpie_plan_report *r)
{
    char a[TEXT_SMALL];
    if (s->list) {
        json_t *o = app_json(app);
        json_object_set_new(o, "action", json_string(action));
        json_object_set_new(o, "dry_run", json_boolean(dry_run));
        json_object_set_new(o, "plan_id", json_integer(r->plan_id));
        json_object_set_new(o, "groups", json_integer((json_int_t)r->groups));
        json_object_set_new(o, "trashed", json_integer((json_int_t)r->trashed));
        json_object_set_new(o, "skipped", json_integer((json_int_t)r->skipped));
        json_object_set_new(o, "bytes", json_integer(r->bytes));
        json_object_set(o, "steps", s->list);
        app_json_print(o);
        return;
    }
    bool undo = strcmp(action, "undo") == 0;
    const char *pictures = text_plural(r->trashed, "picture", "pictures");
    if (undo)
        printf("put back %zu %s", r->trashed, pictures);
    else
        printf("%s %zu %s (%s, %zu %s) to the trash", dry_run ? "would move" : "moved", r->trashed,
               pictures, text_size(a, (double)r->bytes), r->groups,
               text_plural(r->groups, "group", "groups"));
    if (r->skipped)
        printf("; %zu skipped", r->skipped);
    printf("\n");
    if (dry_run)
        app_note(app, PAINT_DIM, "nothing was changed; --yes does it");
    else if (!undo)
        app_note(app, PAINT_DIM, "to take it back: magpie dupes undo %lld", (long long)r->plan_id);
}

static int finish_plan(mp_app *app, steps *s, const char *action, bool dry_run, magpie_err err,
                       const magpie_plan_report *r, const magpie_why *why)
{
    int code = r->skipped ? EXIT_PARTLY : EXIT_DONE;
    if (err)
        code = app_fail(app, err, why);
    else
        tell_plan(app, s, action, dry_run, r);
    json_decref(s->list);
    return code;
}

static int apply(mp_app *app)
{
    magpie_why why = {0};
    magpie_plan_report r = {0};
    bool dry_run = !mp_args_flag(&app->args, "yes");
    int code = operands(app, 2, 2, "usage: magpie dupes apply FILE [--yes]");
    if (!code)
        code = app_open(app, APP_WRITE);
    if (code)
        return code;
    steps s = {app, app->json ? json_array() : NULL};
    magpie_err err =
        magpie_plan_apply(app->library, app_operand(app, 1), dry_run, on_step, &s, &r, &why);
    return finish_plan(app, &s, "apply", dry_run, err, &r, &why);
}

static int undo(mp_app *app)
{
    magpie_why why = {0};
    magpie_plan_report r = {0};
    int64_t id = 0;
    int code = operands(app, 1, 2, "usage: magpie dupes undo [PLAN-ID]");
    if (!code && app_operand(app, 1) && !app_parse_id(app_operand(app, 1), &id))
        code = app_usage(app, "'%.60s' is not a plan's id", app_operand(app, 1));
    if (!code)
        code = app_open(app, APP_WRITE);
    if (code)
        return code;
    steps s = {app, app->json ? json_array() : NULL};
    magpie_err err = magpie_plan_undo(app->library, id, on_step, &s, &r, &why);
    return finish_plan(app, &s, "undo", false, err, &r, &why);
}

static int verdict(mp_app *app)
{
    int64_t a, b;
    magpie_why why = {0};
    const char *kind = app_operand(app, 3);
    if (mp_args_operands(&app->args) != 4 || !app_parse_id(app_operand(app, 1), &a) ||
        !app_parse_id(app_operand(app, 2), &b) ||
        (strcmp(kind, "same") != 0 && strcmp(kind, "different") != 0))
        return app_usage(app, "usage: magpie dupes verdict A B same|different");
    int code = app_open(app, APP_WRITE);
    if (code)
        return code;
    magpie_err err = magpie_verdict_set(
        app->library, strcmp(kind, "same") == 0 ? MAGPIE_SAME : MAGPIE_DIFFERENT, a, b, "", &why);
    if (err)
        return app_fail(app, err, &why);
    if (app->json) {
        json_t *o = app_json(app);
        json_object_set_new(o, "action", json_string("verdict"));
        json_object_set_new(o, "a", json_integer(a));
        json_object_set_new(o, "b", json_integer(b));
        json_object_set_new(o, "verdict", json_string(kind));
        app_json_print(o);
    } else if (!app->quiet) {
        printf("noted: #%lld and #%lld are %s\n", (long long)a, (long long)b, kind);
    }
    return EXIT_DONE;
}

static int run(mp_app *app)
{
    static const struct {
        const char *word;
        int (*run)(mp_app *app);
    } actions[] = {
        {"find", find}, {"plan", plan}, {"apply", apply}, {"undo", undo}, {"verdict", verdict}};
    const char *word = app_operand(app, 0);
    for (size_t i = 0; i < MP_COUNT(actions); i++)
        if (!word || strcmp(word, actions[i].word) == 0)
            return actions[i].run(app);
    return app_usage(app, "dupes can find, plan, apply, undo and verdict, not '%.60s'", word);
}

const mp_command command_dupes = {
    .name = "dupes",
    .summary = "Find copies of the same picture and clear them up",
    .usage = "dupes [find] [--similar] [OPTION...]\ndupes plan FILE\ndupes apply FILE "
             "[--yes]\ndupes undo [PLAN-ID]\ndupes verdict A B same|different",
    .about =
        "Groups pictures that show the same, re-encoded, resized, cropped or turned, suggests "
        "which "
        "one to keep, and shows the weakest link of each group. plan writes the suggestions to a "
        "file that you can read and edit; apply carries it out: tags go to the kept picture, the "
        "others to the trash; undo puts everything back. verdict records what you say of a pair; "
        "it is not asked again.\n"
        "  magpie dupes --html copies.html\n"
        "  magpie dupes plan copies.json && magpie dupes apply copies.json",
    OPTIONS_OF(rows),
    .words = "find plan apply undo verdict",
    .operand = MP_OPERAND_FILES,
    .run = run,
};
