/* cmd_odd.c - pictures that do not belong. */
#include "app/commands.h"

#include "base/os.h"

#include <stdlib.h>
#include <string.h>

enum { HEATMAPS_ON_PAGE = 24 };

static const mp_option rows[] = {
    {.name = "normals",
     .type = MP_OPT_TEXT,
     .value = "FILTER",
     .help = "The items that are as they should be; the others are judged against them. Without it "
             "each is judged against all others."},
    OPTION_WHERE,
    {.name = "alpha",
     .type = MP_OPT_NUMBER,
     .value = "X",
     .fallback = "0.05",
     .min = 0.0001,
     .max = 0.5,
     .help = "The false-alarm rate: how many of the normal ones may be flagged."},
    {.name = "limit",
     .letter = 'k',
     .type = MP_OPT_INT,
     .value = "N",
     .fallback = "20",
     .min = 0,
     .max = 1000000,
     .help = "At most this many, the oddest first; 0: all."},
    OPTION_HTML,
    {.name = "heatmap",
     .type = MP_OPT_TEXT,
     .value = "ID",
     .help = "Write one item's picture with the odd regions overlaid to the PNG file that the "
             "operand names."},
};

static int heatmap(mp_app *app, const char *word)
{
    int64_t id;
    uint8_t *png = NULL;
    size_t n;
    magpie_why why = {0};
    mp_why inner = {0};
    const char *path = app_operand(app, 0);
    if (!app_parse_id(word, &id) || mp_args_operands(&app->args) != 1)
        return app_usage(app, "usage: magpie odd --heatmap ID OUT.png");
    int code = app_open(app, APP_READ);
    if (code)
        return code;
    magpie_err err =
        magpie_heatmap(app->library, id, mp_args_text(&app->args, "normals", NULL), &png, &n, &why);
    if (err)
        return app_fail(app, err, &why);
    mp_err written = mp_file_replace(path, png, n, &inner);
    magpie_free(png);
    if (written)
        return app_fail_inner(app, written, &inner);
    if (app->json) {
        json_t *o = app_json(app);
        json_object_set_new(o, "action", json_string("heatmap"));
        json_object_set_new(o, "id", json_integer(id));
        json_object_set_new(o, "path", json_text(path));
        app_json_print(o);
    } else {
        char *shown = app_escaped(path);
        app_note(app, PAINT_NONE, "wrote %s", shown);
        free(shown);
    }
    return EXIT_DONE;
}

static int verdict(mp_app *app)
{
    int64_t id;
    magpie_why why = {0};
    const char *kind = app_operand(app, 2);
    if (mp_args_operands(&app->args) != 3 || !app_parse_id(app_operand(app, 1), &id) ||
        (strcmp(kind, "normal") != 0 && strcmp(kind, "anomaly") != 0))
        return app_usage(app, "usage: magpie odd verdict ID normal|anomaly");
    int code = app_open(app, APP_WRITE);
    if (code)
        return code;
    magpie_err err = magpie_verdict_set(
        app->library, strcmp(kind, "normal") == 0 ? MAGPIE_NORMAL : MAGPIE_ANOMALY, id, 0, "",
        &why);
    if (err)
        return app_fail(app, err, &why);
    if (app->json) {
        json_t *o = app_json(app);
        json_object_set_new(o, "action", json_string("verdict"));
        json_object_set_new(o, "id", json_integer(id));
        json_object_set_new(o, "verdict", json_string(kind));
        app_json_print(o);
    } else if (!app->quiet) {
        printf("noted: #%lld is %s\n", (long long)id,
               strcmp(kind, "normal") == 0 ? "normal" : "an anomaly");
    }
    return EXIT_DONE;
}

static int write_page(mp_app *app, const char *path, const magpie_odds *odds, const char *normals)
{
    html h;
    mp_why why = {0};
    mp_err err = html_open(&h, app, path, "Odd ones", &why);
    if (!err) {
        odds_html(&h, odds, normals, HEATMAPS_ON_PAGE);
        err = html_commit(&h, &why);
    }
    return err ? app_fail_inner(app, err, &why) : EXIT_DONE;
}

static int find(mp_app *app)
{
    magpie_odds *odds;
    magpie_why why = {0};
    progress bar = progress_start(app, "pictures");
    const char *page = mp_args_text(&app->args, "html", NULL);
    magpie_odd_options o = {.where = mp_args_text(&app->args, "where", NULL),
                            .normals = mp_args_text(&app->args, "normals", NULL),
                            .alpha = mp_args_number(&app->args, "alpha", 0.05),
                            .limit = (size_t)mp_args_int(&app->args, "limit", 20),
                            .on_progress = progress_tick,
                            .context = &bar};
    int code = app_open(app, APP_READ);
    if (code)
        return code;
    magpie_err err = magpie_odd_ones(app->library, &o, &odds, &why);
    progress_clear(&bar);
    if (err)
        return app_fail(app, err, &why);
    if (page)
        code = write_page(app, page, odds, o.normals);
    if (!code && app->json) {
        json_t *out = app_json(app);
        json_object_set_new(out, "action", json_string("find"));
        json_join(out, odds_json(odds));
        app_json_print(out);
    } else if (!code) {
        odds_print(app, odds);
    }
    magpie_odds_free(odds);
    return code;
}

static int run(mp_app *app)
{
    const char *word = app_operand(app, 0), *id = mp_args_text(&app->args, "heatmap", NULL);
    if (id)
        return heatmap(app, id);
    if (word && strcmp(word, "verdict") == 0)
        return verdict(app);
    if (word)
        return app_usage(app, "odd takes options or 'verdict ID normal|anomaly', not '%.60s'",
                         word);
    return find(app);
}

const mp_command command_odd = {
    .name = "odd",
    .summary = "Find the pictures that do not belong",
    .usage = "odd [--normals FILTER] [OPTION...]\nodd --heatmap ID OUT.png [--normals "
             "FILTER]\nodd verdict ID normal|anomaly",
    .about =
        "Orders pictures by how odd they are, with a p-value for each: those at or below --alpha "
        "are flagged. nearest is the plain score, 1 - cosine of the nearest other picture. The "
        "method that made the score is named. verdict records what you say; a normal one is not "
        "reported again.\n"
        "  magpie odd --normals 'tag:good' --where 'tag:today' --html odd.html\n"
        "  magpie odd --heatmap 12 where.png --normals 'tag:good'",
    OPTIONS_OF(rows),
    .words = "verdict",
    .operand = MP_OPERAND_FILES,
    .run = run,
};
