/* access.h - what somebody may reach: projects by ownership, membership and role.
 *
 * Administrators and operators reach every project. Users reach their own and those shared with
 * them, and write to the latter as editors; guests only ever read, and only what is shared with
 * them. What cannot be reached is as if it were not there. */
#ifndef MP_ACCESS_H
#define MP_ACCESS_H

#include "magpie.h"

#include "meta/accounts.h"
#include "meta/projects.h"

typedef struct mp_access {
    bool all;              /* every project, to read and to write */
    bool read_only;        /* whatever the list says */
    const mp_reach *reach; /* by project; in the caller's arena */
    size_t n;
} mp_access;

/* scopes: of the API key that asks, NULL for a person. A key that names assets.own reaches what is
 * its owner's own or shared with them, whatever their role. */
MP_CHECK mp_err mp_access_of(magpie *library, const mp_user *user, const char *scopes,
                             mp_arena *arena, mp_access *out, mp_why *why);
bool mp_access_may(const mp_access *a, int64_t project_id, bool write);
/* A filter that lets through what `where` (NULL: all) does of one project, or of all that can be
 * reached (0); in `arena`, NULL when that is everything. The text of `where` is parsed on its own
 * first, so that no parenthesis in it opens the scope. INVALID (where). */
MP_CHECK mp_err mp_access_where(const mp_access *a, int64_t project_id, const char *where,
                                mp_arena *arena, const char **out, mp_why *why);

#endif
