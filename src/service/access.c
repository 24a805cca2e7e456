/* access.c - see access.h. */
#include "service/access.h"

#include "core/ports.h"
#include "meta/filter.h"
#include "service/auth.h"

#include <string.h>

mp_err mp_access_of(magpie *library, const mp_user *user, const char *scopes, mp_arena *arena,
                    mp_access *out, mp_why *why)
{
    bool own = scopes && strstr(scopes, "assets.own");
    *out = (mp_access){.all = !own && mp_role_may(user->role, "assets.all"),
                       .read_only = !mp_role_may(user->role, "assets.write")};
    mp_reach *list;
    mp_err err = mp_meta_reach(mp_core_meta(library), user->id, arena, &list, &out->n, why);
    out->reach = list;
    return err;
}

bool mp_access_may(const mp_access *a, int64_t project_id, bool write)
{
    if (a->read_only && write)
        return false;
    if (a->all)
        return true;
    size_t low = 0, high = a->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (a->reach[middle].project_id < project_id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < a->n && a->reach[low].project_id == project_id && (!write || a->reach[low].write);
}

mp_err mp_access_where(const mp_access *a, int64_t project_id, const char *where, mp_arena *arena,
                       const char **out, mp_why *why)
{
    const mp_filter *own;
    mp_buf text = {0};
    *out = NULL;
    mp_err err = mp_filter_parse(where, arena, &own, why);
    if (err)
        return err;
    if (a->all && !project_id) {
        *out = own ? where : NULL;
        return MP_OK;
    }
    if (project_id)
        mp_buf_printf(&text, "project:%lld", (long long)project_id);
    else if (!a->n)
        mp_buf_str(&text, "project:0"); /* no project has this number */
    for (size_t i = 0; !project_id && i < a->n; i++)
        mp_buf_printf(&text, "%s%lld", i ? "," : "project:", (long long)a->reach[i].project_id);
    if (own)
        mp_buf_printf(&text, " (%s)", where);
    *out = mp_arena_strdup(arena, (mp_str){text.p, text.n});
    mp_buf_free(&text);
    return *out ? MP_OK : mp_fail(why, MP_NOMEM, "no memory for the filter");
}
