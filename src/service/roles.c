/* roles.c - what each role may do. See auth.h.
 *
 * A permission is resource.action; a grant is that, or all actions of a resource, or everything.
 * "own" grants all actions but "all" on what is one's own: whose an object is, is checked where it
 * is known (access.h). "all" is the action of reaching everybody's. */
#include "service/auth.h"

#include <string.h>

static const struct grant {
    const char *role, *permission;
} grants[] = {
    {"admin", "*"},
    {"operator", "projects.*"},
    {"operator", "assets.*"},
    {"operator", "users.read"},
    {"user", "projects.own"},
    {"user", "assets.own"},
    {"guest", "projects.read"},
    {"guest", "assets.read"},
};

static bool covers(const char *grant, const char *permission)
{
    size_t n = strlen(grant);
    if (strcmp(grant, "*") == 0)
        return true;
    if (n > 2 && strcmp(grant + n - 2, ".*") == 0)
        return strncmp(grant, permission, n - 1) == 0; /* with the dot */
    if (n > 4 && strcmp(grant + n - 4, ".own") == 0)
        return strncmp(grant, permission, n - 3) == 0 && strcmp(permission + n - 3, "all") != 0;
    return strcmp(grant, permission) == 0;
}

bool mp_role_may(const char *role, const char *permission)
{
    for (size_t i = 0; i < MP_COUNT(grants); i++)
        if (strcmp(grants[i].role, role) == 0 && covers(grants[i].permission, permission))
            return true;
    return false;
}
