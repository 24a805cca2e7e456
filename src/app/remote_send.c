/* remote_send.c - see remote_send.h. Each thread has one slot, which it fills with what became of a
 * file and which the calling thread empties: so events come from one thread, and nothing piles up.
 */
#include "app/remote_send.h"

#include "app/stop.h"
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SENDERS = 4, TRIES = 3, TICK_MS = 100 };

typedef struct slot {
    struct sender *all;
    bool full;
    const char *path;
    magpie_outcome outcome;
    int64_t id, bytes;
    mp_err err; /* why it was refused */
    mp_err fatal;
    mp_why why;
} slot;

typedef struct sender {
    const remote_batch *b;
    char *post;            /* the path of the request, up to the name */
    pthread_mutex_t mutex; /* guards all below, and `full` of the slots */
    pthread_cond_t filled, emptied;
    size_t next;
    int at_work;
    bool over; /* no more files are begun */
    slot slot[SENDERS];
} sender;

/* ---- one file ---- */

static void refuse(slot *s, magpie_outcome outcome, mp_err err)
{
    s->outcome = outcome;
    s->err = err;
}

/* Is it this file that is not taken, or would it be the same with every other? */
static void judge(slot *s, mp_err err, int status)
{
    if (status == 415)
        refuse(s, MAGPIE_SKIPPED, MP_UNSUPPORTED);
    else if (status == 413)
        refuse(s, MAGPIE_REFUSED, MP_TOO_BIG);
    else if (status == 422)
        refuse(s, MAGPIE_REFUSED, MP_CORRUPT);
    else
        s->fatal = err;
}

static bool stopped(void *arg)
{
    (void)arg;
    return stop_asked();
}

/* A connection that breaks is tried again: the same bytes twice are one picture. */
static mp_err post(const sender *all, slot *s, int fd, remote_answer *answer)
{
    const char *slash = strrchr(s->path, '/');
    mp_buf path = {0};
    mp_err err = MP_OK;
    mp_net_upload upload = {.fd = fd, .bytes = s->bytes};
    remote_ask ask = {.method = "POST", .upload = &upload};
    mp_buf_str(&path, all->post);
    remote_escape(&path, slash ? slash + 1 : s->path);
    ask.path = path.p;
    for (int i = 0; i < TRIES; i++) {
        err = remote_exchange(all->b->remote, &ask, answer, &s->why);
        if (!err || answer->status || err == MP_CANCELLED || stopped(NULL))
            break;
        nanosleep(&(struct timespec){.tv_nsec = 300000000L * (i + 1)}, NULL);
    }
    mp_buf_free(&path);
    return err;
}

static mp_err tag(const sender *all, slot *s)
{
    remote_answer answer;
    char *path = remote_path("/api/images/%lld", (long long)s->id);
    json_t *body = json_pack("{s:O}", "add_tags", (json_t *)(uintptr_t)all->b->tags);
    remote_ask ask = {.method = "PATCH", .path = path, .json = body};
    mp_err err = remote_exchange(all->b->remote, &ask, &answer, &s->why);
    json_decref(answer.json);
    json_decref(body);
    free(path);
    return err;
}

static void send_fd(const sender *all, slot *s, int fd)
{
    remote_answer answer;
    mp_err err = post(all, s, fd, &answer);
    if (err) {
        judge(s, err, answer.status);
        return;
    }
    const json_t *row = json_array_get(json_object_get(answer.json, "images"), 0);
    s->id = remote_number(row, "id");
    s->outcome = strcmp(remote_text(row, "status"), "added") == 0 ? MAGPIE_ADDED : MAGPIE_KNOWN;
    if (!s->id)
        s->fatal = mp_fail(&s->why, MP_IO, "the server's answer is not one to an upload");
    else if (all->b->tags)
        s->fatal = tag(all, s);
    json_decref(answer.json);
}

static void send_file(const sender *all, slot *s)
{
    struct stat st;
    int fd = open(s->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        refuse(s, MAGPIE_REFUSED, mp_fail_errno(&s->why, errno, "cannot read it"));
    } else if (st.st_size == 0) {
        refuse(s, MAGPIE_SKIPPED, mp_fail(&s->why, MP_UNSUPPORTED, "it is empty"));
    } else if (st.st_size > all->b->max_bytes) {
        refuse(s, MAGPIE_REFUSED,
               mp_fail(&s->why, MP_TOO_BIG,
                       "it has %lld bytes, over the limit of --max-bytes, %lld",
                       (long long)st.st_size, (long long)all->b->max_bytes));
    } else {
        s->bytes = st.st_size;
        send_fd(all, s, fd);
    }
    if (fd >= 0)
        close(fd);
}

