/* subscribers.c - what follows events: daily figures, the audit log, and projects' notifications.
 *
 * One thread looks once a second. Each subscriber has a cursor in the database: figures and audit
 * rows are written in the transaction that moves it (exactly once); a notification is a job whose
 * idempotency key names the event, so that a crash between the two adds none twice.
 *
 * A project asks for notifications in its config:
 *   {"notifications": [{"channel": "webhook", "url": "https://...", "secret": "...",
 *                       "events": ["image.", "job.failed"]},
 *                      {"channel": "email", "to": "a@example.org", "events": ["job."]}]} */
#include "service/work.h"

#include "core/ports.h"
#include "meta/events.h"
#include "meta/projects.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 500 };

struct mp_subscribers {
    mp_worker *w;
    mp_meta *meta;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards ending */
    pthread_cond_t end;
    bool ending, started;
};

typedef struct page {
    const mp_event *event;
    size_t n;
    int64_t from, to;
    mp_arena *arena;
} page;

/* ---- analytics ---- */

static void day_of(int64_t ms, char out[16])
{
    struct tm t;
    time_t s = (time_t)(ms / 1000);
    gmtime_r(&s, &t);
    strftime(out, 16, "%Y-%m-%d", &t);
}

static mp_err count(struct mp_subscribers *s, const page *p, mp_why *why)
{
    mp_daily *rows = mp_arena_alloc(p->arena, (p->n + 1) * sizeof *rows);
    if (!rows)
        return mp_fail(why, MP_NOMEM, "no memory for the figures");
    for (size_t i = 0; i < p->n; i++) {
        char day[16];
        day_of(p->event[i].at_ms, day);
        rows[i] = (mp_daily){.day = mp_arena_strdup(p->arena, mp_str_of(day)),
                             .project_id = p->event[i].project_id,
                             .name = p->event[i].type,
                             .value = 1};
    }
    mp_tally tally = {"analytics", p->from, p->to, rows, p->n};
    return mp_meta_count_events(s->meta, &tally, why);
}

/* ---- audit ---- */

static mp_err audit(struct mp_subscribers *s, const page *p, mp_why *why)
{
    return mp_meta_audit_events(s->meta, "audit", p->from, p->to, why);
}

/* ---- notifications ---- */

static bool wants(const json_t *target, const char *type)
{
    const json_t *list = json_object_get(target, "events"), *prefix;
    size_t i;
    json_array_foreach(list, i, prefix)
    {
        const char *text = json_string_value(prefix);
        if (text && *text && strncmp(type, text, strlen(text)) == 0)
            return true;
    }
    return false;
}

static json_t *event_json(const mp_event *e)
{
    json_t *data = json_loads(e->data, JSON_DECODE_ANY, NULL);
    return json_pack("{s:I, s:s, s:I, s:I, s:I, s:s, s:o}", "id", (json_int_t)e->id, "type",
                     e->type, "at_ms", (json_int_t)e->at_ms, "project_id",
                     (json_int_t)e->project_id, "user_id", (json_int_t)e->user_id, "subject",
                     e->subject, "data", data ? data : json_object());
}

static json_t *params_for(const json_t *target, const mp_event *e)
{
    json_t *params = json_object();
    const char *channel = mp_work_text(target, "channel");
    json_object_set_new(params, "channel", json_string(channel));
    if (strcmp(channel, "email") == 0) {
        char text[256];
        snprintf(text, sizeof text, "%s: %s (project %lld)\n", e->type, e->subject,
                 (long long)e->project_id);
        json_object_set_new(params, "to", json_string(mp_work_text(target, "to")));
        json_object_set_new(params, "subject", json_string(e->type));
        json_object_set_new(params, "text", json_string(text));
    } else {
        json_object_set_new(params, "url", json_string(mp_work_text(target, "url")));
        json_object_set_new(params, "secret", json_string(mp_work_text(target, "secret")));
        json_object_set_new(params, "event", json_string(e->type));
        json_object_set_new(params, "data", event_json(e));
    }
    return params;
}

static mp_err add_notification(struct mp_subscribers *s, const mp_event *e, const json_t *target,
                               size_t number, mp_why *why)
{
    char key[64];
    int64_t id;
    json_t *params = params_for(target, e);
    char *text = json_dumps(params, JSON_COMPACT);
    snprintf(key, sizeof key, "event-%lld-%zu", (long long)e->id, number);
    mp_job job = {.type = "notification",
                  .project_id = e->project_id,
                  .params = text ? text : "{}",
                  .key = key};
    /* What somebody wrote into a config may be no notification at all. */
    mp_err err = mp_check_notify(params, s->w->opt.allow, NULL)
                     ? MP_OK
                     : mp_meta_add_job(s->meta, &job, &id, NULL, why);
    free(text);
    json_decref(params);
    return err == MP_EXISTS ? MP_OK : err; /* the target was changed since the crash */
}

