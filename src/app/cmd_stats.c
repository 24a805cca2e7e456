/* cmd_stats.c - what a library holds. */
#include "app/commands.h"

#include <stdlib.h>

static void row(table *t, const char *key, const char *value)
{
    table_cell(t, PAINT_DIM, key);
    table_cell(t, PAINT_NONE, value);
}

static void count_row(table *t, const char *key, uint64_t n)
{
    char a[TEXT_SMALL];
    if (n)
        row(t, key, text_count(a, n));
}

static void print(mp_app *app, const magpie_stats *s)
{
    static const column columns[] = {{"", false, false}, {"", false, false}};
    char a[TEXT_SMALL], text[128];
    table *t = table_new(columns, MP_COUNT(columns));
    row(t, "library", magpie_path(app->library));
    row(t, "pictures", text_count(a, s->items));
    count_row(t, "  missing files", s->missing);
    count_row(t, "  in the trash", s->trashed);
    count_row(t, "  kept in the library", s->copied);
    row(t, "size of pictures", text_size(a, (double)s->bytes_pictures));
    row(t, "size of library", text_size(a, (double)s->bytes_library));
    row(t, "  thumbnails", text_size(a, (double)s->bytes_thumbnails));
    snprintf(text, sizeof text, "%s (%.12s)", s->model, s->model_sha256);
    row(t, "model", text);
    row(t, "vectors", text_count(a, s->vectors));
    row(t, "  different ones", text_count(a, s->distinct_vectors));
    row(t, "index", s->index);
    count_row(t, "tags", s->tags);
    count_row(t, "verdicts", s->verdicts);
    for (uint32_t i = 0; i < 5; i++)
        count_row(t, magpie_issue_word(1u << i), s->issues[i]);
    table_print(t, &app->out, 0);
    table_free(t);
}

static json_t *to_json(const mp_app *app, const magpie_stats *s)
{
    json_t *o = app_json(app), *issues = json_object();
    const struct {
        const char *key;
        uint64_t n;
    } rows[] = {{"items", s->items},
                {"missing", s->missing},
                {"trashed", s->trashed},
                {"copied", s->copied},
                {"vectors", s->vectors},
                {"distinct_vectors", s->distinct_vectors},
                {"bytes_pictures", s->bytes_pictures},
                {"bytes_library", s->bytes_library},
                {"bytes_thumbnails", s->bytes_thumbnails},
                {"tags", s->tags},
                {"verdicts", s->verdicts}};
    json_object_set_new(o, "library", json_text(magpie_path(app->library)));
    for (size_t i = 0; i < MP_COUNT(rows); i++)
        json_object_set_new(o, rows[i].key, json_integer((json_int_t)rows[i].n));
    for (uint32_t i = 0; i < 5; i++)
        json_object_set_new(issues, magpie_issue_word(1u << i),
                            json_integer((json_int_t)s->issues[i]));
    json_object_set_new(o, "issues", issues);
    json_object_set_new(o, "model", json_text(s->model));
    json_object_set_new(o, "model_sha256", json_text(s->model_sha256));
    json_object_set_new(o, "index", json_text(s->index));
    return o;
}

static int run(mp_app *app)
{
    magpie_stats s;
    magpie_why why = {0};
    int code = app_open(app, APP_READ);
    if (code)
        return code;
    magpie_err err = magpie_get_stats(app->library, &s, &why);
    if (err)
        return app_fail(app, err, &why);
    if (app->json)
        app_json_print(to_json(app, &s));
    else
        print(app, &s);
    return EXIT_DONE;
}

const mp_command command_stats = {
    .name = "stats",
    .summary = "Count what the library holds",
    .usage = "stats",
    .about = "Shows how many pictures, vectors, tags and quality issues there are, how large all "
             "is, and which model and index are in use.",
    .run = run,
};
