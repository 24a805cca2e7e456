/* api/openapi.yaml names the routes of the table, all of them and no other, with the right
 * security. The file's own layout is relied on: paths at two spaces, methods at four, their members
 * at six. */
#include "../test.h"

#include "base/os.h"
#include "http/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST = 300 };

typedef struct operation {
    char path[128], method[16];
    bool bearer, body;
} operation;

static size_t read_operations(operation *out)
{
    uint8_t *text;
    size_t size, n = 0;
    mp_why why;
    bool inside = false;
    char path[128] = "";
    assert_ok(mp_file_read(MAGPIE_SOURCE_DIR "/api/openapi.yaml", 1 << 24, &text, &size, &why));
    char *all = mp_xcalloc(size + 1, 1), *rest = NULL;
    memcpy(all, text, size);
    for (char *line = strtok_r(all, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        size_t indent = strspn(line, " ");
        if (indent == 0 && *line != '#')
            inside = strcmp(line, "paths:") == 0;
        if (!inside)
            continue;
        if (indent == 2) {
            assert_true(sscanf(line, " %127[^:]:", path) == 1);
        } else if (indent == 4) {
            assert_true(n < MOST);
            snprintf(out[n].path, sizeof out[n].path, "%s", path);
            assert_true(sscanf(line, " %15[a-z]:", out[n++].method) == 1);
        } else if (indent == 6 && n > 0) {
            out[n - 1].bearer |= strstr(line, "security: [{bearer: []}") != NULL;
            out[n - 1].body |= strstr(line, "requestBody:") != NULL;
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
        if (route->signed_in != list[i].bearer)
            fail_msg("%s %s: security differs", list[i].method, list[i].path);
        if (list[i].body && !route->max_body)
            fail_msg("%s %s takes no body", list[i].method, list[i].path);
        for (size_t k = 0; k < i; k++)
            assert_true(route_of(&list[k]) != route); /* each once: so none is missing */
    }
    free(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(file_and_table_agree)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
