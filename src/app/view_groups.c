/* view_groups.c - duplicate groups for terminals, programs and pages. */
#include "app/commands.h"

static int64_t saved_by(const magpie_groups *groups)
{
    int64_t sum = 0;
    for (size_t i = 0; i < groups->n; i++)
        sum += groups->group[i].bytes_saved;
    return sum;
}

static void print_group(mp_app *app, const magpie_group *g, size_t number)
{
    static const column columns[] = {{"", false, false}, {"", true, false}, {"", true, false},
                                     {"", true, false},  {"", true, false}, {"", false, true},
                                     {"", false, true}};
    char a[TEXT_SMALL], b[TEXT_SMALL];
    term_printf(&app->out, PAINT_BOLD, "Group %zu", number);
    printf(": %zu pictures, saves %s, weakest link %s (#%lld, #%lld)\n", g->n,
           text_size(a, (double)g->bytes_saved), text_score(b, g->weakest), (long long)g->weakest_a,
           (long long)g->weakest_b);
    table *t = table_new(columns, MP_COUNT(columns));
    for (size_t i = 0; i < g->n; i++) {
        const magpie_member *m = &g->member[i];
        table_cell(t, PAINT_GOOD, m->keep ? "keep" : "");
        table_cell(t, PAINT_NONE, text_score(a, m->score));
        table_cellf(t, PAINT_DIM, "#%lld", (long long)m->id);
        table_cellf(t, PAINT_NONE, "%dx%d", (int)m->width, (int)m->height);
        table_cell(t, PAINT_NONE, text_size(a, (double)m->bytes));
        table_cell(t, PAINT_NONE, app_label(m->path, m->name));
        table_cell(t, PAINT_DIM, m->reason);
    }
    table_print(t, &app->out, 2);
    table_free(t);
}

static void print_not_compared(const magpie_groups *groups)
{
    if (groups->not_compared)
        printf("%zu %s could not be read and %s compared with no other: %s\n", groups->not_compared,
               text_plural(groups->not_compared, "picture", "pictures"),
               text_plural(groups->not_compared, "was", "were"), groups->not_compared_text);
}

void groups_print(mp_app *app, const magpie_groups *groups)
{
    char a[TEXT_SMALL];
    if (groups->n == 0) {
        printf("no duplicates\n");
        print_not_compared(groups);
        return;
    }
    for (size_t i = 0; i < groups->n; i++) {
        print_group(app, &groups->group[i], i + 1);
        printf("\n");
    }
    printf("%zu %s; keeping one of each saves %s\n", groups->n,
           text_plural(groups->n, "group", "groups"), text_size(a, (double)saved_by(groups)));
    print_not_compared(groups);
}

static json_t *member_json(const magpie_member *m)
{
    json_t *o = json_object();
    json_object_set_new(o, "id", json_integer(m->id));
    json_object_set_new(o, "path", json_text(m->path));
    json_object_set_new(o, "name", json_text(m->name));
    json_object_set_new(o, "width", json_integer(m->width));
    json_object_set_new(o, "height", json_integer(m->height));
    json_object_set_new(o, "bytes", json_integer(m->bytes));
    json_object_set_new(o, "keep", json_boolean(m->keep));
    json_object_set_new(o, "score", json_float(m->score));
    json_object_set_new(o, "reason", json_text(m->reason));
    return o;
}

json_t *groups_json(const magpie_groups *groups)
{
    json_t *o = json_object(), *list = json_array();
    for (size_t i = 0; i < groups->n; i++) {
        const magpie_group *g = &groups->group[i];
        json_t *row = json_object(), *members = json_array(), *weakest = json_object();
        for (size_t j = 0; j < g->n; j++)
            json_array_append_new(members, member_json(&g->member[j]));
        json_object_set_new(weakest, "score", json_float(g->weakest));
        json_object_set_new(weakest, "a", json_integer(g->weakest_a));
        json_object_set_new(weakest, "b", json_integer(g->weakest_b));
        json_object_set_new(row, "members", members);
        json_object_set_new(row, "weakest", weakest);
        json_object_set_new(row, "bytes_saved", json_integer(g->bytes_saved));
        json_array_append_new(list, row);
    }
    json_object_set_new(o, "kind",
                        json_string(groups->kind == MAGPIE_SIMILAR ? "similar" : "same"));
    json_object_set_new(o, "threshold", json_float(groups->threshold));
    json_object_set_new(o, "bytes_saved", json_integer(saved_by(groups)));
    json_object_set_new(o, "not_compared", json_integer((json_int_t)groups->not_compared));
    json_object_set_new(o, "groups", list);
    return o;
}

void groups_html(html *h, const magpie_groups *groups)
{
    char a[TEXT_SMALL], b[TEXT_SMALL], text[256], reason[512];
    if (groups->n == 0)
        html_note(h, "No duplicates.");
    for (size_t i = 0; i < groups->n; i++) {
        const magpie_group *g = &groups->group[i];
        snprintf(text, sizeof text, "%zu: %zu pictures, saves %s, weakest link %s", i + 1, g->n,
                 text_size(a, (double)g->bytes_saved), text_score(b, g->weakest));
        html_group(h, text);
        for (size_t j = 0; j < g->n; j++) {
            const magpie_member *m = &g->member[j];
            snprintf(reason, sizeof reason, "%s; %dx%d, %s", m->reason, (int)m->width,
                     (int)m->height, text_size(b, (double)m->bytes));
            html_card card = {.id = m->id,
                              .path = m->path,
                              .name = m->name,
                              .badge = m->keep ? "keep" : NULL,
                              .tone = m->keep ? HTML_GOOD : HTML_PLAIN,
                              .score = text_score(a, m->score),
                              .reason = m->keep ? m->reason
                                                : reason}; /* the kept one's reason has its size */
            html_add(h, &card);
        }
    }
}
