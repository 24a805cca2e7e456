/* choose.c - which items are meant: filters to ids; and an item's own words. */
#include "core/core.h"

#include <stdlib.h>
#include <string.h>

mp_err mp_core_filter(const char *where, mp_arena *arena, const mp_filter **out, mp_why *why)
{
    *out = NULL;
    return where ? mp_filter_parse(where, arena, out, why) : MP_OK;
}

mp_err mp_core_ids(magpie *m, const char *where, int64_t **out, size_t *n, mp_why *why)
{
    mp_arena *arena = mp_arena_new(0);
    const mp_filter *filter;
    *out = NULL;
    *n = 0;
    mp_err err = mp_core_filter(where, arena, &filter, why);
    if (!err)
        err = mp_meta_ids(m->meta, filter, out, n, why);
    mp_arena_free(arena);
    return err;
}

void mp_core_item_words(const mp_item *item, mp_buf *out)
{
    if (*item->title)
        mp_buf_printf(out, "%s. ", item->title);
    if (*item->description)
        mp_buf_printf(out, "%s ", item->description);
    for (size_t i = 0; i < item->n_tags; i++)
        mp_buf_printf(out, "%s%s", i ? ", " : "", item->tags[i]);
}
