/* jobs_store.h - the store that the contracts of jobs, leases and events are tried on, and
 * shorthands that assert. The clock is the test's: every call is told the time. */
#ifndef MP_TEST_JOBS_STORE_H
#define MP_TEST_JOBS_STORE_H
#include "../unit/test.h"
#include "base/os.h"
#include "meta/events.h"
#include "meta/jobs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { T0 = 1000000, LEASE = 1000 };

typedef struct store {
    char dir[64], url[128];
    mp_meta *m, *second; /* two handles on one file, as of two processes */
    mp_arena *arena;
} store;

static inline mp_err open_store(const store *s, mp_meta **m, mp_why *why)
{
    mp_meta_options opt = {.create = true, .busy_ms = 10000};
    return mp_meta_open(m, s->url, &opt, why);
}

static inline int set_up(void **state)
{
    mp_why why;
    store *s = mp_xcalloc(1, sizeof *s);
    snprintf(s->dir, sizeof s->dir, "/tmp/magpie-jobs-XXXXXX");
    if (!mkdtemp(s->dir))
        return -1;
    snprintf(s->url, sizeof s->url, "sqlite:%s/magpie.db", s->dir);
    s->arena = mp_arena_new(0);
    *state = s;
    return open_store(s, &s->m, &why) || open_store(s, &s->second, &why) ? -1 : 0;
}

static inline int tear_down(void **state)
{
    store *s = *state;
    char command[96];
    mp_meta_close(s->m);
    mp_meta_close(s->second);
    mp_arena_free(s->arena);
    snprintf(command, sizeof command, "rm -rf %s", s->dir);
    int code = system(command);
    free(s);
    return code;
}

/* ---- shorthands; each asserts ---- */

static inline int64_t add(store *s, const mp_job *job)
{
    mp_why why;
    mp_job whole = *job;
    int64_t id;
    whole.type = whole.type ? whole.type : "export";
    whole.created_ms = whole.created_ms ? whole.created_ms : T0;
    assert_ok(mp_meta_add_job(s->m, &whole, &id, NULL, &why));
    assert_true(id > 0);
    return id;
}

static inline mp_job get(store *s, int64_t id)
{
    mp_why why;
    mp_job job;
    assert_ok(mp_meta_get_job(s->second, id, s->arena, &job, &why));
    return job;
}

static inline mp_job lease_kinds(store *s, const mp_job_kind *kinds, size_t n, const char *owner,
                                 int64_t now_ms)
{
    mp_why why;
    mp_job job;
    mp_job_ask ask = {kinds, n, owner, now_ms, LEASE};
    assert_ok(mp_meta_lease_job(s->m, &ask, s->arena, &job, &why));
    return job;
}

static inline int64_t lease(store *s, const char *owner, int64_t now_ms)
{
    return lease_kinds(s, &(mp_job_kind){.type = "export"}, 1, owner, now_ms).id;
}

static inline mp_err end(store *s, int64_t id, const char *owner, mp_job_outcome outcome,
                         const char *text, int64_t now_ms)
{
    mp_job_end e = {id, owner, outcome, text, now_ms + 500, now_ms};
    return mp_meta_end_job(s->second, &e, NULL);
}

static inline void assert_status(store *s, int64_t id, mp_job_status status)
{
    assert_string_equal(mp_job_status_word(get(s, id).status), mp_job_status_word(status));
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
