/* team.h - a few threads that do one computation together, step by step.
 *
 * For work of some milliseconds in steps of some microseconds: a member that is done with a step
 * spins until the others are, and only then gives its core away. Threads live as long as a run. */
#ifndef MP_TEAM_H
#define MP_TEAM_H

#include "base/base.h"

#include <stdatomic.h>

typedef struct mp_team {
    int members; /* how many there are: those that could be started */
    _Atomic int waiting;
    _Atomic unsigned step;
} mp_team;

/* Called once by each member, with numbers from 0. */
typedef void (*mp_team_fn)(void *context, mp_team *team, int member);

/* Runs fn on at most `members` threads, the caller being member 0; returns when all have. */
void mp_team_run(int members, mp_team_fn fn, void *context);
/* Returns once every member is here: what they wrote before is seen by all after. */
void mp_team_meet(mp_team *team);
/* A member's part of n pieces: [*from, *to), whole multiples of `step` but for the last. */
void mp_team_share(const mp_team *team, int member, size_t n, size_t step, size_t *from,
                   size_t *to);

#endif
