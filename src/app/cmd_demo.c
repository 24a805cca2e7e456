/* cmd_demo.c - a tour of the library: words, look-alikes, copies and odd ones, on one page. */
#include "app/commands.h"
#include "app/stop.h"

#include <stdlib.h>
#include <string.h>

enum { HEATMAPS = 8, SHOWN = 8 };

static const mp_option rows[] = {
    {.name = "words",
     .type = MP_OPT_TEXT,
     .value = "WORDS",
     .fallback = "running shoes",
     .help = "What to search for."},
    {.name = "like",
     .type = MP_OPT_TEXT,
     .value = "ID",
     .help = "The picture whose look-alikes are shown (default: the first that the words find)."},
    {.name = "normals",
     .type = MP_OPT_TEXT,
     .value = "FILTER",
     .help = "The items that the odd ones are judged against (default: all)."},
    {.name = "html", .type = MP_OPT_PATH, .value = "FILE", .help = "Write all of it as one page."},
};

typedef struct demo {
    mp_app *app;
    html page;
    bool paged;
    json_t *json; /* NULL: printed */
    int64_t like;
} demo;

static void heading(demo *d, const char *title, const char *intro)
{
    if (d->paged)
        html_section(&d->page, title, intro);
    if (d->json)
        return;
    printf("\n");
    char *shown = app_escaped(title);
    term_print(&d->app->out, PAINT_BOLD, shown);
    printf("\n");
    free(shown);
}

static magpie_err search(demo *d, const char *key, magpie_term wanted, int64_t *first,
                         magpie_why *why)
{
    magpie_hits *hits;
    magpie_query q = {.terms = &wanted, .n_terms = 1, .k = SHOWN};
    magpie_err err = magpie_search(d->app->library, &q, &hits, why);
    if (err)
        return err;
    if (first && hits->n)
        *first = hits->hit[0].id;
    if (d->paged)
        hits_html(&d->page, hits);
    if (d->json)
        json_object_set_new(d->json, key, hits_json(hits));
    else
        hits_print(d->app, hits);
    magpie_hits_free(hits);
    return MAGPIE_OK;
}

static magpie_err find_words(demo *d, magpie_why *why)
{
    char title[256];
    const char *words = mp_args_text(&d->app->args, "words", "running shoes");
    snprintf(title, sizeof title, "Pictures from words: \"%.200s\"", words);
    heading(d, title, "The words are matched with what the model sees, and with names and tags.");
    magpie_term wanted = {.kind = MAGPIE_TEXT, .text = words, .weight = 1};
    return search(d, "words", wanted, d->like ? NULL : &d->like, why);
}

static magpie_err first_item(demo *d, magpie_why *why)
{
    magpie_item **items;
    size_t n;
    magpie_err err = magpie_list(d->app->library, NULL, 0, 1, &items, &n, why);
    if (err)
        return err;
    d->like = n ? items[0]->id : 0;
    magpie_items_free(items, n);
    return MAGPIE_OK;
}

static magpie_err find_alike(demo *d, magpie_why *why)
{
    char title[64];
    magpie_item *item;
    magpie_err err = d->like ? MAGPIE_OK : first_item(d, why);
    if (err || !d->like)
        return err;
    snprintf(title, sizeof title, "Look-alikes of #%lld", (long long)d->like);
    err = magpie_get(d->app->library, d->like, &item, why);
    if (err)
        return err;
    heading(d, title, "The first is the picture that was asked for.");
    if (d->paged) {
        html_card card = {.id = item->id,
                          .path = item->path,
                          .name = item->name,
                          .badge = "asked for",
                          .tone = HTML_GOOD};
        html_add(&d->page, &card);
    }
    if (!d->json) {
        char *shown = app_escaped(app_label(item->path, item->name));
        printf("asked for: %s\n", shown);
        free(shown);
    }
    magpie_item_free(item);
    magpie_term wanted = {.kind = MAGPIE_ID, .id = d->like, .weight = 1};
    return search(d, "alike", wanted, NULL, why);
}

