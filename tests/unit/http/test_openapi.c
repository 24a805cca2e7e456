/* api/openapi.yaml names the routes of the table, all of them and no other, with the right security
 * and the statuses that the table alone makes possible. The file's own layout is relied on: paths
 * at two spaces, methods at four, their members at six, statuses at eight. */
#include "../test.h"

#include "base/os.h"
#include "http/docs.h"
#include "http/route.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST = 300 };

typedef struct operation {
    char path[128], method[16];
    bool bearer, link, body, named;
    bool status[600];
} operation;

static void read_member(operation *o, const char *line)
{
    o->bearer |= strstr(line, "security: [{bearer: []}") != NULL;
    o->link |=
        strstr(line, "security: [{bearer: []}") != NULL && strstr(line, "{link: []}") != NULL;
    o->body |= strstr(line, "requestBody:") != NULL;
    o->named |= strstr(line, "operationId:") != NULL;
}

static size_t read_operations(operation *out)
{
    uint8_t *text;
    size_t size, n = 0;
    mp_why why;
    bool inside = false;
    char path[128] = "";
    unsigned status;
    assert_ok(mp_file_read(MAGPIE_SOURCE_DIR "/api/openapi.yaml", 1 << 24, &text, &size, &why));
    char *all = mp_xcalloc(size + 1, 1), *rest = NULL;
    memcpy(all, text, size);
    for (char *line = strtok_r(all, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        size_t indent = strspn(line, " ");
        if (indent == 0 && *line != '#')
            inside = strcmp(line, "paths:") == 0;
        if (!inside || line[indent] == '#')
            continue;
        if (indent == 2) {
            assert_true(sscanf(line, " %127[^:]:", path) == 1);
        } else if (indent == 4) {
            assert_true(n < MOST);
            snprintf(out[n].path, sizeof out[n].path, "%s", path);
            assert_true(sscanf(line, " %15[a-z]:", out[n++].method) == 1);
        } else if (indent == 6 && n > 0) {
            read_member(&out[n - 1], line);
        } else if (indent == 8 && n > 0 && sscanf(line, " '%3u':", &status) == 1) {
            assert_true(status < MP_COUNT(out->status));
            out[n - 1].status[status] = true;
        }
    }
    free(all);
    free(text);
    return n;
}

static const mp_route *route_of(const operation *o)
{
    for (size_t i = 0; i < mp_n_routes; i++)
        if (strcmp(mp_routes[i].path, o->path) == 0 &&
            strcasecmp(mp_method_word(mp_routes[i].method), o->method) == 0)
            return &mp_routes[i];
    return NULL;
}

/* What the path through server.c can answer, whatever the handler does. */
static void statuses_are_listed(const operation *o, const mp_route *route)
{
    const struct {
        bool possible;
        int status;
        const char *when;
    } rules[] = {
        {true, 400, "an escape may be bad"},
        {route->signed_in, 401, "it is signed in"},
        {route->permission != NULL, 403, "it needs a permission"},
        {route->max_body > 0, 413, "it takes a body"},
        {o->body, 415, "its body has a type"},
        {route->rate != MP_RATE_NONE, 429, "it may be asked too often"},
        {route->slow, 503, "the queue may be full"},
        {route->spool, 507, "its body goes to the disk"},
    };
    for (size_t i = 0; i < MP_COUNT(rules); i++)
        if (rules[i].possible && !o->status[rules[i].status])
            fail_msg("%s %s: %d is missing, for %s", o->method, o->path, rules[i].status,
                     rules[i].when);
    if (o->status[401] && !route->signed_in && strcmp(o->path, "/api/auth/login") != 0 &&
        strcmp(o->path, "/api/auth/refresh") != 0)
        fail_msg("%s %s: 401, but nobody has to be signed in", o->method, o->path);
}

static void file_and_table_agree(void **state)
{
    (void)state;
    operation *list = mp_xcalloc(MOST, sizeof *list);
    size_t n = read_operations(list);
    assert_int_equal(n, mp_n_routes);
    for (size_t i = 0; i < n; i++) {
        const mp_route *route = route_of(&list[i]);
        if (!route)
            fail_msg("%s %s is no route", list[i].method, list[i].path);
        if (route->signed_in != list[i].bearer || route->linked != list[i].link)
            fail_msg("%s %s: security differs", list[i].method, list[i].path);
        if (list[i].body && !route->max_body)
            fail_msg("%s %s takes no body", list[i].method, list[i].path);
        if (!list[i].named)
            fail_msg("%s %s has no operationId", list[i].method, list[i].path);
        statuses_are_listed(&list[i], route);
        for (size_t k = 0; k < i; k++)
            assert_true(route_of(&list[k]) != route); /* each once: so none is missing */
    }
    free(list);
}

/* What the binary holds is JSON, and was made after the last route was added. */
static void the_binary_holds_it(void **state)
{
    (void)state;
    json_error_t at;
    json_t *file = json_loadb((const char *)mp_openapi_json, mp_openapi_json_bytes,
                              JSON_REJECT_DUPLICATES, &at);
    assert_non_null(file);
    assert_string_equal(json_string_value(json_object_get(file, "openapi")), "3.1.0");
    const json_t *paths = json_object_get(file, "paths"), *methods;
    const char *path;
    size_t n = 0;
    json_object_foreach((json_t *)(uintptr_t)paths, path, methods) n += json_object_size(methods);
    assert_int_equal(n, mp_n_routes);
    for (size_t i = 0; i < mp_n_routes; i++) {
        char method[16];
        snprintf(method, sizeof method, "%s", mp_method_word(mp_routes[i].method));
        for (char *c = method; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        const json_t *one = json_object_get(json_object_get(paths, mp_routes[i].path), method);
        if (!json_object_get(one, "operationId"))
            fail_msg("%s %s is not in api/openapi.json: make api", method, mp_routes[i].path);
    }
    json_decref(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(file_and_table_agree),
                                       cmocka_unit_test(the_binary_holds_it)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
