/* Threads that help with steps: every piece is done once, steps do not overlap, members are told
 * apart. */
#include "../test.h"
#include "model/team.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum { STEPS = 400, MOST = 6, PIECES = 137 };

typedef struct course {
    _Atomic int step;         /* that the leader is in */
    _Atomic int done[PIECES]; /* how often in this step */
    _Atomic int wrong, inside[MOST];
    size_t multiple;
} course;

static void work(void *context, int member, size_t from, size_t to)
{
    course *c = context;
    int step = atomic_load(&c->step);
    if (atomic_fetch_add(&c->inside[member], 1) != 0) /* two at once with one number */
        atomic_fetch_add(&c->wrong, 1);
    if (from % c->multiple || (to % c->multiple && to != PIECES) || to <= from || to > PIECES)
        atomic_fetch_add(&c->wrong, 1);
    for (size_t i = from; i < to; i++)
        atomic_fetch_add(&c->done[i], 1);
    if (atomic_load(&c->step) != step)
        atomic_fetch_add(&c->wrong, 1);
    atomic_fetch_sub(&c->inside[member], 1);
}

static void every_piece_is_done_once(void **state)
{
    (void)state;
    for (int members = 1; members <= MOST; members++) {
        course *c = mp_xcalloc(1, sizeof *c);
        mp_team *team = mp_team_open(members);
        assert_int_equal(mp_team_members(team), members);
        for (int s = 0; s < STEPS; s++) {
            c->multiple = (size_t)(1 + s % 40);
            atomic_fetch_add(&c->step, 1);
            mp_team_do(team, PIECES, c->multiple, work, c);
            for (int i = 0; i < PIECES; i++)
                assert_int_equal(atomic_exchange(&c->done[i], 0), 1);
        }
        assert_int_equal(c->wrong, 0);
        mp_team_close(team);
        free(c);
    }
}

static void never(void *context, int member, size_t from, size_t to)
{
    (void)context, (void)member, (void)from, (void)to;
    fail();
}

static void nothing_is_no_piece(void **state)
{
    (void)state;
    mp_team *team = mp_team_open(2);
    mp_team_do(team, 0, 8, never, NULL);
    mp_team_do(NULL, 0, 8, never, NULL);
    mp_team_close(team);
    mp_team_close(NULL);
}

/* Helpers that come late, because nobody asked for long, still help. */
static void a_pause_does_no_harm(void **state)
{
    (void)state;
    course *c = mp_xcalloc(1, sizeof *c);
    mp_team *team = mp_team_open(3);
    c->multiple = 1;
    for (int s = 0; s < 20; s++) {
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
        mp_team_do(team, PIECES, 1, work, c);
        for (int i = 0; i < PIECES; i++)
            assert_int_equal(atomic_exchange(&c->done[i], 0), 1);
    }
    assert_int_equal(c->wrong, 0);
    mp_team_close(team);
    free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_piece_is_done_once),
                                       cmocka_unit_test(nothing_is_no_piece),
                                       cmocka_unit_test(a_pause_does_no_harm)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
