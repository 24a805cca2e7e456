/* models.c - the models of a library: listing them, filling the gaps of one. switch.c changes them.
 */
#include "core/core.h"

#include "model/catalogue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

magpie_err magpie_models(magpie *m, magpie_model_info **out, size_t *n, magpie_why *why)
{
    const char *known[MP_MODELS_LISTED];
    size_t count = mp_model_list(m->models_dir, known, MP_COUNT(known)), at = 0;
    char current[64];
    *out = NULL;
    *n = 0;
    mp_core_follow(m);
    mp_core_model_id(m, current);
    magpie_model_info *list = mp_xcalloc(1, (count + 1) * sizeof *list + sizeof current);
    while (at < count && strcmp(known[at], current) != 0)
        at++;
    if (at == count &&
        count < MP_COUNT(known)) { /* its files are gone: it is listed all the same */
        known[count] = memcpy(list + count + 1, current, sizeof current);
        count++;
    }
    for (size_t i = 0; i < count; i++) {
        mp_model_info info = {0};
        bool installed = mp_model_installed(known[i], m->models_dir, &info);
        bool told = installed || mp_model_describe(known[i], &info);
        const mp_manifest *entry = mp_catalogue_find(known[i]);
        list[i].id = known[i];
        list[i].current = strcmp(known[i], current) == 0;
        list[i].installed = installed;
        list[i].sha256 = installed ? info.sha256 : "";
        list[i].about = told ? info.about : entry ? entry->about : "";
        list[i].licence = told ? info.licence : entry ? entry->licence : "";
        list[i].dims = installed ? info.space[MP_SPACE_LOOK].dims : 0;
        mp_err err = mp_meta_count_vectors(m->meta, known[i], mp_space_word(MP_SPACE_LOOK),
                                           &list[i].items, INNER(why));
        if (err) {
            free(list);
            return OUTER(err);
        }
    }
    *out = list;
    *n = count;
    return MAGPIE_OK;
}

bool mp_course_progress(void *course, const magpie_progress *p)
{
    const mp_course *c = course;
    magpie_progress whole = *p;
    whole.done = MP_MIN(c->base + p->done, c->whole);
    whole.total = c->whole;
    return c->fn(c->context, &whole);
}

static uint64_t count_spaces(uint32_t mask)
{
    uint64_t n = 0;
    for (; mask; mask &= mask - 1)
        n++;
    return n;
}

static mp_err fill_words(magpie *m, mp_model *model, mp_why *why)
{
    enum { AT_ONCE = 64 };
    mp_vector_key key = mp_core_key(model, MP_SPACE_SENTENCE);
    int64_t *lacking = NULL;
    size_t n = 0;
    if (!key.dims)
        return MP_OK;
    mp_err err = mp_meta_lacking(m->meta, &key, &lacking, &n, why);
    for (size_t at = 0; !err && at < n; at += AT_ONCE)
        err = mp_core_fill_sentences(m, model, lacking + at, MP_MIN(n - at, (size_t)AT_ONCE), why);
    free(lacking);
    return err;
}

mp_err mp_core_fill_all(magpie *m, mp_model *model, mp_course *course, mp_why *why)
{
    uint32_t mask = mp_core_eager_mask(model);
    int64_t *ids = NULL;
    size_t n = 0;
    mp_err err = mp_core_ids(m, NULL, &ids, &n, why);
    course->base = 0;
    course->whole = count_spaces(mask) * n * (course->indexed ? 2 : 1);
    for (int s = 0; !err && s < MP_SPACE_SENTENCE; s++) {
        if (!(mask & (1u << s)))
            continue;
        err = mp_core_fill_space(m, model, (mp_space)s, ids, n, false,
                                 course->fn ? mp_course_progress : NULL, course, why);
        course->base += n;
    }
    free(ids);
    return err ? err : fill_words(m, model, why);
}

static mp_err fill_thumbnails(magpie *m, magpie_progress_fn on_progress, void *context, mp_why *why)
{
    mp_ticker ticker = mp_ticker_new(on_progress, context, "thumbnails");
    mp_arena *arena = mp_arena_new(0);
    int64_t *ids = NULL;
    size_t n = 0;
    mp_err err = mp_core_ids(m, NULL, &ids, &n, why);
    for (size_t i = 0; !err && i < n; i++) {
        mp_item item;
        uint8_t *data = NULL;
        size_t size;
        mp_why reason = {0};
        mp_arena_reset(arena);
        if (mp_meta_get_item(m->meta, ids[i], arena, &item, &reason) == MP_OK &&
            mp_core_thumbnail(m, &item, 256, &data, &size, &reason) != MP_OK)
            mp_log(MP_LOG_WARN, "#%lld has no thumbnail: %s", (long long)ids[i], reason.text);
        free(data);
        if (mp_ticker_poll(&ticker, i + 1, n, 0))
            err = mp_fail(why, MP_CANCELLED, "stopped; what is finished is kept");
    }
    free(ids);
    mp_arena_free(arena);
    return err;
}

static mp_err build_indexes(magpie *m, magpie_progress_fn on_progress, void *context, mp_why *why)
{
    mp_model *model;
    mp_err err = mp_core_model(m, &model, why);
    uint32_t mask = err ? 0 : mp_core_eager_mask(model);
    for (int s = 0; !err && s < MP_SPACE_SENTENCE; s++) {
        mp_index *unused;
        if (mask & (1u << s))
            err = mp_core_index(m, NULL, (mp_space)s, on_progress, context, &unused, why);
    }
    if (!err)
        mp_core_save_indexes(m);
    return err;
}

magpie_err magpie_reindex_items(magpie *m, const int64_t *ids, size_t n, magpie_why *why)
{
    mp_model *model;
    mp_arena *arena = mp_arena_new(0);
    mp_err err = mp_core_model(m, &model, INNER(why));
    uint32_t mask = err ? 0 : mp_core_eager_mask(model);
    for (size_t i = 0; !err && i < n; i++) { /* what cannot be read is said, not left out */
        mp_item item;
        int fd = -1;
        mp_arena_reset(arena);
        err = mp_meta_get_item(m->meta, ids[i], arena, &item, INNER(why));
        if (!err)
            err = mp_core_open_original(m, &item, &fd, INNER(why));
        if (fd >= 0)
            close(fd);
    }
    for (int s = 0; !err && s < MP_SPACE_SENTENCE; s++)
        if (mask & (1u << s))
            err = mp_core_fill_space(m, model, (mp_space)s, ids, n, true, NULL, NULL, INNER(why));
    if (!err)
        err = mp_core_fill_sentences(m, model, ids, n, INNER(why));
    mp_arena_free(arena);
    return OUTER(err);
}

magpie_err magpie_reindex(magpie *m, bool all, magpie_progress_fn on_progress, void *context,
                          magpie_why *why)
{
    mp_model *model;
    mp_err err = mp_core_begin_write(m, INNER(why));
    if (err)
        return OUTER(err);
    err = mp_core_model(m, &model, INNER(why));
    if (!err && all)
        err = mp_meta_drop_vectors(m->meta, mp_model_get_info(model)->id, INNER(why));
    mp_course course = {.fn = on_progress, .context = context};
    if (!err)
        err = mp_core_fill_all(m, model, &course, INNER(why));
    if (!err)
        err = fill_thumbnails(m, on_progress, context, INNER(why));
    if (!err) {
        mp_core_drop_indexes(m);
        mp_core_forget_snapshots(m, model);
        err = build_indexes(m, on_progress, context, INNER(why));
    }
    mp_core_end_write(m);
    return OUTER(err);
}
