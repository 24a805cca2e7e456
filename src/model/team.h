/* team.h - a few threads that help with one computation of some milliseconds, step by step.
 *
 * One thread leads: it walks through the computation and gives each step of some microseconds to
 * the team, cut into pieces; the helpers take pieces as the leader does. Nobody waits for a helper
 * that has not begun: where the processors are busy with other work and a helper does not get one,
 * the leader does the pieces itself. Helpers spin between steps and give their core away when that
 * takes long; a team lives as long as a computation. */
#ifndef MP_TEAM_H
#define MP_TEAM_H

#include "base/base.h"

typedef struct mp_team mp_team; /* opaque */

/* Pieces [from, to) of a step, by a member: 0 is the leader. */
typedef void (*mp_team_fn)(void *context, int member, size_t from, size_t to);

/* With at most `members` members, the caller among them. NULL where that is one, or no thread can
 * be started: a team of one. */
mp_team *mp_team_open(int members);
void mp_team_close(mp_team *t);        /* NULL allowed */
int mp_team_members(const mp_team *t); /* NULL: 1 */

/* Does [0, n), in pieces that are multiples of `step` but for the last; returns when all is done.
 * By the thread that opened the team alone. */
void mp_team_do(mp_team *t, size_t n, size_t step, mp_team_fn fn, void *context);

#endif
