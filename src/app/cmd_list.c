/* cmd_list.c - lists items, page by page, so that a large library needs no large memory. */
#include "app/commands.h"
#include "app/stop.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE = 500 };

static const mp_option rows[] = {
    OPTION_WHERE,
    {.name = "limit",
     .letter = 'k',
     .type = MP_OPT_INT,
     .value = "N",
     .fallback = "0",
     .min = 0,
     .max = 1e12,
     .help = "At most this many; 0: all."},
    {.name = "after",
     .type = MP_OPT_INT,
     .value = "ID",
     .fallback = "0",
     .min = 0,
     .max = 9e18,
     .help = "Only items with a higher id."},
    {.name = "paths", .type = MP_OPT_FLAG, .help = "Print paths alone, one per line."},
    {.name = "null",
     .letter = '0',
     .type = MP_OPT_FLAG,
     .help = "Print paths alone, each ended by a NUL: for xargs -0."},
};

static void add_row(table *t, const magpie_item *item)
{
    char a[TEXT_SMALL];
    mp_buf tags = {0};
    for (size_t i = 0; i < item->n_tags; i++)
        mp_buf_printf(&tags, "%s%s", i ? ", " : "", item->tags[i]);
    table_cellf(t, PAINT_DIM, "#%lld", (long long)item->id);
    table_cellf(t, PAINT_NONE, "%dx%d", (int)item->width, (int)item->height);
    table_cell(t, PAINT_NONE, item->format);
    table_cell(t, PAINT_NONE, text_size(a, (double)item->bytes));
    table_cell(t, PAINT_NONE, text_day(a, item->taken_ms ? item->taken_ms : item->mtime_ms));
    table_cell(t, item->state == MAGPIE_PRESENT ? PAINT_NONE : PAINT_WARN,
               item->state == MAGPIE_MISSING   ? "missing"
               : item->state == MAGPIE_TRASHED ? "trashed"
                                               : "");
    table_cell(t, PAINT_GOOD, tags.p ? tags.p : "");
    table_cell(t, PAINT_NONE, app_label(item->path, item->name));
    mp_buf_free(&tags);
}

static void print_page(mp_app *app, magpie_item **items, size_t n, bool first)
{
    static const column titled[] = {{"id", true, false},    {"pixels", true, false},
                                    {"kind", false, false}, {"size", true, false},
                                    {"date", false, false}, {"", false, false},
                                    {"tags", false, true},  {"picture", false, true}};
    static const column plain[] = {{"", true, false}, {"", true, false},  {"", false, false},
                                   {"", true, false}, {"", false, false}, {"", false, false},
                                   {"", false, true}, {"", false, true}};
    table *t = table_new(first ? titled : plain, MP_COUNT(plain));
    for (size_t i = 0; i < n; i++)
        add_row(t, items[i]);
    table_print(t, &app->out, 0);
    table_free(t);
}

static void print_paths(const mp_app *app, magpie_item **items, size_t n, bool null)
{
    for (size_t i = 0; i < n; i++) {
        const char *path = items[i]->path;
        if (!*path)
            continue;
        if (null) {
            fwrite(path, 1, strlen(path) + 1, stdout);
        } else {
            char *shown = app->out.tty ? app_escaped(path) : NULL;
            printf("%s\n", shown ? shown : path);
            free(shown);
        }
    }
}

static void print_json(magpie_item **items, size_t n, bool first)
{
    for (size_t i = 0; i < n; i++) {
        json_t *o = json_item(items[i]);
        char *text = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(7));
        printf("%s%s", first && i == 0 ? "" : ",", text ? text : "null");
        free(text);
        json_decref(o);
    }
}

static void print_some(mp_app *app, magpie_item **items, size_t n, bool first)
{
    bool null = mp_args_flag(&app->args, "null");
    if (app->json)
        print_json(items, n, first);
    else if (null || mp_args_flag(&app->args, "paths"))
        print_paths(app, items, n, null);
    else if (n)
        print_page(app, items, n, first);
}

static int run(mp_app *app)
{
    uint64_t limit = (uint64_t)mp_args_int(&app->args, "limit", 0), shown = 0;
    int64_t after = mp_args_int(&app->args, "after", 0);
    const char *where = mp_args_text(&app->args, "where", NULL);
    char a[TEXT_SMALL];
    size_t n = PAGE;
    if (mp_args_operands(&app->args))
        return app_usage(app, "list takes no operand; to choose: --where 'name:*.png'");
    int code = app_open(app, APP_READ);
    bool begun = false;
    while (!code && n == PAGE && (!limit || shown < limit) && !stop_asked()) {
        magpie_item **items;
        magpie_why why = {0};
        size_t want = limit ? MP_MIN((uint64_t)PAGE, limit - shown) : PAGE;
        magpie_err err = magpie_list(app->library, where, after, want, &items, &n, &why);
        if (err) {
            if (begun && app->json)
                printf("]}\n"); /* the object that was begun stays well-formed */
            return app_fail(app, err, &why);
        }
        if (app->json && !begun)
            printf("{\"command\":\"list\",\"format\":1,\"items\":[");
        print_some(app, items, n, !begun);
        begun = true;
        after = n ? items[n - 1]->id : after;
        shown += n;
        magpie_items_free(items, n);
    }
    if (!code && app->json)
        printf("%s],\"count\":%llu}\n",
               begun ? "" : "{\"command\":\"list\",\"format\":1,\"items\":[",
               (unsigned long long)shown);
    else if (!code && app->out.tty && !mp_args_flag(&app->args, "null"))
        app_note(app, PAINT_DIM, "%s %s", text_count(a, shown),
                 text_plural(shown, "picture", "pictures"));
    return code ? code : stop_asked() ? EXIT_INTERRUPTED : EXIT_DONE;
}

const mp_command command_list = {
    .name = "list",
    .summary = "List the pictures",
    .usage = "list [--where FILTER] [OPTION...]",
    .about =
        "Lists items by id. A filter is an expression of tag:holiday, -tag:draft, "
        "folder:2024/rome, name:*.png, format:jpeg, size>200kb, width>=1920, height<800, "
        "date>=2024-05, date:2024, added>2024-01-01, issue:blurred, state:missing and id:12, "
        "joined "
        "by AND (or a blank), OR, NOT (or -) and parentheses; values with blanks stand in double "
        "quotes.\n"
        "  magpie list --where 'folder:rome (format:png OR size>2mb)'\n"
        "  magpie list --where state:missing -0 | xargs -0 ls -l",
    OPTIONS_OF(rows),
    .run = run,
};