/* Events of notifications' own jobs are told to nobody: they would never end. */
static bool is_echo(const mp_event *e)
{
    return strncmp(e->type, "job.", 4) == 0 && strstr(e->data, "\"notification\"");
}

/* What a project asks for. Events come in runs of one project: the last one's is kept. */
typedef struct asked {
    int64_t project_id; /* 0: of none yet */
    json_t *config;     /* NULL: the project is gone */
} asked;

static const json_t *targets_of(struct mp_subscribers *s, const page *p, int64_t project_id,
                                asked *kept)
{
    mp_project project;
    if (project_id != kept->project_id) {
        json_decref(kept->config);
        bool there = mp_meta_get_project(s->meta, project_id, 0, p->arena, &project, NULL) == MP_OK;
        *kept = (asked){project_id, there ? json_loads(project.config, 0, NULL) : NULL};
    }
    return json_object_get(kept->config, "notifications");
}

static mp_err notify(struct mp_subscribers *s, const page *p, mp_why *why)
{
    mp_err err = MP_OK;
    asked kept = {0};
    for (size_t i = 0; !err && i < p->n; i++) {
        const mp_event *e = &p->event[i];
        const json_t *target;
        size_t k;
        if (!e->project_id || is_echo(e))
            continue;
        json_array_foreach(targets_of(s, p, e->project_id, &kept), k, target)
        {
            if (!err && wants(target, e->type))
                err = add_notification(s, e, target, k, why);
        }
    }
    json_decref(kept.config);
    if (!err)
        err = mp_meta_advance_cursor(s->meta, "notification", p->to, why);
    mp_jobs_wake(s->w->jobs);
    return err;
}

/* ---- the thread ---- */

static const struct subscriber {
    const char *name;
    mp_err (*take)(struct mp_subscribers *s, const page *p, mp_why *why);
} subscribers[] = {{"analytics", count}, {"audit", audit}, {"notification", notify}};

/* True: there may be more. */
static bool follow(struct mp_subscribers *s, const struct subscriber *who)
{
    mp_why why = {0};
    mp_event *list = NULL;
    page p = {.arena = mp_arena_new(0)};
    mp_event_query query = {.limit = PAGE};
    mp_err err = mp_meta_get_cursor(s->meta, who->name, &p.from, &why);
    query.after = p.from;
    if (!err)
        err = mp_meta_list_events(s->meta, &query, p.arena, &list, &p.n, &why);
    if (!err && p.n) {
        p.event = list;
        p.to = list[p.n - 1].id;
        err = who->take(s, &p, &why);
    }
    /* EXISTS: another process follows too, and was quicker. */
    if (err && err != MP_EXISTS)
        mp_log(MP_LOG_WARN, "the subscriber %s waits: %s", who->name, why.text);
    mp_arena_free(p.arena);
    return !err && p.n == PAGE;
}

static void *run(void *context)
{
    struct mp_subscribers *s = context;
    pthread_mutex_lock(&s->mutex);
    while (!s->ending) {
        pthread_mutex_unlock(&s->mutex);
        bool more = false;
        for (size_t i = 0; i < MP_COUNT(subscribers); i++)
            more = follow(s, &subscribers[i]) || more;
        pthread_mutex_lock(&s->mutex);
        if (!more && !s->ending)
            (void)mp_cond_wait_until(&s->end, &s->mutex, mp_monotonic_s() + 1);
    }
    pthread_mutex_unlock(&s->mutex);
    return NULL;
}

struct mp_subscribers *mp_subscribers_open(mp_worker *w)
{
    struct mp_subscribers *s = mp_xcalloc(1, sizeof *s);
    *s = (struct mp_subscribers){.w = w, .meta = mp_core_meta(w->opt.library)};
    pthread_mutex_init(&s->mutex, NULL);
    mp_cond_open(&s->end);
    s->started = pthread_create(&s->thread, NULL, run, s) == 0;
    if (!s->started)
        mp_log(MP_LOG_ERROR, "no thread for the subscribers: events wait");
    return s;
}

void mp_subscribers_close(struct mp_subscribers *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->mutex);
    s->ending = true;
    pthread_cond_signal(&s->end);
    pthread_mutex_unlock(&s->mutex);
    if (s->started)
        pthread_join(s->thread, NULL);
    pthread_cond_destroy(&s->end);
    pthread_mutex_destroy(&s->mutex);
    free(s);
}
