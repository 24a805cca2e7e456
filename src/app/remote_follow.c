/* remote_follow.c - see remote_follow.h. Server-sent events (HTML standard, 9.2): a thread reads
 * the stream into a pipe, the main thread takes it apart and prints. */
#include "app/remote_follow.h"

#include "app/stop.h"
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST_LINE = 1 << 20, TRIES = 5 };

typedef struct stream {
    const remote *r;
    char *path, *last; /* last: the header with the last line's id */
    int to;
    int status;
    mp_err err;
    mp_why why;
} stream;

typedef struct view {
    mp_app *app;
    mp_buf line, data;
    char event[32];
    int64_t id, last; /* of this event; of the last that was told */
    bool told, ended, completed;
} view;

/* ---- what is told ---- */

static void tell_json(const view *v, json_t *data)
{
    json_t *o = app_json(v->app);
    json_object_set_new(o, "event", json_string(v->event));
    json_object_update(o, data);
    app_json_print(o);
}

static void tell_line(const view *v, const json_t *data)
{
    char *text = app_escaped(remote_text(data, "text")), *at = app_escaped(remote_text(data, "at"));
    const char *level = remote_text(data, "level");
    paint p = strcmp(level, "error") == 0  ? PAINT_BAD
              : strcmp(level, "warn") == 0 ? PAINT_WARN
                                           : PAINT_NONE;
    term_printf(&v->app->out, PAINT_DIM, "%s  ", at);
    term_print(&v->app->out, p, text);
    printf("\n");
    fflush(stdout);
    free(text);
    free(at);
}

static void tell_status(view *v, const json_t *data)
{
    char *status = app_escaped(remote_text(data, "status"));
    int64_t done = remote_number(data, "done"), total = remote_number(data, "total");
    if (total)
        app_note(v->app, PAINT_DIM, "%s  %lld/%lld", status, (long long)done, (long long)total);
    else
        app_note(v->app, PAINT_DIM, "%s", status);
    free(status);
}

static void end_event(view *v)
{
    json_t *data = v->data.n ? json_loadb(v->data.p, v->data.n, 0, NULL) : NULL;
    bool log = strcmp(v->event, "log") == 0, status = strcmp(v->event, "status") == 0;
    if (status) {
        const char *word = remote_text(data, "status");
        v->completed = strcmp(word, "completed") == 0;
        v->ended = *word && strcmp(word, "queued") != 0 && strcmp(word, "processing") != 0;
    }
    if (data && (log || status) && v->app->json)
        tell_json(v, data);
    else if (data && log)
        tell_line(v, data);
    else if (data && status)
        tell_status(v, data);
    v->told = v->told || data;
    v->last = log && v->id ? v->id : v->last;
    v->id = 0;
    *v->event = '\0';
    v->data.n = 0;
    json_decref(data);
}

/* ---- the stream's lines ---- */

static void take_line(view *v)
{
    const char *line = v->line.p ? v->line.p : "";
    if (!*line)
        end_event(v);
    else if (strncmp(line, "event: ", 7) == 0)
        snprintf(v->event, sizeof v->event, "%s", line + 7);
    else if (strncmp(line, "id: ", 4) == 0)
        v->id = strtoll(line + 4, NULL, 10);
    else if (strncmp(line, "data: ", 6) == 0)
        mp_buf_str(&v->data, line + 6);
    v->line.n = 0;
    if (v->line.p)
        *v->line.p = '\0';
}

static void take(view *v, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '\n')
            take_line(v);
        else if (p[i] != '\r' && v->line.n < MOST_LINE && v->data.n < MOST_LINE)
            mp_buf_add(&v->line, &p[i], 1);
    }
}

static void *read_stream(void *arg)
{
    stream *s = arg;
    remote_answer answer;
    mp_net_sink to = {.fd = s->to, .max_bytes = INT64_MAX};
    remote_ask ask = {
        .path = s->path, .accept = "text/event-stream", .range = s->last, .to = &to, .once = true};
    s->err = remote_exchange(s->r, &ask, &answer, &s->why);
    s->status = answer.status;
    close(s->to);
    return NULL;
}

/* One connection, until it ends. */
static mp_err listen_once(stream *s, view *v)
{
    int ends[2];
    pthread_t thread;
    char piece[4096];
    ssize_t n;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return s->err = mp_fail_errno(&s->why, errno, "no pipe");
    s->to = ends[1];
    if (pthread_create(&thread, NULL, read_stream, s) != 0) {
        close(ends[0]);
        close(ends[1]);
        return s->err = mp_fail(&s->why, MP_NOMEM, "no thread can be started");
    }
    while ((n = read(ends[0], piece, sizeof piece)) > 0 || (n < 0 && errno == EINTR))
        if (n > 0)
            take(v, piece, (size_t)n);
    pthread_join(thread, NULL);
    close(ends[0]);
    return s->err;
}

int remote_follow(const remote *r, int64_t job)
{
    view v = {.app = r->app};
    stream s = {.r = r, .path = remote_path("/api/jobs/%lld/logs", (long long)job)};
    for (int tries = 0; tries < TRIES && !v.ended && !stop_asked(); tries++) {
        v.line.n = v.data.n = 0;
        v.told = false;
        s.last = v.last ? remote_path("Last-Event-ID: %lld", (long long)v.last) : NULL;
        mp_err err = listen_once(&s, &v);
        free(s.last);
        if (err && s.status / 100 != 2 && s.status != 0)
            break; /* it will not be answered otherwise a moment later */
        tries = v.told ? 0 : tries;
        if (!v.ended && !stop_asked())
            nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
    }
    mp_buf_free(&v.line);
    mp_buf_free(&v.data);
    free(s.path);
    if (v.ended)
        return v.completed ? EXIT_DONE : EXIT_NOTHING;
    if (stop_asked())
        return EXIT_INTERRUPTED;
    if (!s.err)
        s.err = mp_fail(&s.why, MP_IO, "the stream ended before the job did");
    return remote_failed(r, s.err, &s.why);
}