/* ---- threads ---- */

static void *work(void *arg)
{
    slot *s = arg;
    sender *all = s->all;
    pthread_mutex_lock(&all->mutex);
    while (!all->over && all->next < all->b->n) {
        *s = (slot){.all = all, .path = all->b->path[all->next++]};
        pthread_mutex_unlock(&all->mutex);
        send_file(all, s);
        pthread_mutex_lock(&all->mutex);
        s->full = true;
        pthread_cond_signal(&all->filled);
        while (s->full)
            pthread_cond_wait(&all->emptied, &all->mutex);
    }
    all->at_work--;
    pthread_cond_signal(&all->filled);
    pthread_mutex_unlock(&all->mutex);
    return NULL;
}

typedef struct tally {
    magpie_add_report *report;
    mp_err err;
    mp_why *why;
    double began;
} tally;

/* One that was stopped or never arrived is no event: it is as if it had not been begun. */
static void take(const sender *all, const slot *s, tally *t)
{
    magpie_file_event e = {.path = s->path,
                           .outcome = s->outcome,
                           .id = s->id,
                           .err = (magpie_err)s->err,
                           .reason = s->err ? s->why.text : ""};
    if (s->fatal) {
        if (!t->err)
            *t->why = s->why;
        t->err = t->err ? t->err : s->fatal;
        return;
    }
    t->report->outcomes[s->outcome]++;
    t->report->bytes += (uint64_t)s->bytes;
    all->b->on_file(all->b->context, &e);
}

static bool tick(const sender *all, const tally *t)
{
    magpie_progress p = {.stage = "uploading",
                         .total = all->b->n,
                         .bytes = t->report->bytes,
                         .elapsed_s = mp_monotonic_s() - t->began};
    for (size_t i = 0; i < MP_COUNT(t->report->outcomes); i++)
        p.done += t->report->outcomes[i];
    return all->b->on_progress(all->b->context, &p);
}

/* The mutex is held here, but not while anything is printed. */
static void empty_slots(sender *all, tally *t)
{
    for (int i = 0; i < SENDERS; i++) {
        slot *s = &all->slot[i];
        if (!s->full)
            continue;
        pthread_mutex_unlock(&all->mutex);
        take(all, s, t); /* its thread waits: nobody else touches it */
        pthread_mutex_lock(&all->mutex);
        s->full = false;
        pthread_cond_broadcast(&all->emptied);
    }
}

static void attend(sender *all, tally *t)
{
    pthread_mutex_lock(&all->mutex);
    while (all->at_work > 0) {
        (void)mp_cond_wait_until(&all->filled, &all->mutex, mp_monotonic_s() + TICK_MS * 1e-3);
        empty_slots(all, t);
        pthread_mutex_unlock(&all->mutex);
        bool stop = tick(all, t);
        pthread_mutex_lock(&all->mutex);
        all->over = all->over || stop || t->err;
    }
    pthread_mutex_unlock(&all->mutex);
}

mp_err remote_send(const remote_batch *b, magpie_add_report *report, mp_why *why)
{
    pthread_t thread[SENDERS];
    sender all = {.b = b};
    tally t = {.report = report, .why = why, .began = mp_monotonic_s()};
    int n = 0;
    all.post = b->project ? remote_path("/api/images?project_id=%lld&name=", (long long)b->project)
                          : remote_path("/api/images?name=");
    pthread_mutex_init(&all.mutex, NULL);
    mp_cond_open(&all.filled);
    pthread_cond_init(&all.emptied, NULL);
    pthread_mutex_lock(&all.mutex);
    for (; n < SENDERS && (size_t)n < b->n; n++) {
        all.slot[n].all = &all;
        if (pthread_create(&thread[n], NULL, work, &all.slot[n]) != 0)
            break;
        all.at_work++;
    }
    pthread_mutex_unlock(&all.mutex);
    if (!n && b->n)
        t.err = mp_fail(why, MP_NOMEM, "no thread can be started");
    attend(&all, &t);
    for (int i = 0; i < n; i++)
        pthread_join(thread[i], NULL);
    pthread_cond_destroy(&all.emptied);
    pthread_cond_destroy(&all.filled);
    pthread_mutex_destroy(&all.mutex);
    free(all.post);
    report->elapsed_s = mp_monotonic_s() - t.began;
    if (!t.err && stop_asked())
        t.err = mp_fail(why, MP_CANCELLED, "stopped");
    return t.err;
}
