/* work_dedup.c - processing jobs that look for duplicates: the groups are kept for whoever pages
 * through them. See worker.h and clusters.h. */
#include "service/access.h"
#include "service/clusters.h"
#include "service/work.h"

#include "base/os.h"
#include "core/ports.h"

#include <string.h>

enum { IDS = 10000, PROJECTS = 10000 };

mp_err mp_check_dedup(const json_t *params, mp_why *why)
{
    const char *kind = mp_work_text(params, "kind");
    const json_t *projects = json_object_get(params, "projects"), *id;
    double threshold = json_number_value(json_object_get(params, "threshold"));
    size_t i;
    if (*kind && strcmp(kind, "same") != 0 && strcmp(kind, "similar") != 0)
        return mp_fail(why, MP_INVALID, "params.kind must be same or similar");
    if (!(threshold >= 0 && threshold <= 1))
        return mp_fail(why, MP_INVALID, "params.threshold must be from 0 to 1");
    json_array_foreach(projects, i, id)
    {
        if (!json_is_integer(id) || i >= PROJECTS)
            return mp_fail(why, MP_INVALID, "params.projects is at most %d numbers", PROJECTS);
    }
    return MP_OK;
}

static bool listed(const json_t *list, int64_t id)
{
    const json_t *one;
    size_t i;
    json_array_foreach(list, i, one)
    {
        if (json_integer_value(one) == id)
            return true;
    }
    return false;
}

/* What whoever asked reaches now, of the projects that they asked for. The system reaches all. */
static mp_err reach_of(mp_worker *w, const mp_job *job, const json_t *projects, mp_arena *arena,
                       mp_access *out, mp_why *why)
{
    mp_user user;
    *out = (mp_access){.all = true};
    mp_err err = MP_OK;
    if (job->user_id)
        err = mp_meta_get_user(mp_core_meta(w->opt.library), job->user_id, arena, &user, why);
    if (!err && job->user_id)
        err = mp_access_of(w->opt.library, &user, NULL, arena, out, why);
    if (err || !projects)
        return err;
    size_t n = out->all ? json_array_size(projects) : out->n, kept = 0;
    mp_reach *reach = mp_arena_alloc(arena, (n + 1) * sizeof *reach);
    if (!reach)
        return mp_fail(why, MP_NOMEM, "no memory for the projects");
    for (size_t i = 0; i < n; i++) {
        mp_reach one =
            out->all ? (mp_reach){.project_id = json_integer_value(json_array_get(projects, i))}
                     : out->reach[i];
        if (listed(projects, one.project_id))
            reach[kept++] = one;
    }
    *out = (mp_access){.reach = reach, .n = kept};
    return MP_OK;
}

/* The pictures of the first groups, for who looks at the job alone. */
static json_t *summary(const magpie_groups *groups)
{
    json_t *clusters = json_array();
    int64_t saved = 0;
    size_t ids_left = IDS;
    for (size_t g = 0; g < groups->n; g++) {
        const magpie_group *group = &groups->group[g];
        saved += group->bytes_saved;
        ids_left = group->n <= ids_left ? ids_left - group->n : 0;
        json_t *ids = json_array();
        for (size_t i = 0; ids_left && i < group->n; i++)
            json_array_append_new(ids, json_integer(group->member[i].id));
        if (ids_left)
            json_array_append(clusters, ids);
        json_decref(ids);
    }
    return json_pack("{s:I, s:I, s:I, s:o}", "total", (json_int_t)groups->n, "bytes_saved",
                     (json_int_t)saved, "not_compared", (json_int_t)groups->not_compared,
                     "clusters", clusters);
}

mp_err mp_work_dedup(mp_worker *w, mp_job_run *run, const json_t *params, json_t **result,
                     mp_why *why)
{
    magpie_groups *groups = NULL;
    mp_access access;
    mp_buf bytes = {0};
    const mp_job *job = mp_job_of(run);
    mp_arena *arena = mp_arena_new(0);
    bool similar = strcmp(mp_work_text(params, "kind"), "similar") == 0;
    magpie_dupe_options opt = {.kind = similar ? MAGPIE_SIMILAR : MAGPIE_SAME_PICTURE,
                               .threshold =
                                   (float)json_number_value(json_object_get(params, "threshold")),
                               .on_progress = mp_work_progress,
                               .context = run};
    double began = mp_monotonic_s();
    mp_err err = reach_of(w, job, json_object_get(params, "projects"), arena, &access, why);
    if (!err)
        err = mp_access_where(&access, job->project_id, mp_work_text(params, "where"), arena,
                              &opt.where, why);
    if (!err)
        err = (mp_err)magpie_duplicates(w->opt.library, &opt, &groups, (magpie_why *)(void *)why);
    if (!err) {
        mp_clusters_pack(groups, mp_monotonic_s() - began, &bytes);
        err = mp_clusters_keep(w->opt.library, job->id,
                               (mp_span){(const uint8_t *)bytes.p, bytes.n}, why);
    }
    if (!err)
        *result = summary(groups);
    magpie_groups_free(groups);
    mp_buf_free(&bytes);
    mp_arena_free(arena);
    return err;
}
