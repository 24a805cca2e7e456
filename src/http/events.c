/* events.c - what happens, as it happens: a stream that can be taken up again, a page of the past,
 * and daily figures. */
#include "http/items.h"
#include "http/server.h"
#include "http/stream.h"

#include "base/os.h"
#include "core/ports.h"
#include "meta/events.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE = 200, LONGEST_S = 15 * 60 /* then whether its user still may is asked anew */ };

static json_t *event_json(const mp_event *e)
{
    json_t *data = json_loads(e->data, JSON_DECODE_ANY, NULL);
    return json_pack("{s:I, s:s, s:o, s:I, s:I, s:s, s:o}", "id", (json_int_t)e->id, "type",
                     e->type, "at", mp_time_json(e->at_ms), "project_id", (json_int_t)e->project_id,
                     "user_id", (json_int_t)e->user_id, "subject", e->subject, "data",
                     data ? data : json_object());
}

/* What a stream may tell. Whose projects are asked for again with each news; the stream ends with
 * the time of an access token, so that whoever was shut out does not listen on. */
typedef struct listener {
    mp_meta *meta;
    int64_t user_id; /* 0: hears everything, or one project */
    double ends;
    bool begun; /* the id after which it begins is sent */
    mp_event_query query;
    int64_t *projects;
    char *prefix;
} listener;

static void free_listener(void *context)
{
    listener *l = context;
    free(l->projects);
    free(l->prefix);
    free(l);
}

static mp_err renew_reach(listener *l, mp_arena *arena)
{
    mp_reach *reach;
    size_t n;
    mp_err err = l->user_id ? mp_meta_reach(l->meta, l->user_id, arena, &reach, &n, NULL) : MP_OK;
    if (err || !l->user_id)
        return err;
    l->projects = mp_xrealloc(l->projects, (n + 1) * sizeof *l->projects);
    for (size_t i = 0; i < n; i++)
        l->projects[i] = reach[i].project_id;
    l->query.projects = l->projects;
    l->query.n_projects = n;
    return MP_OK;
}

static bool listen_on(void *context, mp_buf *out)
{
    listener *l = context;
    mp_event *list;
    size_t n = 0;
    int64_t newest = 0;
    /* Whoever loses the connection before the first event comes back to this place. */
    if (!l->begun)
        mp_stream_mark(out, l->query.after);
    l->begun = true;
    mp_arena *arena = mp_arena_new(0);
    mp_err err = mp_meta_last_event(l->meta, &newest, NULL);
    if (!err && newest > l->query.after)
        err = renew_reach(l, arena);
    if (!err && newest > l->query.after)
        err = mp_meta_list_events(l->meta, &l->query, arena, &list, &n, NULL);
    for (size_t i = 0; !err && i < n; i++) {
        json_t *o = event_json(&list[i]);
        char *text = json_dumps(o, JSON_COMPACT);
        if (text)
            mp_stream_event(out, list[i].id, list[i].type, text);
        free(text);
        json_decref(o);
        l->query.after = list[i].id;
    }
    if (!err && n < PAGE && newest > l->query.after)
        l->query.after = newest; /* what lies between is of others */
    mp_arena_free(arena);
    return mp_monotonic_s() < l->ends;
}

static int64_t *copy_reach(const mp_request *r, int64_t project, size_t *n)
{
    *n = project ? 1 : r->access.n;
    int64_t *ids = mp_xcalloc(*n + 1, sizeof *ids);
    for (size_t i = 0; !project && i < *n; i++)
        ids[i] = r->access.reach[i].project_id;
    if (project)
        ids[0] = project;
    return ids;
}

static bool wants_page(const mp_request *r)
{
    const char *accept = mp_request_header(r, "Accept");
    return accept && strstr(accept, "application/json") && !strstr(accept, "text/event-stream");
}

static void send_page(mp_request *r, const listener *l)
{
    mp_event *list;
    size_t n;
    mp_why why = {0};
    mp_err err = mp_meta_list_events(l->meta, &l->query, r->arena, &list, &n, &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return;
    }
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(rows, event_json(&list[i]));
    int64_t last = l->query.newest_first ? l->query.before : l->query.after;
    mp_reply_json(r, 200,
                  json_pack("{s:o, s:I}", "events", rows, "last_id",
                            (json_int_t)(n ? list[n - 1].id : last)));
}

