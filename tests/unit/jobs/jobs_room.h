/* jobs_room.h - a worker on a real store, for the tests of this room. Times are short and nothing
 * depends on being quick: every wait is for a state, with a long deadline. */
#ifndef MP_TEST_JOBS_ROOM_H
#define MP_TEST_JOBS_ROOM_H
#include "../test.h"
#include "jobs/jobs.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LEASE_MS = 1500 }; /* so that a stalled machine does not lose any */

typedef struct room {
    char dir[64], url[128];
    mp_meta *m, *second;
    mp_jobs *jobs;
    mp_arena *arena;
    /* What the handlers see and do. */
    atomic_int runs, at_once, most_at_once, stopped;
    atomic_bool release;
    mp_err err;
} room;

static inline mp_err open_meta(const room *r, mp_meta **m)
{
    mp_why why;
    mp_meta_options opt = {.create = true, .busy_ms = 10000};
    return mp_meta_open(m, r->url, &opt, &why);
}

static inline int set_up(void **state)
{
    room *r = mp_xcalloc(1, sizeof *r);
    snprintf(r->dir, sizeof r->dir, "/tmp/magpie-work-XXXXXX");
    if (!mkdtemp(r->dir))
        return -1;
    snprintf(r->url, sizeof r->url, "sqlite:%s/magpie.db", r->dir);
    r->arena = mp_arena_new(0);
    *state = r;
    return open_meta(r, &r->m) || open_meta(r, &r->second) ? -1 : 0;
}

static inline int tear_down(void **state)
{
    room *r = *state;
    char command[96];
    atomic_store(&r->release, true); /* a test that failed may have left a handler waiting */
    mp_jobs_close(r->jobs);
    mp_meta_close(r->m);
    mp_meta_close(r->second);
    mp_arena_free(r->arena);
    snprintf(command, sizeof command, "rm -rf %s", r->dir);
    int code = system(command);
    free(r);
    return code;
}

/* ---- handlers ---- */

/* Writes its parameters back. */
static inline mp_err echo(mp_job_run *run, void *context, mp_buf *result, mp_why *why)
{
    room *r = context;
    (void)why;
    atomic_fetch_add(&r->runs, 1);
    mp_job_progress(run, 3, 4);
    mp_job_log(run, MP_LOG_INFO, "attempt %d", mp_job_of(run)->attempts);
    mp_buf_str(result, mp_job_of(run)->params);
    return MP_OK;
}

/* Works until it is asked to stop or released. */
static inline mp_err polite(mp_job_run *run, void *context, mp_buf *result, mp_why *why)
{
    room *r = context;
    (void)result, (void)why;
    int now = atomic_fetch_add(&r->at_once, 1) + 1, most = atomic_load(&r->most_at_once);
    while (now > most && !atomic_compare_exchange_weak(&r->most_at_once, &most, now))
        ;
    atomic_fetch_add(&r->runs, 1);
    bool stop = false;
    for (int64_t i = 0; !stop && !atomic_load(&r->release); i++) {
        stop = mp_job_progress(run, i, i + 1);
        usleep(2000);
    }
    atomic_fetch_add(&r->stopped, stop);
    atomic_fetch_sub(&r->at_once, 1);
    return stop ? MP_CANCELLED : MP_OK;
}

/* ---- shorthands; each asserts ---- */

static inline mp_jobs_options options(room *r, mp_job_handler *handler)
{
    handler->context = r;
    return (mp_jobs_options){.meta = r->m,
                             .owner = "test",
                             .handlers = handler,
                             .n_handlers = 1,
                             .threads = 2,
                             .lease_ms = LEASE_MS,
                             .poll_ms = 10,
                             .retry_base_ms = 5,
                             .retry_cap_ms = 20};
}

static inline void start(room *r, mp_job_handler handler)
{
    mp_why why;
    mp_jobs_options opt = options(r, &handler);
    assert_ok(mp_jobs_open(&r->jobs, &opt, &why));
}

static inline int64_t add(room *r, const char *type, const char *params)
{
    mp_why why;
    int64_t id;
    mp_job job = {.type = type, .params = params};
    assert_ok(mp_meta_add_job(r->second, &job, &id, NULL, &why));
    return id;
}

static inline mp_job get(room *r, int64_t id)
{
    mp_why why;
    mp_job job;
    assert_ok(mp_meta_get_job(r->second, id, r->arena, &job, &why));
    return job;
}

#define wait_until(condition)                                                                      \
    do {                                                                                           \
        int tries_ = 0;                                                                            \
        while (!(condition) && ++tries_ < 4000)                                                    \
            usleep(2500);                                                                          \
        if (!(condition))                                                                          \
            fail_msg("in vain: %s", #condition);                                                   \
    } while (0)

static inline mp_job wait_for(room *r, int64_t id, mp_job_status status)
{
    wait_until(get(r, id).status == status);
    return get(r, id);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
