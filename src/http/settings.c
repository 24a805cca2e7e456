/* settings.c - what the service runs with, and what the roles may do; for people to read. */
#include "http/server.h"

#include <string.h>

/* Made by whoever opened the service, who alone knows where each value comes from. */
void mp_handle_settings(mp_request *r)
{
    const char *text = r->service->settings;
    mp_reply_text(r, 200, "application/json", mp_str_of(text));
}

/* Every permission that a route asks for, once. */
static json_t *all_permissions(void)
{
    json_t *list = json_array();
    for (size_t i = 0; i < mp_n_routes; i++) {
        bool seen = !mp_routes[i].permission;
        for (size_t k = 0; k < i && !seen; k++)
            seen = mp_routes[k].permission &&
                   strcmp(mp_routes[k].permission, mp_routes[i].permission) == 0;
        if (!seen)
            json_array_append_new(list, json_string(mp_routes[i].permission));
    }
    return list;
}

static json_t *role_json(const char *role, const json_t *permissions)
{
    size_t i;
    const json_t *one;
    json_t *may = json_array();
    json_array_foreach(permissions, i, one) if (mp_role_may(role, json_string_value(one)))
        json_array_append(may, (json_t *)(uintptr_t)one);
    return json_pack("{s:s, s:b, s:o}", "role", role, "everything",
                     (int)mp_role_may(role, "projects.all"), "permissions", may);
}

void mp_handle_roles(mp_request *r)
{
    json_t *permissions = all_permissions(), *roles = json_array();
    for (size_t i = 0; mp_role_at(i); i++)
        json_array_append_new(roles, role_json(mp_role_at(i), permissions));
    mp_reply_json(r, 200, json_pack("{s:o, s:o}", "permissions", permissions, "roles", roles));
}
