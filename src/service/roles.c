/* roles.c - what each role may do, and what a key's scopes leave of it. See auth.h.
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
    {"operator", "jobs.*"},
    {"operator", "logs.*"},
    {"operator", "models.read"},
    {"user", "projects.own"},
    {"user", "assets.own"},
    {"guest", "projects.read"},
    {"guest", "assets.read"},
};

/* `grant` has n bytes. */
static bool covers(const char *grant, size_t n, const char *permission)
{
    if (n == 1 && *grant == '*')
        return true;
    if (n > 2 && memcmp(grant + n - 2, ".*", 2) == 0)
        return strncmp(grant, permission, n - 1) == 0; /* with the dot */
    if (n > 4 && memcmp(grant + n - 4, ".own", 4) == 0)
        return strncmp(grant, permission, n - 3) == 0 && strcmp(permission + n - 3, "all") != 0;
    return strlen(permission) == n && memcmp(grant, permission, n) == 0;
}

static const char *const roles[] = {"admin", "operator", "user", "guest"};

const char *mp_role_at(size_t i)
{
    return i < MP_COUNT(roles) ? roles[i] : NULL;
}

bool mp_role_is(const char *role)
{
    for (size_t i = 0; i < MP_COUNT(roles); i++)
        if (strcmp(roles[i], role) == 0)
            return true;
    return false;
}

bool mp_role_may(const char *role, const char *permission)
{
    for (size_t i = 0; i < MP_COUNT(grants); i++)
        if (strcmp(grants[i].role, role) == 0 &&
            covers(grants[i].permission, strlen(grants[i].permission), permission))
            return true;
    return false;
}

bool mp_scopes_may(const char *scopes, const char *permission)
{
    if (!scopes)
        return true;
    for (const char *p = scopes; *p;) {
        size_t n = strcspn(p, " ");
        if (n && covers(p, n, permission))
            return true;
        p += n + (p[n] == ' ');
    }
    return false;
}

bool mp_scope_is(const char *scope)
{
    static const char word[] = "abcdefghijklmnopqrstuvwxyz_";
    enum { MOST = 64 };
    if (strcmp(scope, "*") == 0)
        return true;
    size_t resource = strspn(scope, word);
    const char *action = scope + resource + 1;
    if (!resource || scope[resource] != '.' || strlen(scope) > MOST)
        return false;
    return strcmp(action, "*") == 0 || (*action && strspn(action, word) == strlen(action));
}
