/* team.c - see team.h.
 *
 * `ticket` holds the number of the step in its upper half and the next piece in its lower one, or
 * CLOSED there. A piece is taken by adding one to the ticket that was seen: that fails if anything
 * has changed since, so that what was read of the step belongs to the piece. The leader closes the
 * ticket before it writes the next step down. */
#include "model/team.h"

#include "model/helper.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { MAX_MEMBERS = 64, SPINS = 2000, PIECES_EACH = 4 };
#define CLOSED UINT32_MAX

typedef struct seat {
    mp_team *team;
    int number;
    mp_helper *helper;
} seat;

struct mp_team {
    _Alignas(64) _Atomic uint64_t ticket;
    _Alignas(64) _Atomic size_t done; /* pieces of this step */
    _Atomic bool stop;
    /* the step; atomic because a late helper may read it while the next is written */
    _Atomic(mp_team_fn) fn;
    void *_Atomic context;
    _Atomic size_t n, each, pieces;
    uint32_t number; /* of the step; the leader's */
    int members;
    seat seats[MAX_MEMBERS];
};

static inline void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Takes and does one piece; false when there is none to take. */
static bool do_piece(mp_team *t, int member)
{
    uint64_t ticket = atomic_load_explicit(&t->ticket, memory_order_acquire);
    uint32_t piece = (uint32_t)ticket;
    mp_team_fn fn = atomic_load_explicit(&t->fn, memory_order_relaxed);
    void *context = atomic_load_explicit(&t->context, memory_order_relaxed);
    size_t n = atomic_load_explicit(&t->n, memory_order_relaxed);
    size_t each = atomic_load_explicit(&t->each, memory_order_relaxed);
    if (piece == CLOSED || piece >= atomic_load_explicit(&t->pieces, memory_order_relaxed))
        return false;
    if (!atomic_compare_exchange_strong_explicit(&t->ticket, &ticket, ticket + 1,
                                                 memory_order_acq_rel, memory_order_relaxed))
        return true; /* somebody was quicker: look again */
    fn(context, member, piece * each, MP_MIN((piece + 1) * each, n));
    atomic_fetch_add_explicit(&t->done, 1, memory_order_release);
    return true;
}

static void help(void *context)
{
    const seat *s = context;
    for (int idle = 0; !atomic_load_explicit(&s->team->stop, memory_order_acquire);) {
        if (do_piece(s->team, s->number))
            idle = 0;
        else if (++idle < SPINS)
            relax();
        else
            sched_yield();
    }
}

mp_team *mp_team_open(int members)
{
    members = MP_MIN(members, MAX_MEMBERS);
    if (members < 2)
        return NULL;
    mp_team *t = aligned_alloc(64, (sizeof *t + 63) / 64 * 64);
    if (!t)
        return NULL;
    *t = (mp_team){.ticket = CLOSED, .members = 1};
    while (t->members < members) {
        seat *s = &t->seats[t->members];
        *s = (seat){.team = t, .number = t->members};
        s->helper = mp_helper_start(help, s);
        if (!s->helper)
            break;
        t->members++;
    }
    if (t->members > 1)
        return t;
    free(t);
    return NULL;
}

void mp_team_close(mp_team *t)
{
    if (!t)
        return;
    atomic_store_explicit(&t->stop, true, memory_order_release);
    for (int i = 1; i < t->members; i++)
        mp_helper_wait(t->seats[i].helper);
    free(t);
}

int mp_team_members(const mp_team *t)
{
    return t ? t->members : 1;
}

void mp_team_do(mp_team *t, size_t n, size_t step, mp_team_fn fn, void *context)
{
    size_t wanted = (size_t)mp_team_members(t) * PIECES_EACH;
    size_t each = (n + wanted - 1) / wanted;
    each = (each + step - 1) / step * step;
    size_t pieces = each ? (n + each - 1) / each : 0;
    if (!t || pieces < 2) {
        if (n)
            fn(context, 0, 0, n);
        return;
    }
    atomic_store_explicit(&t->fn, fn, memory_order_relaxed);
    atomic_store_explicit(&t->context, context, memory_order_relaxed);
    atomic_store_explicit(&t->n, n, memory_order_relaxed);
    atomic_store_explicit(&t->each, each, memory_order_relaxed);
    atomic_store_explicit(&t->pieces, pieces, memory_order_relaxed);
    atomic_store_explicit(&t->done, 0, memory_order_relaxed);
    t->number++;
    atomic_store_explicit(&t->ticket, (uint64_t)t->number << 32, memory_order_release);
    while (do_piece(t, 0))
        ;
    for (int idle = 0; atomic_load_explicit(&t->done, memory_order_acquire) < pieces; idle++)
        if (idle < SPINS)
            relax();
        else
            sched_yield();
    atomic_store_explicit(&t->ticket, (uint64_t)t->number << 32 | CLOSED, memory_order_release);
}
