/* retention.c - see retention.h. */
#include "service/retention.h"

#include "core/ports.h"
#include "meta/assets.h"
#include "meta/products.h"

#include <stdlib.h>
#include <string.h>

enum { DAYS_MAX = 36500, AT_ONCE = 500 };
static const int64_t DAY_MS = 24LL * 3600 * 1000;
static const char MEMBER[] = "retention_days";

mp_err mp_retention_check(const json_t *config, mp_why *why)
{
    const json_t *days = json_object_get(config, MEMBER);
    json_int_t n = json_integer_value(days);
    if (!days || (json_is_integer(days) && n >= 1 && n <= DAYS_MAX))
        return MP_OK;
    return mp_fail(why, MP_INVALID, "config.%s must be a whole number from 1 to %d", MEMBER,
                   DAYS_MAX);
}

int64_t mp_retention_days(const char *config)
{
    json_t *o = json_loads(config, 0, NULL);
    int64_t days = mp_retention_check(o, NULL) ? 0 : json_integer_value(json_object_get(o, MEMBER));
    json_decref(o);
    return days;
}

/* Takes out those that products show. */
static mp_err leave_products(mp_meta *meta, int64_t *ids, size_t *n, mp_why *why)
{
    mp_product_asset *pairs;
    size_t n_pairs, kept = 0;
    mp_err err = mp_meta_products_of_assets(meta, ids, *n, &pairs, &n_pairs, why);
    if (err)
        return err;
    for (size_t i = 0; i < *n; i++) {
        bool shown = false;
        for (size_t k = 0; k < n_pairs; k++)
            shown = shown || pairs[k].asset_id == ids[i];
        if (!shown)
            ids[kept++] = ids[i];
    }
    free(pairs);
    *n = kept;
    return MP_OK;
}

/* One page of a project's assets: those before the time go. *after: the last one that was looked
 * at; *more: there may be others. */
static mp_err sweep_page(magpie *library, int64_t project_id, int64_t before_ms, int64_t *after,
                         bool *more, size_t *removed, mp_why *why)
{
    mp_meta *meta = mp_core_meta(library);
    mp_arena *arena = mp_arena_new(0);
    mp_asset *list;
    size_t n = 0, old = 0, gone = 0;
    int64_t ids[AT_ONCE];
    mp_err err =
        mp_meta_list_assets(meta, project_id, NULL, NULL, *after, AT_ONCE, arena, &list, &n, why);
    for (size_t i = 0; !err && i < n; i++) {
        *after = list[i].id;
        if (list[i].added_ms < before_ms)
            ids[old++] = list[i].id;
    }
    *more = !err && n == AT_ONCE;
    if (!err && old)
        err = leave_products(meta, ids, &old, why);
    if (!err && old)
        err = mp_core_remove(library, ids, old, &gone, why);
    *removed += gone;
    mp_arena_free(arena);
    return err;
}

mp_err mp_retention_apply(magpie *library, const mp_project *p, int64_t now_ms,
                          bool (*stop)(void *context), void *context, size_t *removed, mp_why *why)
{
    int64_t days = mp_retention_days(p->config), after = 0;
    bool more = days > 0 && strcmp(p->status, "active") == 0;
    mp_err err = MP_OK;
    *removed = 0;
    while (!err && more) {
        err = sweep_page(library, p->id, now_ms - days * DAY_MS, &after, &more, removed, why);
        if (!err && stop && stop(context))
            err = mp_fail(why, MP_CANCELLED, "stopped");
    }
    return err;
}
