/* roles.c - what each role may do. See auth.h.
 *
 * A permission is resource.action; a grant is that, or all actions of a resource, or everything.
 * "own" is for objects of the user's own: who owns what is checked where the object is known. */
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
    return strcmp(grant, permission) == 0;
}

bool mp_role_may(const char *role, const char *permission)
{
    for (size_t i = 0; i < MP_COUNT(grants); i++)
        if (strcmp(grants[i].role, role) == 0 && covers(grants[i].permission, permission))
            return true;
    return false;
}
