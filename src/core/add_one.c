/* add_one.c - one picture from memory or a descriptor, many callers at once. See ingest.h.
 *
 * Each caller decodes by itself, then puts a ticket into the intake. The first one there leads: it
 * takes the write lock and writes batch after batch of what has come in meanwhile, its own ticket
 * among them, until none is left; the others wait for their tickets. So a commit's fsync is shared
 * by all who arrived while the last one was under way (group commit), and by those who are about to
 * arrive. */
#include "core/copies.h"
#include "core/ingest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { TURNS = 8, COMPANY = 6 };
#define COMPANY_S 0.02

struct intake_ticket {
    analysis a;
    const mp_model *model; /* whose views `a` has */
    ingest_how how;
    char folder[MP_FOLDER_BYTES + 1]; /* of how */
    struct intake_ticket *next;
    bool done;
    mp_err err;
    mp_why why;
    int64_t id;
    magpie_outcome outcome;
};
typedef struct intake_ticket ticket;

static void settle(ingest *g, const ingest_entry *e, int64_t id)
{
    ticket *t = e->ticket;
    (void)g;
    t->id = id;
    t->outcome = e->outcome;
    t->err = e->a.err;
    t->why = e->a.why;
}

/* Writes a batch; its tickets are settled, all with the same failure if it fails as a whole. */
static void write_batch(ingest *g, ticket **list, size_t n)
{
    mp_why why = {0};
    mp_err err = MP_OK;
    size_t taken = 0;
    for (size_t i = 0; i < n; i++)
        list[i]->err = MP_INTERNAL; /* until settled */
    for (; !err && taken < n; taken++) {
        analysis a = list[taken]->a;
        if (list[taken]->model != g->model) { /* replaced since it was decoded */
            list[taken]->err = mp_fail(&list[taken]->why, MP_BUSY, "the model was switched");
            mp_analysis_free(&list[taken]->a);
            continue;
        }
        err = mp_ingest_take(g, &a, &list[taken]->how, list[taken], &why);
    }
    if (!err)
        err = mp_ingest_flush(g, &why);
    else
        mp_ingest_forget(g);
    for (size_t i = taken; i < n; i++)
        mp_analysis_free(&list[i]->a);
    for (size_t i = 0; err && i < n; i++) {
        if (list[i]->err == MP_INTERNAL) {
            list[i]->err = err;
            list[i]->why = why;
        }
    }
}

/* Pictures are cheaper to encode and to commit together: a few tickets are waited for, but only
 * those of pictures that are being analysed, and not for long. The mutex is held. */
static void wait_for_company(mp_intake *in)
{
    double until = mp_monotonic_s() + COMPANY_S;
    while (in->n_tickets > 0 && in->n_tickets < COMPANY && in->expected > 0 &&
           mp_cond_wait_until(&in->more, &in->mutex, until))
        ;
}

/* Up to a batch from the queue; the mutex is held. */
static size_t take_tickets(mp_intake *in, ticket **list)
{
    size_t n = 0;
    wait_for_company(in);
    while (in->first && n < INGEST_BATCH) {
        list[n++] = in->first;
        in->first = in->first->next;
    }
    if (!in->first)
        in->last = NULL;
    in->n_tickets -= (int)n;
    return n;
}

static void fail_all(ticket **list, size_t n, mp_err err, const mp_why *why)
{
    for (size_t i = 0; i < n; i++) {
        mp_analysis_free(&list[i]->a);
        list[i]->err = err;
        list[i]->why = *why;
    }
}

/* Called with the mutex held, and returns so. */
static void lead(magpie *m)
{
    mp_intake *in = &m->intake;
    ingest *g = mp_xcalloc(1, sizeof *g);
    ticket *list[INGEST_BATCH];
    in->led = true;
    pthread_mutex_unlock(&in->mutex);
    mp_why why = {0};
    mp_err err = mp_core_begin_write(m, &why);
    bool locked = !err;
    if (!err)
        err = mp_ingest_open(g, m, &why);
    g->report = settle;
    pthread_mutex_lock(&in->mutex);
    /* Not for ever: the leader's own caller waits for its answer. */
    for (size_t n, turn = 0; turn < TURNS && (n = take_tickets(in, list)) > 0; turn++) {
        pthread_mutex_unlock(&in->mutex);
        if (err)
            fail_all(list, n, err, &why);
        else
            write_batch(g, list, n);
        pthread_mutex_lock(&in->mutex);
        for (size_t i = 0; i < n; i++)
            list[i]->done = true;
        pthread_cond_broadcast(&in->news);
    }
    in->led = false;
    pthread_cond_broadcast(&in->news); /* whoever is left leads on */
    pthread_mutex_unlock(&in->mutex);
    mp_ingest_close(g);
    free(g);
    if (locked)
        mp_core_end_write(m);
    pthread_mutex_lock(&in->mutex);
}

/* One ticket more, or one fewer, is to come. */
static void expect(mp_intake *in, int change)
{
    pthread_mutex_lock(&in->mutex);
    in->expected += change;
    pthread_mutex_unlock(&in->mutex);
    if (change < 0)
        pthread_cond_signal(&in->more);
}

static void hand_in(magpie *m, ticket *t)
{
    mp_intake *in = &m->intake;
    pthread_mutex_lock(&in->mutex);
    if (in->last)
        in->last->next = t;
    else
        in->first = t;
    in->last = t;
    in->n_tickets++;
    in->expected--;
    pthread_cond_signal(&in->more);
    while (!t->done) {
        if (in->led)
            pthread_cond_wait(&in->news, &in->mutex);
        else
            lead(m);
    }
    pthread_mutex_unlock(&in->mutex);
}

