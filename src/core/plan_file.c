/* plan_file.c - a duplicates plan as JSON: made of groups, written, read, kept as a draft. */
#include "core/plan.h"

#include <stdlib.h>
#include <string.h>

enum { PLAN_VERSION = 1, MAX_PLAN_BYTES = 256 * 1024 * 1024 };

/* ---- the file ---- */

static json_t *describe_member(const magpie_member *member, const mp_item *item)
{
    const char *path = member->path;
    char sha256[65];
    mp_hex(item->sha256, 32, sha256);
    return json_pack("{s:I, s:o, s:s, s:I, s:i, s:i, s:s, s:f}", "id", (json_int_t)item->id, "path",
                     json_stringn_nocheck(path, strlen(path)), "sha256", sha256, "bytes",
                     (json_int_t)item->bytes, "width", (int)item->width, "height",
                     (int)item->height, "reason", member->reason, "score", (double)member->score);
}

static mp_err describe_group(magpie *m, const magpie_group *group, json_t *to, mp_why *why)
{
    mp_arena *arena = mp_arena_new(0);
    json_t *trash = json_array(), *keep = NULL;
    mp_err err = MP_OK;
    for (size_t i = 0; !err && i < group->n; i++) {
        mp_item item;
        err = mp_meta_get_item(m->meta, group->member[i].id, arena, &item, why);
        if (err)
            break;
        json_t *row = describe_member(&group->member[i], &item);
        if (group->member[i].keep)
            keep = row;
        else
            json_array_append_new(trash, row);
    }
    if (!err && keep)
        json_array_append_new(to, json_pack("{s:O, s:O, s:f}", "keep", keep, "trash", trash,
                                            "weakest", (double)group->weakest));
    json_decref(keep);
    json_decref(trash);
    mp_arena_free(arena);
    return err;
}

magpie_err magpie_plan_write(magpie *m, const magpie_groups *groups, const char *path,
                             magpie_why *why)
{
    json_t *list = json_array();
    mp_err err = MP_OK;
    for (size_t i = 0; !err && i < groups->n; i++)
        err = describe_group(m, &groups->group[i], list, INNER(why));
    json_t *plan = json_pack("{s:i, s:s, s:I, s:O}", "magpie_plan", PLAN_VERSION, "library",
                             m->path, "created_ms", (json_int_t)mp_now_ms(), "groups", list);
    char *text = err ? NULL : json_dumps(plan, JSON_INDENT(2) | JSON_REAL_PRECISION(4));
    if (!err && !text)
        err = mp_fail(INNER(why), MP_INTERNAL, "the plan cannot be written as JSON");
    if (!err)
        err = mp_file_replace(path, text, strlen(text), INNER(why));
    free(text);
    json_decref(plan);
    json_decref(list);
    return OUTER(err);
}

static mp_err check_plan(json_t *plan, const char *what, json_t **out, mp_why *why)
{
    if (json_integer_value(json_object_get(plan, "magpie_plan")) != PLAN_VERSION ||
        !json_is_array(json_object_get(plan, "groups"))) {
        json_decref(plan);
        return mp_fail(why, MP_CORRUPT, "%s is not a plan of this version", what);
    }
    *out = plan;
    return MP_OK;
}

mp_err mp_plan_parse(const char *text, json_t **out, mp_why *why)
{
    *out = NULL;
    json_t *plan = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    return plan ? check_plan(plan, "the draft", out, why)
                : mp_fail(why, MP_CORRUPT, "the draft is not a plan");
}

mp_err mp_plan_read(const char *path, json_t **out, mp_why *why)
{
    uint8_t *text;
    size_t n;
    *out = NULL;
    mp_err err = mp_file_read(path, MAX_PLAN_BYTES, &text, &n, why);
    if (err)
        return err;
    json_error_t at;
    json_t *plan = json_loadb((const char *)text, n, JSON_REJECT_DUPLICATES, &at);
    free(text);
    if (!plan)
        return mp_fail(why, MP_CORRUPT, "%s is not a plan: line %d: %s", path, at.line, at.text);
    return check_plan(plan, path, out, why);
}

/* ---- drafts ---- */

static mp_err draft_row(magpie *m, int64_t id, mp_arena *arena, json_t **out, int64_t *bytes,
                        mp_why *why)
{
    mp_item item;
    *out = NULL;
    mp_err err = mp_meta_get_item(m->meta, id, arena, &item, why);
    if (err)
        return err;
    magpie_member member = {.path = item.path, .reason = "chosen", .score = 1};
    *bytes = item.bytes;
    *out = describe_member(&member, &item);
    return MP_OK;
}

static mp_err draft_group(magpie *m, const magpie_choice *choice, json_t *to, int64_t *bytes,
                          mp_why *why)
{
    mp_arena *arena = mp_arena_new(0);
    json_t *keep = NULL, *trash = json_array();
    int64_t unused;
    mp_err err = draft_row(m, choice->keep, arena, &keep, &unused, why);
    for (size_t i = 0; !err && i < choice->n; i++) {
        json_t *row = NULL;
        int64_t one = 0;
        if (choice->trash[i] == choice->keep)
            err =
                mp_fail(why, MP_INVALID, "#%lld is to be kept and to go", (long long)choice->keep);
        else
            err = draft_row(m, choice->trash[i], arena, &row, &one, why);
        if (!err)
            json_array_append_new(trash, row);
        *bytes += one;
    }
    if (!err)
        json_array_append_new(
            to, json_pack("{s:O, s:O, s:f}", "keep", keep, "trash", trash, "weakest", 1.0));
    json_decref(keep);
    json_decref(trash);
    mp_arena_free(arena);
    return err;
}

magpie_err magpie_plan_draft(magpie *m, const magpie_choice *choices, size_t n, int64_t user,
                             int64_t *plan_id, int64_t *bytes, magpie_why *why)
{
    json_t *list = json_array();
    mp_err err = MP_OK;
    *plan_id = 0;
    *bytes = 0;
    for (size_t i = 0; !err && i < n; i++)
        err = draft_group(m, &choices[i], list, bytes, INNER(why));
    json_t *plan = json_pack("{s:i, s:s, s:I, s:O}", "magpie_plan", PLAN_VERSION, "library",
                             m->path, "created_ms", (json_int_t)mp_now_ms(), "groups", list);
    char *text = err ? NULL : json_dumps(plan, JSON_COMPACT | JSON_REAL_PRECISION(4));
    if (!err && !text)
        err = mp_fail(INNER(why), MP_INTERNAL, "the plan cannot be written as JSON");
    if (!err)
        err = mp_meta_plan_draft(m->meta, text, user, plan_id, INNER(why));
    free(text);
    json_decref(plan);
    json_decref(list);
    return OUTER(err);
}
