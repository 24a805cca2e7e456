/* switch.c - from one model to another while the library is in use.
 *
 * Vectors and indexes of the new model are made in the shadow: searches and uploads go on with the
 * old one, and what a stop leaves unfinished is found by the next try. Then, with the write lock
 * held, what came in meanwhile is made up for, and setting, model and indexes change at once. Calls
 * that are inside the old model end with it, or are told to ask once more (mp_core_index). The old
 * one's vectors stay in the database, so that the way back is short.
 *
 * A library may be open in several processes: one that did not switch sees it by the setting,
 * before each of its own writes at the latest. */
#include "core/core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Between two looks at the setting by calls that only read. */
static const int64_t LOOK_EVERY_MS = 1000;
/* Rounds without the lock: the last of them finds what came in during the one before. */
enum { ROUNDS = 2 };

/* `writing` is held. model NULL: it is opened when first needed. shadow NULL: no indexes yet. */
static void install(magpie *m, const char *id, mp_model *model, space_index *shadow)
{
    pthread_mutex_lock(&m->engine);
    for (int s = 0; s < MP_SPACES; s++)
        pthread_mutex_lock(&m->space[s].mutex);
    mp_model *old = m->model;
    if (old) { /* others may be inside of it */
        m->old_models = mp_xrealloc(m->old_models, (m->n_old_models + 1) * sizeof(*m->old_models));
        m->old_models[m->n_old_models++] = old;
    }
    m->turn++;
    m->model = model;
    snprintf(m->model_id, sizeof m->model_id, "%s", id);
    snprintf(m->model_sha256, sizeof m->model_sha256, "%s",
             model ? mp_model_get_info(model)->sha256 : "");
    for (int s = 0; s < MP_SPACES; s++)
        mp_core_replace_index(&m->space[s], shadow ? &shadow[s] : NULL);
    for (int s = MP_SPACES - 1; s >= 0; s--)
        pthread_mutex_unlock(&m->space[s].mutex);
    pthread_mutex_unlock(&m->engine);
}

/* ---- following another process ---- */

/* Does the library say another model than this process has? */
static bool differs(magpie *m, char said[64])
{
    char id[64];
    mp_core_model_id(m, id);
    return mp_meta_get_setting(m->meta, "model", said, 64, NULL) == MP_OK && strcmp(said, id) != 0;
}

void mp_core_follow_locked(magpie *m)
{
    char said[64];
    if (!differs(m, said))
        return;
    mp_log(MP_LOG_INFO, "another process switched the library to the model %s", said);
    install(m, said, NULL, NULL);
}

void mp_core_follow(magpie *m)
{
    char said[64];
    int64_t now = mp_now_ms(), looked = atomic_load(&m->looked_ms);
    if (now >= looked && now - looked < LOOK_EVERY_MS)
        return;
    atomic_store(&m->looked_ms, now);
    if (!differs(m, said) || pthread_mutex_trylock(&m->writing) != 0)
        return;
    mp_core_follow_locked(m);
    pthread_mutex_unlock(&m->writing);
}

/* ---- switching ---- */

/* The indexes of `model` that the library's own has ready, too. */
static mp_err build_shadow(magpie *m, const mp_model *model, space_index shadow[MP_SPACES],
                           mp_course *course, mp_why *why)
{
    uint32_t mask = mp_core_eager_mask(model);
    mp_err err = MP_OK;
    for (int s = 0; !err && s < MP_SPACE_SENTENCE; s++) {
        if (!(mask & (1u << s)))
            continue;
        err = mp_core_index_of(m, model, (mp_space)s, &shadow[s],
                               course->fn ? mp_course_progress : NULL, course, why);
        course->base += shadow[s].index ? mp_index_count(shadow[s].index) : 0;
    }
    return err;
}

static mp_err make_up(magpie *m, mp_model *model, space_index shadow[MP_SPACES], mp_course *course,
                      mp_why *why)
{
    mp_err err = mp_core_fill_all(m, model, course, why);
    return err ? err : build_shadow(m, model, shadow, course, why);
}

/* Takes `model` over, whatever comes of it. */
static mp_err switch_to(magpie *m, mp_model *model, mp_course *course, mp_why *why)
{
    space_index shadow[MP_SPACES] = {0};
    mp_err err = MP_OK;
    for (int i = 0; !err && i < ROUNDS; i++)
        err = make_up(m, model, shadow, course, why);
    if (!err)
        err = mp_core_begin_write(m, why);
    if (!err) {
        const char *id = mp_model_get_info(model)->id;
        err = make_up(m, model, shadow, course, why);
        if (!err)
            err = mp_meta_set_setting(m->meta, "model", id, why);
        if (!err) {
            mp_core_save_indexes(m); /* of the old model, for the way back */
            install(m, id, model, shadow);
            model = NULL;
            mp_core_save_indexes(m);
        }
        mp_core_end_write(m);
    }
    for (int s = 0; s < MP_SPACES; s++)
        mp_core_free_index(&shadow[s]);
    mp_model_close(model);
    return err;
}

magpie_err magpie_use_model(magpie *m, const char *id, magpie_progress_fn on_progress,
                            void *context, magpie_why *why)
{
    mp_model *model = NULL;
    mp_course course = {.fn = on_progress, .context = context, .indexed = true};
    if (m->read_only)
        return OUTER(mp_fail(INNER(why), MP_IO, "the library %s is open read-only", m->path));
    mp_err err = mp_core_open_model(m, id, &model, INNER(why));
    return OUTER(err ? err : switch_to(m, model, &course, INNER(why)));
}
