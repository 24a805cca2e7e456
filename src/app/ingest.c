/* ingest.c - see ingest.h. */
#include "app/ingest.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_TOLD_SKIPS = 10 }; /* a folder of documents must not flood the terminal */

static const paint paints[] = {
    [MAGPIE_ADDED] = PAINT_GOOD,  [MAGPIE_UNCHANGED] = PAINT_DIM, [MAGPIE_KNOWN] = PAINT_NONE,
    [MAGPIE_MOVED] = PAINT_NONE,  [MAGPIE_CHANGED] = PAINT_GOOD,  [MAGPIE_VANISHED] = PAINT_WARN,
    [MAGPIE_SKIPPED] = PAINT_DIM, [MAGPIE_REFUSED] = PAINT_BAD,
};

ingest_view ingest_view_of(mp_app *app, const char *const *named, size_t n_named)
{
    return (ingest_view){
        .bar = progress_start(app, "pictures"), .app = app, .named = named, .n_named = n_named};
}

static bool was_named(const ingest_view *v, const char *path)
{
    for (size_t i = 0; i < v->n_named; i++)
        if (strcmp(v->named[i], path) == 0)
            return true;
    return false;
}

static bool is_told(ingest_view *v, const magpie_file_event *e)
{
    if (e->outcome == MAGPIE_REFUSED || v->app->verbose)
        return true;
    if (e->outcome != MAGPIE_SKIPPED || v->app->quiet)
        return false;
    if (!was_named(v, e->path) && v->told_skips >= MAX_TOLD_SKIPS) {
        v->untold_skips++;
        return false;
    }
    v->told_skips++;
    return true;
}

static void event_json(const mp_app *app, const magpie_file_event *e)
{
    json_t *o = app_json(app);
    json_object_set_new(o, "event", json_string("file"));
    json_object_set_new(o, "path", json_text(e->path));
    json_object_set_new(o, "outcome", json_string(magpie_outcome_word(e->outcome)));
    json_object_set_new(o, "id", e->id ? json_integer(e->id) : json_null());
    json_object_set_new(o, "error", e->err ? json_string(magpie_err_word(e->err)) : json_null());
    json_object_set_new(o, "reason", json_text(e->reason));
    app_json_print(o);
}

void ingest_file(void *context, const magpie_file_event *e)
{
    ingest_view *v = context;
    if (v->app->json) {
        event_json(v->app, e);
        return;
    }
    if (!is_told(v, e))
        return;
    progress_clear(&v->bar);
    bool bad = e->outcome == MAGPIE_REFUSED || e->outcome == MAGPIE_SKIPPED;
    const term *t = bad ? &v->app->err : &v->app->out;
    char *path = app_escaped(e->path), *reason = app_escaped(e->reason);
    term_print(t, paints[e->outcome], magpie_outcome_word(e->outcome));
    fprintf(t->to, ": %s", path);
    if (e->id && v->app->verbose)
        fprintf(t->to, " (#%lld)", (long long)e->id);
    fprintf(t->to, "%s%s\n", *reason ? ": " : "", reason);
    fflush(t->to); /* what is told is durable: a kill must not take the line back */
    free(path);
    free(reason);
}

void ingest_summary(const magpie_add_report *report)
{
    char a[TEXT_SMALL], b[TEXT_SMALL];
    bool any = false;
    for (size_t i = 0; i < MP_COUNT(report->outcomes); i++) {
        if (!report->outcomes[i])
            continue;
        printf("%s%s %s", any ? ", " : "", magpie_outcome_word((magpie_outcome)i),
               text_count(a, report->outcomes[i]));
        any = true;
    }
    if (!any)
        printf("no files");
    uint64_t read = report->outcomes[MAGPIE_ADDED] + report->outcomes[MAGPIE_CHANGED];
    printf(" in %s", text_span(a, report->elapsed_s));
    if (read && report->elapsed_s > 0)
        printf(" (%.0f pictures/s, %s/s)", (double)read / report->elapsed_s,
               text_size(b, (double)report->bytes / report->elapsed_s));
    printf("\n");
}

json_t *ingest_json(const mp_app *app, const magpie_add_report *report)
{
    json_t *o = app_json(app);
    json_object_set_new(o, "event", json_string("summary"));
    for (size_t i = 0; i < MP_COUNT(report->outcomes); i++)
        json_object_set_new(o, magpie_outcome_word((magpie_outcome)i),
                            json_integer((json_int_t)report->outcomes[i]));
    json_object_set_new(o, "bytes", json_integer((json_int_t)report->bytes));
    json_object_set_new(o, "elapsed_s", json_float(report->elapsed_s));
    json_object_set_new(o, "library", json_text(magpie_path(app->library)));
    return o;
}
