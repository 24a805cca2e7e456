/* stream.c - see stream.h.
 *
 * A stream belongs to its response, which libmicrohttpd frees on its own threads; the list's thread
 * touches it under the list's mutex alone, and it leaves the list under that mutex before it is
 * freed. A reader that finds nothing suspends its connection under the mutex, so that the waker
 * cannot miss it. */
#include "http/stream.h"

#include "base/os.h"
#include "http/server.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 200, BLOCK = 16 * 1024, LOOK_MS = 200 };
static const double SILENCE_S = 15;

struct mp_stream {
    mp_streams *all;
    struct MHD_Connection *connection;
    mp_stream_fn next;
    void *context;
    void (*free_fn)(void *context);
    mp_buf text; /* that waits to be sent */
    size_t sent; /* of text */
    double last; /* when something was said */
    bool asleep; /* the connection is suspended */
    bool over;
    mp_stream *left, *right;
};

struct mp_streams {
    pthread_mutex_t mutex; /* guards all below and every stream */
    pthread_cond_t news;
    pthread_t thread;
    mp_stream *first;
    size_t n;
    bool ending, started;
};

static void wake(mp_stream *s)
{
    if (!s->asleep)
        return;
    s->asleep = false;
    MHD_resume_connection(s->connection);
}

static void look(mp_stream *s, double now)
{
    size_t before = s->text.n;
    if (s->over || s->text.n - s->sent > (size_t)1024 * 1024) /* a reader that does not keep up */
        return;
    s->over = !s->next(s->context, &s->text);
    if (s->text.n == before && now - s->last > SILENCE_S)
        mp_buf_str(&s->text, ": still here\n\n");
    if (s->text.n != before)
        s->last = now;
    if (s->text.n != before || s->over)
        wake(s);
}

static void *run(void *context)
{
    mp_streams *all = context;
    pthread_mutex_lock(&all->mutex);
    while (!all->ending) {
        double now = mp_monotonic_s();
        for (mp_stream *s = all->first; s; s = s->right)
            look(s, now);
        if (all->first)
            (void)mp_cond_wait_until(&all->news, &all->mutex, now + LOOK_MS * 1e-3);
        else
            pthread_cond_wait(&all->news, &all->mutex);
    }
    pthread_mutex_unlock(&all->mutex);
    return NULL;
}

mp_streams *mp_streams_new(void)
{
    mp_streams *all = mp_xcalloc(1, sizeof *all);
    pthread_mutex_init(&all->mutex, NULL);
    mp_cond_open(&all->news);
    all->started = pthread_create(&all->thread, NULL, run, all) == 0;
    return all;
}

void mp_streams_end(mp_streams *all)
{
    pthread_mutex_lock(&all->mutex);
    all->ending = true;
    for (mp_stream *s = all->first; s; s = s->right) {
        s->over = true;
        wake(s);
    }
    pthread_cond_signal(&all->news);
    pthread_mutex_unlock(&all->mutex);
    if (all->started)
        pthread_join(all->thread, NULL);
    all->started = false;
}

void mp_streams_free(mp_streams *all)
{
    if (!all)
        return;
    if (all->started)
        mp_streams_end(all);
    pthread_cond_destroy(&all->news);
    pthread_mutex_destroy(&all->mutex);
    free(all);
}

size_t mp_streams_count(mp_streams *all)
{
    pthread_mutex_lock(&all->mutex);
    size_t n = all->n;
    pthread_mutex_unlock(&all->mutex);
    return n;
}

/* ---- one ---- */

static bool join(mp_streams *all, mp_stream *s)
{
    pthread_mutex_lock(&all->mutex);
    bool room = all->n < MOST && !all->ending && all->started;
    if (room) {
        s->right = all->first;
        if (all->first)
            all->first->left = s;
        all->first = s;
        all->n++;
        pthread_cond_signal(&all->news);
    }
    pthread_mutex_unlock(&all->mutex);
    return room;
}

static void leave(mp_stream *s)
{
    mp_streams *all = s->all;
    pthread_mutex_lock(&all->mutex);
    if (s->left)
        s->left->right = s->right;
    else
        all->first = s->right;
    if (s->right)
        s->right->left = s->left;
    all->n--;
    pthread_mutex_unlock(&all->mutex);
}

static void free_stream(mp_stream *s)
{
    s->free_fn(s->context);
    mp_buf_free(&s->text);
    free(s);
}

void mp_stream_drop(mp_stream *s)
{
    if (!s)
        return;
    leave(s);
    free_stream(s);
}

bool mp_reply_stream(mp_request *r, mp_stream_fn next, void *context, void (*free_fn)(void *))
{
    mp_stream *s = mp_xcalloc(1, sizeof *s);
    *s = (mp_stream){.all = r->service->streams,
                     .connection = r->connection,
                     .next = next,
                     .context = context,
                     .free_fn = free_fn,
                     .last = mp_monotonic_s()};
    mp_buf_str(&s->text, "retry: 2000\n\n");
    if (!join(s->all, s)) {
        free_stream(s);
        mp_reply_problem(r, 503, "too many streams are open; try again later");
        mp_reply_header(r, "Retry-After", "10");
        return false;
    }
    r->reply.status = 200;
    r->reply.type = "text/event-stream; charset=utf-8";
    r->reply.stream = s;
    mp_reply_header(r, "X-Accel-Buffering", "no"); /* nginx passes each event on at once */
    return true;
}

void mp_stream_event(mp_buf *out, int64_t id, const char *type, const char *data)
{
    if (id)
        mp_buf_printf(out, "id: %lld\n", (long long)id);
    mp_buf_printf(out, "event: %s\ndata: %s\n\n", type, data);
}

void mp_stream_mark(mp_buf *out, int64_t id)
{
    mp_buf_printf(out, "id: %lld\n\n", (long long)id);
}

static ssize_t read_stream(void *context, uint64_t position, char *to, size_t most)
{
    mp_stream *s = context;
    ssize_t n = 0;
    (void)position;
    pthread_mutex_lock(&s->all->mutex);
    size_t left = s->text.n - s->sent;
    if (left) {
        n = (ssize_t)MP_MIN(left, most);
        memcpy(to, s->text.p + s->sent, (size_t)n);
        s->sent += (size_t)n;
        if (s->sent == s->text.n)
            s->sent = s->text.n = 0;
    } else if (s->over) {
        n = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        s->asleep = true;
        MHD_suspend_connection(s->connection);
    }
    pthread_mutex_unlock(&s->all->mutex);
    return n;
}

static void end_response(void *context)
{
    mp_stream_drop(context);
}

void *mp_stream_response(mp_stream *s)
{
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, read_stream, s, end_response);
}
