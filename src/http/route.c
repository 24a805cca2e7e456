/* route.c - from a path to its route. The table is small and the paths are short: it is gone
 * through from the top, which takes less time than reading the request did. */
#include "http/route.h"

#include <string.h>

typedef enum match { NO_MATCH, MATCH, BAD_ESCAPE } match;

static match matches(mp_request *r, const mp_route *route)
{
    const char *pattern = route->path, *path = r->path;
    size_t n = 0;
    while (*pattern && *path) {
        if (*pattern != '{') {
            if (*pattern++ != *path++)
                return NO_MATCH;
            continue;
        }
        size_t length = strcspn(path, "/");
        if (length == 0 || n == MP_PATH_PARAMS)
            return NO_MATCH;
        r->param[n] = mp_request_decode(r, path, length, false);
        if (!r->param[n] || strchr(r->param[n], '/'))
            return BAD_ESCAPE;
        n++;
        path += length;
        pattern = strchr(pattern, '}') + 1;
    }
    return *pattern || *path ? NO_MATCH : MATCH;
}

int mp_route_find(mp_request *r, const char **allow)
{
    mp_buf methods = {0};
    int status = 404;
    *allow = NULL;
    for (size_t i = 0; i < mp_n_routes; i++) {
        match m = matches(r, &mp_routes[i]);
        if (m == NO_MATCH)
            continue;
        if (m == BAD_ESCAPE) {
            status = 400;
            break;
        }
        if (mp_routes[i].method == r->method) {
            r->route = &mp_routes[i];
            status = 200;
            break;
        }
        mp_buf_printf(&methods, "%s%s", methods.n ? ", " : "", mp_method_word(mp_routes[i].method));
        status = 405;
    }
    if (status == 405)
        *allow = mp_arena_strdup(r->arena, (mp_str){methods.p, methods.n});
    mp_buf_free(&methods);
    return status;
}