/* Of a page alone: a stream tells what comes. */
static bool read_order(mp_request *r, bool page, mp_event_query *q)
{
    long long before;
    int descending;
    if (!mp_request_number(r, "before", 1, INT64_MAX, 0, &before) ||
        !mp_request_choice(r, "order", "asc|desc", &descending))
        return false;
    q->before = page ? before : 0;
    q->newest_first = page && descending;
    return true;
}

/* Without `after` and Last-Event-ID a stream begins now, a page at the beginning. A browser comes
 * back to the same URL with a Last-Event-ID, so that one is the newer of the two. */
static bool read_after(mp_request *r, int64_t newest, long long *out)
{
    const char *last = mp_request_header(r, "Last-Event-ID");
    bool fine = mp_request_number(r, "after", 0, INT64_MAX, newest, out);
    if (fine && last && *last >= '0' && *last <= '9')
        *out = strtoll(last, NULL, 10);
    return fine;
}

void mp_handle_events(mp_request *r)
{
    long long after;
    int64_t project, newest = 0;
    mp_why why = {0};
    mp_event_query query = {.limit = PAGE};
    bool page = wants_page(r);
    mp_meta *meta = mp_core_meta(r->service->library);
    const char *type = mp_request_query(r, "type");
    mp_err err = page ? MP_OK : mp_meta_last_event(meta, &newest, &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return;
    }
    if (!read_after(r, newest, &after) || !mp_query_project(r, &project) ||
        !read_order(r, page, &query) || (project && !mp_project_reached(r, project, false)))
        return;
    listener *l = mp_xcalloc(1, sizeof *l);
    *l =
        (listener){.meta = meta,
                   .user_id = r->access.all || project ? 0 : r->user.id,
                   .ends = mp_monotonic_s() + MP_MIN(LONGEST_S, mp_auth_access_s(r->service->auth)),
                   .prefix = type ? mp_xstrdup(type) : NULL};
    l->query = query;
    l->query.after = after;
    l->query.prefix = l->prefix;
    if (!r->access.all || project) {
        l->projects = copy_reach(r, project, &l->query.n_projects);
        l->query.projects = l->projects;
    }
    if (page) {
        send_page(r, l);
        free_listener(l);
    } else {
        (void)mp_reply_stream(r, listen_on, l, free_listener);
    }
}

/* ---- daily figures ---- */

/* Days are compared as text: one of another shape would find nothing, or everything. */
static bool read_day(mp_request *r, const char *name, const char *otherwise, const char **out)
{
    static const char shape[] = "dddd-dd-dd";
    const char *text = mp_request_query(r, name);
    *out = text ? text : otherwise;
    bool fine = !text || strlen(text) == sizeof shape - 1;
    for (size_t i = 0; text && fine && shape[i]; i++)
        fine = shape[i] == 'd' ? text[i] >= '0' && text[i] <= '9' : text[i] == '-';
    int month = text && fine ? (text[5] - '0') * 10 + text[6] - '0' : 1;
    int date = text && fine ? (text[8] - '0') * 10 + text[9] - '0' : 1;
    if (fine && month >= 1 && month <= 12 && date >= 1 && date <= 31)
        return true;
    mp_reply_problem(r, 422, "%s must be a day: YYYY-MM-DD", name);
    return false;
}

void mp_handle_daily(mp_request *r)
{
    mp_daily *list;
    size_t n;
    int64_t project;
    mp_why why = {0};
    const char *from, *to;
    if (!read_day(r, "from", "0000-01-01", &from) || !read_day(r, "to", "9999-12-31", &to))
        return;
    if (!mp_query_project(r, &project) || (project && !mp_project_reached(r, project, false)))
        return;
    mp_daily_query query = {.from = from, .to = to, .name = mp_request_query(r, "name")};
    int64_t *ids = NULL;
    if (!r->access.all || project)
        ids = copy_reach(r, project, &query.n_projects);
    query.projects = ids;
    mp_err err =
        mp_meta_list_daily(mp_core_meta(r->service->library), &query, r->arena, &list, &n, &why);
    free(ids);
    if (err) {
        mp_reply_failure(r, err, &why);
        return;
    }
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(rows, json_pack("{s:s, s:I, s:s, s:I}", "day", list[i].day,
                                              "project_id", (json_int_t)list[i].project_id, "name",
                                              list[i].name, "value", (json_int_t)list[i].value));
    mp_reply_json(r, 200, json_pack("{s:o}", "days", rows));
}
