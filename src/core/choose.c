/* choose.c - which items are meant: filters to ids; and an item's own words.
 *
 * The same filters come again and again (a served library asks within somebody's projects each
 * time), so their ids are kept until the next change: a few sets, the oldest goes first. A set is
 * shared by who uses it and counts its holders. */
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

/* ---- kept sets ---- */

void mp_core_release(magpie *m, mp_chosen *set)
{
    if (!set)
        return;
    pthread_mutex_lock(&m->chosen_mutex);
    bool last = --set->holders == 0;
    pthread_mutex_unlock(&m->chosen_mutex);
    if (!last)
        return;
    free(set->ids);
    free(set->where);
    free(set);
}

static mp_chosen *find_kept(magpie *m, const char *where, int64_t changes)
{
    mp_chosen *found = NULL;
    pthread_mutex_lock(&m->chosen_mutex);
    for (size_t i = 0; !found && i < MP_COUNT(m->chosen); i++)
        if (m->chosen[i] && m->chosen[i]->changes == changes &&
            strcmp(m->chosen[i]->where, where) == 0)
            found = m->chosen[i];
    if (found)
        found->holders++;
    pthread_mutex_unlock(&m->chosen_mutex);
    return found;
}

/* In the place of one of the same filter, else of the one that came first. */
static void keep(magpie *m, mp_chosen *set)
{
    pthread_mutex_lock(&m->chosen_mutex);
    size_t at = m->chosen_next;
    for (size_t i = 0; i < MP_COUNT(m->chosen); i++)
        if (m->chosen[i] && strcmp(m->chosen[i]->where, set->where) == 0)
            at = i;
    if (at == m->chosen_next)
        m->chosen_next = (at + 1) % MP_COUNT(m->chosen);
    mp_chosen *old = m->chosen[at];
    m->chosen[at] = set;
    set->holders++;
    pthread_mutex_unlock(&m->chosen_mutex);
    mp_core_release(m, old);
}

mp_err mp_core_choose(magpie *m, const char *where, mp_chosen **out, mp_why *why)
{
    mp_generation now;
    int64_t *all = NULL;
    size_t n_all = 0;
    *out = NULL;
    /* First the number, then the ids: what comes between makes the set newer than it says. */
    mp_err err = mp_meta_generation(m->meta, &now, why);
    if (err)
        return err;
    *out = find_kept(m, where, now.changes);
    if (*out)
        return MP_OK;
    mp_chosen *set = mp_xcalloc(1, sizeof *set);
    *set = (mp_chosen){.where = mp_xstrdup(where), .changes = now.changes, .holders = 1};
    err = mp_core_ids(m, where, &set->ids, &set->n, why);
    if (!err)
        err = mp_meta_ids(m->meta, NULL, &all, &n_all, why);
    if (err) {
        mp_core_release(m, set);
        return err;
    }
    set->everything = set->n == n_all && (!n_all || !memcmp(set->ids, all, n_all * sizeof *all));
    free(all);
    keep(m, set);
    *out = set;
    return MP_OK;
}

void mp_core_forget_chosen(magpie *m)
{
    for (size_t i = 0; i < MP_COUNT(m->chosen); i++) {
        mp_core_release(m, m->chosen[i]);
        m->chosen[i] = NULL;
    }
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