static magpie_err find_copies(demo *d, magpie_why *why)
{
    magpie_groups *groups;
    progress bar = progress_start(d->app, "pictures");
    magpie_dupe_options o = {.on_progress = progress_tick, .context = &bar};
    magpie_err err = magpie_duplicates(d->app->library, &o, &groups, why);
    progress_clear(&bar);
    if (err)
        return err;
    heading(d, "Copies of the same picture",
            "Each group shows one picture, changed; the one to keep comes first.");
    if (d->paged)
        groups_html(&d->page, groups);
    if (d->json)
        json_object_set_new(d->json, "dupes", groups_json(groups));
    else
        groups_print(d->app, groups);
    magpie_groups_free(groups);
    return MAGPIE_OK;
}

static magpie_err find_odd(demo *d, magpie_why *why)
{
    magpie_odds *odds;
    progress bar = progress_start(d->app, "pictures");
    magpie_odd_options o = {.normals = mp_args_text(&d->app->args, "normals", NULL),
                            .limit = SHOWN,
                            .on_progress = progress_tick,
                            .context = &bar};
    magpie_err err = magpie_odd_ones(d->app->library, &o, &odds, why);
    progress_clear(&bar);
    if (err == MAGPIE_INVALID) { /* too few pictures to judge: the tour goes on */
        heading(d, "Odd ones", why->text);
        if (!d->json)
            printf("%s\n", why->text);
        return MAGPIE_OK;
    }
    if (err)
        return err;
    heading(d, "Odd ones", "Bright regions are where a picture departs most from the others.");
    if (d->paged)
        odds_html(&d->page, odds, o.normals, HEATMAPS);
    if (d->json)
        json_object_set_new(d->json, "odd", odds_json(odds));
    else
        odds_print(d->app, odds);
    magpie_odds_free(odds);
    return MAGPIE_OK;
}

static int tour(demo *d)
{
    static magpie_err (*const parts[])(demo * d, magpie_why * why) = {find_words, find_alike,
                                                                      find_copies, find_odd};
    for (size_t i = 0; i < MP_COUNT(parts); i++) {
        magpie_why why = {0};
        magpie_err err = stop_asked() ? MAGPIE_CANCELLED : parts[i](d, &why);
        if (err)
            return app_fail(d->app, err, &why);
    }
    return EXIT_DONE;
}

static int run(mp_app *app)
{
    demo d = {.app = app};
    mp_why why = {0};
    mp_err err = MP_OK;
    const char *path = mp_args_text(&app->args, "html", NULL);
    const char *like = mp_args_text(&app->args, "like", NULL);
    if (like && !app_parse_id(like, &d.like))
        return app_usage(app, "'%.100s' is not an id", like);
    int code = app_open(app, APP_READ);
    if (code)
        return code;
    if (path)
        err = html_open(&d.page, app, path, "What magpie sees", &why);
    if (err)
        return app_fail_inner(app, err, &why);
    d.paged = path != NULL;
    d.json = app->json ? app_json(app) : NULL;
    code = tour(&d);
    if (!code && d.paged)
        err = html_commit(&d.page, &why);
    if (d.paged)
        html_abandon(&d.page);
    if (err)
        code = app_fail_inner(app, err, &why);
    if (!code && d.json) {
        app_json_print(d.json);
        d.json = NULL;
    } else if (!code && path) {
        char *shown = app_escaped(path);
        app_note(app, PAINT_NONE, "\nwrote %s", shown);
        free(shown);
    }
    json_decref(d.json);
    return code;
}

const mp_command command_demo = {
    .name = "demo",
    .summary = "Show words, look-alikes, copies and odd ones on your pictures",
    .usage = "demo [--words WORDS] [--html FILE]",
    .about = "Runs one text search, one look-alike search, the duplicates and the odd ones on the "
             "library, prints them, and writes them as one page.\n"
             "  magpie demo --html demo.html",
    OPTIONS_OF(rows),
    .run = run,
};
