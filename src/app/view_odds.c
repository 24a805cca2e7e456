/* view_odds.c - odd ones for terminals, programs and pages. */
#include "app/commands.h"

#include <string.h>

static void judged_against(char *out, size_t cap, const magpie_odds *odds)
{
    if (odds->n_normals)
        snprintf(out, cap, "against %zu normal %s", odds->n_normals,
                 text_plural(odds->n_normals, "picture", "pictures"));
    else
        snprintf(out, cap, "each against all others");
}

void odds_print(mp_app *app, const magpie_odds *odds)
{
    static const column columns[] = {{"", false, false},  {"score", true, false},
                                     {"p", true, false},  {"nearest", true, false},
                                     {"id", true, false}, {"picture", false, true}};
    char a[TEXT_SMALL];
    table *t = table_new(columns, MP_COUNT(columns));
    for (size_t i = 0; i < odds->n; i++) {
        const magpie_odd *o = &odds->odd[i];
        table_cell(t, PAINT_BAD, o->flagged ? "odd" : "");
        table_cell(t, PAINT_BOLD, text_score(a, o->score));
        table_cell(t, PAINT_NONE, text_score(a, o->p));
        table_cell(t, PAINT_NONE, text_score(a, o->nearest));
        table_cellf(t, PAINT_DIM, "#%lld", (long long)o->id);
        table_cell(t, PAINT_NONE, app_label(o->path, o->name));
    }
    if (odds->n)
        table_print(t, &app->out, 0);
    table_free(t);
    char against[64];
    judged_against(against, sizeof against, odds);
    printf("%zu flagged at a false-alarm rate of %g (method %s, %s)\n", odds->n_flagged,
           odds->alpha, odds->method, against);
}

json_t *odds_json(const magpie_odds *odds)
{
    json_t *o = json_object(), *list = json_array();
    for (size_t i = 0; i < odds->n; i++) {
        const magpie_odd *odd = &odds->odd[i];
        json_t *row = json_object();
        json_object_set_new(row, "rank", json_integer((json_int_t)i + 1));
        json_object_set_new(row, "id", json_integer(odd->id));
        json_object_set_new(row, "score", json_float(odd->score));
        json_object_set_new(row, "nearest", json_float(odd->nearest));
        json_object_set_new(row, "p", json_float(odd->p));
        json_object_set_new(row, "flagged", json_boolean(odd->flagged));
        json_object_set_new(row, "path", json_text(odd->path));
        json_object_set_new(row, "name", json_text(odd->name));
        json_array_append_new(list, row);
    }
    json_object_set_new(o, "method", json_text(odds->method));
    json_object_set_new(o, "alpha", json_float(odds->alpha));
    json_object_set_new(o, "flagged", json_integer((json_int_t)odds->n_flagged));
    json_object_set_new(o, "normals", json_integer((json_int_t)odds->n_normals));
    json_object_set_new(o, "items", list);
    return o;
}

void odds_html(html *h, const magpie_odds *odds, const char *normals, size_t heatmaps)
{
    char a[TEXT_SMALL], text[256], reason[128], against[64];
    judged_against(against, sizeof against, odds);
    snprintf(text, sizeof text,
             "%zu flagged at a false-alarm rate of %g; method %s, %s. p: the share of normal "
             "pictures that would look at least this odd.",
             odds->n_flagged, odds->alpha, odds->method, against);
    html_note(h, text);
    for (size_t i = 0; i < odds->n; i++) {
        const magpie_odd *o = &odds->odd[i];
        uint8_t *overlay = NULL;
        size_t n = 0;
        if (i >= heatmaps ||
            magpie_heatmap(h->app->library, o->id, normals, &overlay, &n, NULL) != MAGPIE_OK)
            overlay = NULL;
        snprintf(reason, sizeof reason, "p %.3f, nearest %.3f", o->p, (double)o->nearest);
        html_card card = {.id = o->id,
                          .path = o->path,
                          .name = o->name,
                          .badge = o->flagged ? "odd" : NULL,
                          .tone = o->flagged ? HTML_BAD : HTML_PLAIN,
                          .score = text_score(a, o->score),
                          .reason = reason,
                          .picture = overlay,
                          .picture_n = n,
                          .mime = "image/png"};
        html_add(h, &card);
        magpie_free(overlay);
    }
}
