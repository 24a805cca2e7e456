/* team.c - see team.h. */
#include "model/team.h"

#include <pthread.h>
#include <sched.h>

enum { MAX_MEMBERS = 64, SPINS = 4000 };

typedef struct crew {
    mp_team team;
    mp_team_fn fn;
    void *context;
    pthread_mutex_t gate; /* held until it is known how many there are */
} crew;

typedef struct seat {
    crew *crew;
    int number;
} seat;

static void *join_in(void *context)
{
    const seat *m = context;
    pthread_mutex_lock(&m->crew->gate);
    pthread_mutex_unlock(&m->crew->gate);
    m->crew->fn(m->crew->context, &m->crew->team, m->number);
    return NULL;
}

void mp_team_run(int members, mp_team_fn fn, void *context)
{
    crew c = {.team = {.members = 1}, .fn = fn, .context = context};
    seat list[MAX_MEMBERS];
    pthread_t ids[MAX_MEMBERS];
    members = MP_MIN(members, MAX_MEMBERS);
    if (members <= 1) {
        fn(context, &c.team, 0);
        return;
    }
    pthread_mutex_init(&c.gate, NULL);
    pthread_mutex_lock(&c.gate);
    for (; c.team.members < members; c.team.members++) {
        seat *m = &list[c.team.members];
        *m = (seat){&c, c.team.members};
        if (pthread_create(&ids[c.team.members], NULL, join_in, m) != 0)
            break;
    }
    pthread_mutex_unlock(&c.gate);
    fn(context, &c.team, 0);
    for (int i = 1; i < c.team.members; i++)
        pthread_join(ids[i], NULL);
    pthread_mutex_destroy(&c.gate);
}

static inline void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

void mp_team_meet(mp_team *t)
{
    if (t->members == 1)
        return;
    unsigned step = atomic_load_explicit(&t->step, memory_order_acquire);
    if (atomic_fetch_add_explicit(&t->waiting, 1, memory_order_acq_rel) + 1 == t->members) {
        atomic_store_explicit(&t->waiting, 0, memory_order_relaxed);
        atomic_store_explicit(&t->step, step + 1, memory_order_release);
        return;
    }
    for (int spins = 0; atomic_load_explicit(&t->step, memory_order_acquire) == step; spins++)
        if (spins < SPINS)
            relax();
        else
            sched_yield(); /* more members than cores */
}

void mp_team_share(const mp_team *t, int member, size_t n, size_t step, size_t *from, size_t *to)
{
    size_t pieces = (n + step - 1) / step, members = (size_t)t->members, me = (size_t)member;
    *from = MP_MIN(pieces * me / members * step, n);
    *to = MP_MIN(pieces * (me + 1) / members * step, n);
}
