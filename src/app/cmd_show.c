/* cmd_show.c - everything that is known of an item. */
#include "app/commands.h"

#include <stdlib.h>

static void row(table *t, const char *key, const char *value)
{
    if (!*value)
        return;
    table_cell(t, PAINT_DIM, key);
    table_cell(t, PAINT_NONE, value);
}

static void words(mp_buf *out, const magpie_item *item)
{
    for (uint32_t bit = 1; bit <= MAGPIE_LOW_CONTRAST; bit <<= 1)
        if (item->issues & bit)
            mp_buf_printf(out, "%s%s", out->n ? ", " : "", magpie_issue_word(bit));
}

static void print_item(mp_app *app, const magpie_item *item)
{
    static const column columns[] = {{"", false, false}, {"", false, false}};
    static const char *const states[] = {"", "missing: no file at its path", "in the trash"};
    char text[256], a[TEXT_SMALL];
    mp_buf tags = {0}, issues = {0};
    table *t = table_new(columns, MP_COUNT(columns));
    for (size_t i = 0; i < item->n_tags; i++)
        mp_buf_printf(&tags, "%s%s", i ? ", " : "", item->tags[i]);
    words(&issues, item);
    snprintf(text, sizeof text, "#%lld", (long long)item->id);
    row(t, "id", text);
    row(t, "name", item->name);
    row(t, "path", item->path);
    row(t, "state", states[item->state]);
    row(t, "kept", item->copied ? "in the library" : "");
    row(t, "title", item->title);
    row(t, "description", item->description);
    row(t, "tags", tags.p ? tags.p : "");
    snprintf(text, sizeof text, "%s, %dx%d, %s", item->format, (int)item->width, (int)item->height,
             text_size(a, (double)item->bytes));
    row(t, "picture", text);
    if (item->taken_ms)
        row(t, "taken", text_instant(a, item->taken_ms));
    row(t, "modified", text_instant(a, item->mtime_ms));
    row(t, "added", text_instant(a, item->added_ms));
    snprintf(text, sizeof text, "sharpness %.1f, brightness %.2f, contrast %.2f, entropy %.2f",
             (double)item->sharpness, (double)item->brightness, (double)item->contrast,
             (double)item->entropy);
    row(t, "quality", text);
    row(t, "issues", issues.p ? issues.p : "");
    row(t, "sha256", item->sha256);
    snprintf(text, sizeof text, "%016llx", (unsigned long long)item->phash);
    row(t, "phash", text);
    table_print(t, &app->out, 0);
    table_free(t);
    mp_buf_free(&tags);
    mp_buf_free(&issues);
}

static int run(mp_app *app)
{
    int64_t *ids;
    size_t n;
    json_t *list = json_array();
    int code = app_ids(app, 0, &ids, &n);
    if (!code && n == 0)
        code = app_usage(app, "show which? Give ids");
    if (!code)
        code = app_open(app, APP_READ);
    for (size_t i = 0; !code && i < n; i++) {
        magpie_item *item;
        magpie_why why = {0};
        magpie_err err = magpie_get(app->library, ids[i], &item, &why);
        if (err) {
            code = app_fail(app, err, &why);
            break;
        }
        if (app->json)
            json_array_append_new(list, json_item(item));
        else
            print_item(app, item);
        if (!app->json && i + 1 < n)
            printf("\n");
        magpie_item_free(item);
    }
    if (!code && app->json) {
        json_t *o = app_json(app);
        json_object_set(o, "items", list);
        app_json_print(o);
    }
    json_decref(list);
    free(ids);
    return code;
}

const mp_command command_show = {
    .name = "show",
    .summary = "Show everything known of a picture",
    .usage = "show ID...",
    .about = "Shows items: where they are, what they are, their tags, dates, quality and hashes.",
    .run = run,
};
