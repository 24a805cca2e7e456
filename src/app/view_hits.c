/* view_hits.c - search results for terminals, programs and pages. */
#include "app/commands.h"

#include <math.h>
#include <stdlib.h>

static void print_none(mp_app *app, const magpie_hits *hits)
{
    char a[TEXT_SMALL], b[TEXT_SMALL], *note = app_escaped(hits->note);
    term_print(&app->out, PAINT_WARN, "no good match");
    if (isfinite(hits->best))
        printf(" (the best scores %s; %s or more would convince)", text_score(a, hits->best),
               text_score(b, hits->floor));
    printf("\n");
    if (*note)
        printf("%s\n", note);
    app_note(app, PAINT_DIM, "--all shows the nearest ones all the same");
    free(note);
}

void hits_print(mp_app *app, const magpie_hits *hits)
{
    static const column columns[] = {{"score", true, false},
                                     {"id", true, false},
                                     {"picture", false, true},
                                     {"why", false, true}};
    char a[TEXT_SMALL];
    if (!hits->convincing && hits->n == 0) {
        print_none(app, hits);
        return;
    }
    table *t = table_new(columns, MP_COUNT(columns));
    for (size_t i = 0; i < hits->n; i++) {
        const magpie_hit *h = &hits->hit[i];
        table_cell(t, PAINT_BOLD, text_score(a, h->score));
        table_cellf(t, PAINT_DIM, "#%lld", (long long)h->id);
        table_cell(t, PAINT_NONE, app_label(h->path, h->name));
        table_cell(t, PAINT_DIM, h->reason);
    }
    table_print(t, &app->out, 0);
    table_free(t);
    if (*hits->note) {
        char *note = app_escaped(hits->note);
        app_note(app, PAINT_DIM, "%s", note);
        free(note);
    }
}

json_t *hits_json(const magpie_hits *hits)
{
    json_t *o = json_object(), *list = json_array();
    for (size_t i = 0; i < hits->n; i++) {
        const magpie_hit *h = &hits->hit[i];
        json_t *row = json_object();
        json_object_set_new(row, "rank", json_integer((json_int_t)i + 1));
        json_object_set_new(row, "id", json_integer(h->id));
        json_object_set_new(row, "score", json_float(h->score));
        json_object_set_new(row, "picture", json_float(h->picture));
        json_object_set_new(row, "words", json_float(h->words));
        json_object_set_new(row, "path", json_text(h->path));
        json_object_set_new(row, "name", json_text(h->name));
        json_object_set_new(row, "reason", json_text(h->reason));
        json_array_append_new(list, row);
    }
    json_object_set_new(o, "convincing", json_boolean(hits->convincing));
    json_object_set_new(o, "measure", json_text(hits->measure));
    json_object_set_new(o, "floor", json_float(hits->floor));
    json_object_set_new(o, "best", json_float(hits->best));
    json_object_set_new(o, "note", json_text(hits->note));
    json_object_set_new(o, "model", json_text(hits->model));
    json_object_set_new(o, "hits", list);
    return o;
}

void hits_html(html *h, const magpie_hits *hits)
{
    char a[TEXT_SMALL], b[TEXT_SMALL], text[256];
    if (!hits->convincing && hits->n == 0) {
        snprintf(text, sizeof text, "No good match: the best scores %s; %s or more would convince.",
                 text_score(a, hits->best), text_score(b, hits->floor));
        html_note(h, text);
    }
    if (*hits->note)
        html_note(h, hits->note);
    for (size_t i = 0; i < hits->n; i++) {
        const magpie_hit *hit = &hits->hit[i];
        html_card card = {.id = hit->id,
                          .path = hit->path,
                          .name = hit->name,
                          .score = text_score(a, hit->score),
                          .reason = hit->reason};
        html_add(h, &card);
    }
}