static mp_err check_put(const magpie_put *put, mp_why *why)
{
    mp_err err = MP_OK;
    if (!put->name || !*put->name || strchr(put->name, '/') || strlen(put->name) > 255)
        return mp_fail(why, MP_INVALID, "a name of 1 to 255 bytes without slashes is needed");
    if (put->folder && strlen(put->folder) > 8192)
        return mp_fail(why, MP_INVALID, "a folder has at most 8192 bytes");
    for (size_t i = 0; !err && i < put->n_tags; i++)
        err = mp_core_check_tag(put->tags[i], why);
    return err ? err : mp_core_check_words(put->title, put->description, why);
}

static mp_err plan_for(magpie *m, int64_t project_id, analysis_plan *plan, mp_model **model,
                       int view_of[MP_SPACES], mp_why *why)
{
    *plan = (analysis_plan){.m = m, .copy = true, .project_id = project_id};
    mp_err err = mp_core_model(m, model, why);
    if (!err)
        err = mp_core_decoder(m, &plan->decoder, why);
    if (err)
        return err;
    plan->spec.analysis = true;
    plan->spec.thumbnail = INGEST_SMALL_PX;
    mp_core_views(*model, mp_core_eager_mask(*model), &plan->spec, view_of);
    return MP_OK;
}

static ingest_how how_of(const magpie_put *put)
{
    if (put->replace) /* in no project: it has no twins */
        return (ingest_how){.user_id = put->user, .replace = put->replace};
    return (ingest_how){.project_id = put->project ? put->project : 1,
                        .user_id = put->user,
                        .title = put->title,
                        .description = put->description,
                        .metadata = put->metadata,
                        .tags = put->tags,
                        .n_tags = put->n_tags};
}

typedef struct gate {
    magpie *m;
    const magpie_put *put;
    int64_t project_id;
    mp_model *model; /* and its view of the COPY space */
    int view;
} gate;

/* Lets in what shows another picture than all of the project. A failure to find out is taken for a
 * refusal: better than a copy that comes in unseen. */
static mp_err pass_gate(void *context, const mp_decoded *decoded, mp_why *why)
{
    const gate *g = context;
    const mp_copies_picture picture = {decoded, g->model, g->view};
    magpie_copy *copy = g->put->refuse_copies;
    char where[48];
    size_t n = 0;
    *copy = (magpie_copy){.relation = ""};
    snprintf(where, sizeof where, "project:%lld", (long long)g->project_id);
    mp_err err = mp_copies_find(g->m, &picture, where, 1, copy, &n, why);
    if (!err && n)
        err = mp_fail(why, MP_EXISTS, "it shows the same picture as #%lld (%s, %.2f)",
                      (long long)copy->id, copy->relation, (double)copy->score);
    return err;
}

static mp_err add_once(magpie *m, int fd, const magpie_put *put, ticket *t, mp_why *why)
{
    analysis_plan plan;
    mp_model *model;
    int view_of[MP_SPACES];
    *t = (ticket){.a = {.path = put->name}, .how = how_of(put)};
    mp_err err = plan_for(m, t->how.project_id, &plan, &model, view_of, why);
    if (err)
        return err;
    mp_core_clean_folder(put->folder, t->folder);
    t->how.folder = t->folder;
    t->model = model;
    plan.given = put->given;
    gate g = {m, put, t->how.project_id, model, view_of[MP_SPACE_COPY]};
    if (put->refuse_copies && !put->replace) {
        plan.spec.fit_long_side = MP_COPIES_PX;
        plan.gate = pass_gate;
        plan.gate_context = &g;
    }
    expect(&m->intake, 1);
    mp_analyse_fd(&plan, fd, &t->a);
    if (t->a.err) {
        expect(&m->intake, -1);
        err = mp_fail(why, t->a.err, "%s: %s", put->name, t->a.why.text);
        mp_analysis_free(&t->a);
        return err;
    }
    hand_in(m, t);
    return t->err ? mp_fail(why, t->err, "%s: %s", put->name, t->why.text) : MP_OK;
}

magpie_err magpie_add_fd(magpie *m, int fd, const magpie_put *put, int64_t *id,
                         magpie_outcome *outcome, magpie_why *why)
{
    enum { TRIES = 3 }; /* its twin may be removed, the model switched while it is analysed */
    ticket t = {0};
    *id = 0;
    mp_err err = check_put(put, INNER(why));
    if (!err && m->read_only)
        err = mp_fail(INNER(why), MP_IO, "the library %s is open read-only", m->path);
    if (err)
        return OUTER(err);
    for (int i = 0; i < TRIES; i++) {
        err = add_once(m, fd, put, &t, INNER(why));
        if (err != MP_BUSY)
            break;
    }
    if (err)
        return OUTER(err);
    *id = t.id;
    if (outcome)
        *outcome = t.outcome;
    return MAGPIE_OK;
}

static int memory_file(const void *data, size_t n, mp_why *why)
{
    int fd = memfd_create("picture", MFD_CLOEXEC);
    if (fd < 0) {
        (void)mp_fail_errno(why, errno, "cannot make a memory file");
        return -1;
    }
    if (mp_write_all(fd, data, n, "a memory file", why)) {
        close(fd);
        return -1;
    }
    return fd;
}

magpie_err magpie_add_bytes(magpie *m, const void *data, size_t n, const char *name, int64_t *id,
                            magpie_outcome *outcome, magpie_why *why)
{
    *id = 0;
    int fd = memory_file(data, n, INNER(why));
    if (fd < 0)
        return MAGPIE_IO;
    magpie_err err = magpie_add_fd(m, fd, &(magpie_put){.name = name}, id, outcome, why);
    close(fd);
    return err;
}
