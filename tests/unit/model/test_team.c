/* Threads that work step by step: nobody is ahead of the others, all parts are taken. */
#include "../test.h"
#include "model/team.h"

#include <stdlib.h>

enum { STEPS = 300, MOST = 6, PIECES = 37 };

typedef struct course {
    _Atomic int at[MOST]; /* the step that each is in */
    _Atomic int early;    /* how often one was ahead */
    int taken[PIECES];    /* by whom + 1; written by its owner alone */
    _Atomic int members;
} course;

static void walk(void *context, mp_team *team, int member)
{
    course *c = context;
    atomic_store(&c->members, team->members);
    for (int step = 1; step <= STEPS; step++) {
        atomic_store(&c->at[member], step);
        mp_team_meet(team);
        for (int i = 0; i < team->members; i++)
            if (atomic_load(&c->at[i]) < step)
                atomic_fetch_add(&c->early, 1);
        mp_team_meet(team);
    }
    size_t from, to;
    mp_team_share(team, member, PIECES, 4, &from, &to);
    for (size_t i = from; i < to; i++)
        c->taken[i] = member + 1;
}

static void nobody_is_ahead(void **state)
{
    (void)state;
    for (int n = 1; n <= MOST; n++) {
        course *c = mp_xcalloc(1, sizeof *c);
        mp_team_run(n, walk, c);
        assert_int_equal(c->members, n);
        assert_int_equal(c->early, 0);
        for (int i = 0; i < PIECES; i++)
            assert_true(c->taken[i] > 0);
        free(c);
    }
}

static void shares_are_whole_steps(void **state)
{
    (void)state;
    for (int members = 1; members <= MOST; members++) {
        mp_team team = {.members = members};
        size_t next = 0, from, to;
        for (int m = 0; m < members; m++) {
            mp_team_share(&team, m, 100, 32, &from, &to);
            assert_int_equal(from, next);
            assert_true(to == 100 || to % 32 == 0);
            next = to;
        }
        assert_int_equal(next, 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nobody_is_ahead),
                                       cmocka_unit_test(shares_are_whole_steps)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
