/* folders.c - the folders that pictures come from. Those that were told with an upload are for
 * whoever may see the pictures; paths of this machine are for those whom its settings are shown. */
#include "http/body.h"
#include "http/items.h"
#include "http/server.h"

#include "core/ports.h"

#include <string.h>

enum { MOST = 10000 };

static mp_err write_folders(mp_request *r, const char *scope, bool files, mp_why *why)
{
    const mp_filter *filter;
    mp_folders found;
    mp_err err = mp_filter_parse(scope, r->arena, &filter, why);
    if (!err)
        err = mp_meta_list_folders(mp_core_meta(r->service->library), filter, files, MOST, r->arena,
                                   &found, why);
    if (err)
        return err;
    mp_reply_text(r, 200, "application/json", (mp_str){0});
    mp_sink s = mp_sink_to_text(&r->reply.body);
    mp_sink_object(&s, NULL);
    mp_sink_array(&s, "folders");
    for (size_t i = 0; i < found.n; i++) {
        mp_sink_object(&s, NULL);
        mp_sink_text(&s, "path", found.list[i].path);
        mp_sink_integer(&s, "count", found.list[i].count);
        mp_sink_end(&s);
    }
    mp_sink_end(&s);
    mp_sink_bool(&s, "more", found.more);
    mp_sink_end(&s);
    return MP_OK;
}

/* All that an answer depends on; false when the library cannot say. */
static bool make_key(mp_request *r, const char *scope, bool files, mp_buf *key)
{
    mp_generation now;
    if (mp_meta_generation(mp_core_meta(r->service->library), &now, NULL))
        return false;
    mp_buf_printf(key, "folders %lld %d %s", (long long)now.changes, files, scope ? scope : "*");
    return true;
}

void mp_handle_folders(mp_request *r)
{
    int64_t project;
    const char *scope;
    mp_why why = {0};
    mp_buf key = {0}, text = {0};
    if (!mp_query_project(r, &project) || !mp_scope_of(r, project, NULL, &scope))
        return;
    bool files = mp_request_may(r, "settings.read");
    bool keep = make_key(r, scope, files, &key);
    mp_span name = {(const uint8_t *)key.p, key.n};
    if (keep && mp_cache_get(r->service->results, name, &text)) {
        mp_reply_text(r, 200, "application/json", (mp_str){text.p, text.n});
    } else {
        mp_err err = write_folders(r, scope, files, &why);
        const mp_buf *body = &r->reply.body;
        if (err)
            mp_reply_failure(r, err, &why);
        else if (keep)
            mp_cache_put(r->service->results, name, (mp_span){(const uint8_t *)body->p, body->n});
    }
    mp_buf_free(&text);
    mp_buf_free(&key);
}
