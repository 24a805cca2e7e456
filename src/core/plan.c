/* plan.c - applying and undoing a duplicates plan, so that no crash loses a picture.
 *
 * Write-ahead: all steps are journalled (from, to, what will be merged) in one transaction before
 * the first file moves. A step is: merge into the kept item, move the file without overwriting,
 * sync both folders, and record the step and the item's state in one transaction. Each of these is
 * idempotent, so recovery runs the open plan again: a file that is already at `to` and no longer at
 * `from` has been moved. Undo walks the steps backwards by the same rule. Copied items keep their
 * blob: only their state changes. Of files with the same bytes, which are one item, a spare one is
 * moved the same way; its item stays, less a source. */
#include "core/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- one run ---- */

typedef struct run {
    magpie *m;
    magpie_plan_fn on_step;
    void *context;
    magpie_plan_report *report;
    mp_arena *arena;
    mp_plan_step *steps;
    size_t n, cap;
} run;

static void tell(const run *r, int64_t id, const char *path, const char *what)
{
    if (r->on_step)
        r->on_step(r->context, id, path, what);
}

static bool file_is(const char *path, const uint8_t sha256[32])
{
    uint8_t now[32];
    uint64_t bytes;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    if (fd < 0)
        return false;
    bool same = mp_core_hash_fd(fd, now, &bytes, NULL) == MP_OK && memcmp(now, sha256, 32) == 0;
    close(fd);
    return same;
}

static const char *path_of(const json_t *row, const mp_item *item)
{
    const char *path = json_string_value(json_object_get(row, "path"));
    return path && !item->copied ? path : item->path;
}

/* Is the file at `path` one of the item's? */
static bool is_source(magpie *m, const char *path, int64_t id)
{
    mp_arena *arena = mp_arena_new(0);
    mp_source source;
    bool is =
        mp_meta_get_source(m->meta, path, arena, &source, NULL) == MP_OK && source.item_id == id;
    mp_arena_free(arena);
    return is;
}

/* NULL when the row may be acted upon, else why not. */
static const char *obstacle(magpie *m, const json_t *row, const mp_item *item)
{
    char sha256[65];
    const char *planned = json_string_value(json_object_get(row, "sha256"));
    mp_hex(item->sha256, 32, sha256);
    if (item->state == MP_TRASHED)
        return "is in the trash already";
    if (!planned || strcmp(planned, sha256) != 0)
        return "changed since the plan was made";
    if (item->copied) {
        char key[96];
        uint64_t bytes;
        mp_core_original_key(item->sha256, key);
        return mp_blob_stat(m->blobs, key, &bytes, NULL) == MP_OK ? NULL : "its copy is missing";
    }
    const char *path = path_of(row, item);
    if (!is_source(m, path, item->id))
        return "is no file of this picture";
    return file_is(path, item->sha256) ? NULL : "its file is gone or changed";
}

/* Two paths to one file (a mount, a link to a folder): moving one would take the other away. */
static bool same_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Tags that the kept item will gain, as JSON; the journal needs them for undo. */
static char *plan_merge(run *r, const mp_item *keep, const mp_item *gone)
{
    json_t *tags = json_array();
    for (size_t i = 0; i < gone->n_tags; i++) {
        bool has = false;
        for (size_t k = 0; k < keep->n_tags; k++)
            has = has || strcmp(keep->tags[k], gone->tags[i]) == 0;
        if (!has)
            json_array_append_new(tags, json_string_nocheck(gone->tags[i]));
    }
    json_t *merge = json_pack("{s:o}", "tags", tags);
    if (!*keep->title && *gone->title)
        json_object_set_new(merge, "title", json_string_nocheck(gone->title));
    if (!*keep->description && *gone->description)
        json_object_set_new(merge, "description", json_string_nocheck(gone->description));
    char *text = json_dumps(merge, JSON_COMPACT);
    char *kept = mp_arena_strdup(r->arena, mp_str_of(text ? text : "{}"));
    free(text);
    json_decref(merge);
    return kept;
}

/* Where a file goes: the library's trash when on the same file system (a rename moves it), else a
 * trash folder beside it. The number of the step keeps files of one name apart. */
static mp_err choose_target(run *r, int64_t id, const char *from, int64_t number, const char **to,
                            mp_why *why)
{
    char path[PATH_MAX];
    struct stat here, there;
    const char *slash = strrchr(from, '/');
    int dir_n = slash ? (int)(slash - from) : -1;
    *to = "";
    if (dir_n < 0)
        return mp_fail(why, MP_INVALID, "not an absolute path: %s", from);
    snprintf(path, sizeof path, "%.*s/", dir_n, from);
    if (stat(path, &here) != 0)
        return mp_fail_errno(why, errno, "cannot stat %s", path);
    if (stat(r->m->path, &there) != 0)
        return mp_fail_errno(why, errno, "cannot stat %s", r->m->path);
    int n = here.st_dev == there.st_dev
                ? snprintf(path, sizeof path, "%s/trash/%lld/%lld.%zu-%s", r->m->path,
                           (long long)number, (long long)id, r->n, slash + 1)
                : snprintf(path, sizeof path, "%.*s/.magpie-trash/%lld/%lld.%zu-%s", dir_n, from,
                           (long long)number, (long long)id, r->n, slash + 1);
    if (n >= (int)sizeof path)
        return mp_fail(why, MP_TOO_BIG, "the path in the trash would be too long: %s", slash + 1);
    *to = mp_arena_strdup(r->arena, mp_str_of(path));
    return MP_OK;
}

static void skip(run *r, int64_t id, const char *path, const char *what)
{
    r->report->skipped++;
    tell(r, id, path, what);
}

/* Marks a step that moves one of an item's files and leaves the item: see is_spare. */
static const char SPARE[] = "{\"file\":true}";

static mp_err add_step(run *r, const mp_item *item, int64_t keep_id, const char *from,
                       const char *merged, int64_t number, mp_why *why)
{
    const char *to = "";
    mp_err err = item->copied ? MP_OK : choose_target(r, item->id, from, number, &to, why);
    if (err)
        return err;
    if (r->n == r->cap) {
        r->cap = r->cap ? r->cap * 2 : 64;
        r->steps = mp_xrealloc(r->steps, r->cap * sizeof *r->steps);
    }
    r->steps[r->n++] =
        (mp_plan_step){.item_id = item->id,
                       .keep_id = keep_id,
                       .from = item->copied ? "" : mp_arena_strdup(r->arena, mp_str_of(from)),
                       .to = to,
                       .merged = merged};
    r->report->trashed++;
    r->report->bytes += item->bytes;
    return MP_OK;
}

typedef struct kept {
    mp_item item;
    const char *path;
} kept;

/* Plans one row: spare files first (`spares`), items in a second round, so that an item's own state
 * is the last to change. */
static mp_err plan_one(run *r, const json_t *row, const kept *keep, bool spares, int64_t number,
                       mp_why *why)
{
    mp_item item;
    int64_t id = json_integer_value(json_object_get(row, "id"));
    mp_err err = mp_meta_get_item(r->m->meta, id, r->arena, &item, why);
    if (err == MP_NOT_FOUND) {
        if (!spares)
            skip(r, id, "", "is not in the library");
        return MP_OK;
    }
    if (err)
        return err;
    const char *path = path_of(row, &item);
    bool spare = id == keep->item.id || strcmp(path, item.path) != 0;
    if (spare != spares)
        return MP_OK;
    if (id == keep->item.id && (item.copied || strcmp(path, keep->path) == 0))
        return mp_fail(why, MP_INVALID, "the plan keeps and trashes #%lld", (long long)id);
    const char *trouble = obstacle(r->m, row, &item);
    if (!trouble && !item.copied && same_file(path, keep->path))
        trouble = "is the very file that is kept";
    if (trouble) {
        skip(r, id, path, trouble);
        return MP_OK;
    }
    return add_step(r, &item, keep->item.id, path,
                    spare ? SPARE : plan_merge(r, &keep->item, &item), number, why);
}

static mp_err plan_group(run *r, const json_t *group, int64_t number, mp_why *why)
{
    const json_t *keep_row = json_object_get(group, "keep"), *row;
    json_t *trash = json_object_get(group, "trash");
    kept keep;
    size_t i;
    int64_t id = json_integer_value(json_object_get(keep_row, "id"));
    mp_err err = mp_meta_get_item(r->m->meta, id, r->arena, &keep.item, why);
    const char *trouble = err ? "is not in the library" : obstacle(r->m, keep_row, &keep.item);
    if (err && err != MP_NOT_FOUND)
        return err;
    if (trouble) { /* without the one to keep, nothing of the group may go */
        json_array_foreach(trash, i, row) skip(r, json_integer_value(json_object_get(row, "id")),
                                               "", "the picture to keep is gone or changed");
        return MP_OK;
    }
    keep.path = path_of(keep_row, &keep.item);
    r->report->groups++;
    err = MP_OK;
    for (int round = 0; round < 2; round++) {
        json_array_foreach(trash, i, row)
        {
            if (!err)
                err = plan_one(r, row, &keep, round == 0, number, why);
        }
    }
    return err;
}

/* ---- steps ---- */

static mp_err merge_words(magpie *m, const mp_plan_step *step, bool undo, mp_why *why)
{
    json_t *merge = json_loads(step->merged, 0, NULL), *tag;
    const char *one;
    size_t i;
    mp_err err = MP_OK;
    json_array_foreach(json_object_get(merge, "tags"), i, tag)
    {
        one = json_string_value(tag);
        if (one && !err)
            err = undo ? mp_meta_tag(m->meta, &step->keep_id, 1, NULL, 0, &one, 1, why)
                       : mp_meta_tag(m->meta, &step->keep_id, 1, &one, 1, NULL, 0, why);
    }
    const char *title = json_string_value(json_object_get(merge, "title"));
    const char *description = json_string_value(json_object_get(merge, "description"));
    if (!err && (title || description))
        err = mp_meta_describe(m->meta, step->keep_id, title ? (undo ? "" : title) : NULL,
                               description ? (undo ? "" : description) : NULL, why);
    json_decref(merge);
    /* The kept item may have been removed by hand since: nothing to take back then. */
    return err == MP_NOT_FOUND ? MP_OK : err;
}

static void folder_of(const char *path, char out[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    int n = slash == path ? 1 : (int)(slash - path);
    snprintf(out, PATH_MAX, "%.*s", n, path);
}

/* Moves without overwriting; done already is fine. EXISTS: both places are taken. *moved: the file
 * is at `to` now, even when an error came after that. */
static mp_err move_file(const char *from, const char *to, bool *moved, mp_why *why)
{
    *moved = false;
    char dir[PATH_MAX];
    struct stat st;
    folder_of(to, dir);
    mp_err err = mp_mkdirs(dir, why);
    if (err)
        return err;
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) != 0) {
        bool arrived = errno == ENOENT && lstat(to, &st) == 0;
        if (!arrived)
            return mp_fail_errno(why, errno, "cannot move %s to %s", from, to);
    }
    *moved = true;
    err = mp_dir_sync(dir, why);
    if (err)
        return err;
    folder_of(from, dir);
    err = mp_dir_sync(dir, why);
    return err == MP_NOT_FOUND ? MP_OK : err;
}

/* A file that cannot be moved is left where it is; the rest of the plan goes on. One that was
 * moved, but perhaps not durably, stops the plan: its step stays open, and the next open finishes
 * it. */
static bool only_this_file(mp_err err, bool moved)
{
    return !moved && (err == MP_EXISTS || err == MP_NOT_FOUND || err == MP_IO);
}

static bool is_spare(const mp_plan_step *step)
{
    json_t *merged = json_loads(step->merged, 0, NULL);
    bool is = json_is_true(json_object_get(merged, "file"));
    json_decref(merged);
    return is;
}

/* Tells the item of the file that went away or came back. */
static mp_err change_source(magpie *m, const mp_plan_step *step, bool undo, mp_why *why)
{
    mp_source_change change = {.kind = undo ? MP_SOURCE_EXTRA : MP_SOURCE_DROP,
                               .path = step->from,
                               .old_path = "",
                               .item_id = step->item_id};
    struct stat st;
    if (undo && stat(step->from, &st) != 0)
        return mp_fail_errno(why, errno, "cannot stat %s", step->from);
    if (undo) {
        change.bytes = st.st_size;
        change.mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    }
    return mp_meta_change_sources(m->meta, &change, 1, why);
}

static mp_err apply_step(run *r, int64_t plan_id, size_t at, mp_why *why)
{
    const mp_plan_step *step = &r->steps[at];
    mp_err err = MP_OK;
    mp_why reason = {0};
    bool spare = is_spare(step), moved = false;
    if (step->state != MP_STEP_PENDING)
        return MP_OK;
    if (*step->from)
        err = move_file(step->from, step->to, &moved, &reason);
    if (err && !only_this_file(err, moved))
        return mp_fail(why, err, "%s", reason.text);
    if (err) {
        skip(r, step->item_id, step->from, reason.text);
        return mp_meta_plan_step(r->m->meta, plan_id, at, MP_STEP_SKIPPED, MP_PRESENT, why);
    }
    err = spare ? change_source(r->m, step, false, why) : merge_words(r->m, step, false, why);
    if (!err)
        err = mp_meta_plan_step(r->m->meta, plan_id, at, MP_STEP_DONE,
                                spare ? MP_PRESENT : MP_TRASHED, why);
    if (!err)
        tell(r, step->item_id, step->from, "trashed");
    return err;
}

static mp_err apply_steps(run *r, int64_t plan_id, mp_why *why)
{
    mp_err err = MP_OK;
    for (size_t i = 0; !err && i < r->n; i++)
        err = apply_step(r, plan_id, i, why);
    return err ? err : mp_meta_plan_set_state(r->m->meta, plan_id, MP_PLAN_APPLIED, why);
}

static mp_err undo_step(run *r, int64_t plan_id, size_t at, mp_why *why)
{
    const mp_plan_step *step = &r->steps[at];
    mp_err err = MP_OK;
    mp_why reason = {0};
    bool moved = false;
    if (step->state != MP_STEP_DONE)
        return MP_OK;
    if (*step->from)
        err = move_file(step->to, step->from, &moved, &reason);
    if (err && !only_this_file(err, moved))
        return mp_fail(why, err, "%s", reason.text);
    if (err) {
        skip(r, step->item_id, step->to, reason.text);
        return MP_OK;
    }
    err =
        is_spare(step) ? change_source(r->m, step, true, why) : merge_words(r->m, step, true, why);
    if (!err)
        err = mp_meta_plan_step(r->m->meta, plan_id, at, MP_STEP_PENDING, MP_PRESENT, why);
    if (!err) {
        r->report->trashed++;
        tell(r, step->item_id, step->from, "restored");
    }
    return err;
}

static mp_err undo_steps(run *r, int64_t plan_id, mp_why *why)
{
    mp_err err = MP_OK;
    for (size_t i = r->n; !err && i-- > 0;)
        err = undo_step(r, plan_id, i, why);
    return err ? err : mp_meta_plan_set_state(r->m->meta, plan_id, MP_PLAN_UNDONE, why);
}

/* ---- calls ---- */

/* The trash folder of a plan is named before its row exists: by the clock, unique enough because
 * steps never overwrite. */
static int64_t folder_number(void)
{
    return mp_now_ms();
}

/* Applies a plan as a new row, or (draft not 0) as the draft's own. */
static mp_err apply_plan(run *r, json_t *plan, int64_t draft, bool dry_run, mp_why *why)
{
    const json_t *group;
    size_t i;
    int64_t number = folder_number();
    mp_err err = MP_OK;
    json_array_foreach(json_object_get(plan, "groups"), i, group)
    {
        err = plan_group(r, group, number, why);
        if (err)
            return err;
    }
    for (i = 0; dry_run && i < r->n; i++)
        tell(r, r->steps[i].item_id, r->steps[i].from, "would be trashed");
    if (dry_run || (r->n == 0 && !draft))
        return MP_OK;
    char *text = json_dumps(plan, JSON_COMPACT);
    err = mp_meta_plan_begin(r->m->meta, draft, text ? text : "{}", r->steps, r->n,
                             &r->report->plan_id, why);
    free(text);
    return err ? err : apply_steps(r, r->report->plan_id, why);
}

magpie_err magpie_plan_apply(magpie *m, const char *path, bool dry_run, magpie_plan_fn on_step,
                             void *context, magpie_plan_report *report, magpie_why *why)
{
    magpie_plan_report unused;
    run r = {.m = m, .on_step = on_step, .context = context, .arena = mp_arena_new(0)};
    json_t *plan = NULL;
    bool locked = false;
    r.report = report ? report : &unused;
    *r.report = (magpie_plan_report){0};
    mp_err err = mp_plan_read(path, &plan, INNER(why));
    if (!err && !dry_run) {
        err = mp_core_begin_write(m, INNER(why));
        locked = !err;
    }
    if (!err)
        err = apply_plan(&r, plan, 0, dry_run, INNER(why));
    if (locked)
        mp_core_end_write(m);
    json_decref(plan);
    free(r.steps);
    mp_arena_free(r.arena);
    return OUTER(err);
}

magpie_err magpie_plan_apply_draft(magpie *m, int64_t plan_id, magpie_plan_fn on_step,
                                   void *context, magpie_plan_report *report, magpie_why *why)
{
    magpie_plan_report unused;
    run r = {.m = m, .on_step = on_step, .context = context};
    json_t *plan = NULL;
    mp_plan_info info;
    r.report = report ? report : &unused;
    *r.report = (magpie_plan_report){0};
    mp_err err = mp_core_begin_write(m, INNER(why));
    if (err)
        return OUTER(err);
    r.arena = mp_arena_new(0);
    err = mp_meta_plan_info(m->meta, plan_id, r.arena, &info, INNER(why));
    if (!err && info.state != MP_PLAN_DRAFT)
        err = mp_fail(INNER(why), MP_EXISTS, "plan %lld was applied already", (long long)plan_id);
    if (!err)
        err = mp_plan_parse(info.json, &plan, INNER(why));
    if (!err)
        err = apply_plan(&r, plan, plan_id, false, INNER(why));
    json_decref(plan);
    free(r.steps);
    mp_arena_free(r.arena);
    mp_core_end_write(m);
    return OUTER(err);
}

static mp_err load_plan(run *r, int64_t wanted, mp_plan_state wanted_state, int64_t *id,
                        mp_plan_state *state, mp_why *why)
{
    return mp_meta_plan_get(r->m->meta, wanted, wanted_state, r->arena, id, state, &r->steps, &r->n,
                            why);
}

magpie_err magpie_plan_undo(magpie *m, int64_t plan_id, magpie_plan_fn on_step, void *context,
                            magpie_plan_report *report, magpie_why *why)
{
    magpie_plan_report unused;
    run r = {.m = m, .on_step = on_step, .context = context};
    mp_plan_state state;
    int64_t id = 0;
    r.report = report ? report : &unused;
    *r.report = (magpie_plan_report){0};
    mp_err err = mp_core_begin_write(m, INNER(why));
    if (err)
        return OUTER(err);
    r.arena = mp_arena_new(0);
    err = load_plan(&r, plan_id, plan_id ? 0 : MP_PLAN_APPLIED, &id, &state, INNER(why));
    if (err == MP_NOT_FOUND)
        err = mp_fail(INNER(why), MP_NOT_FOUND, "there is no applied plan to undo");
    if (!err && state == MP_PLAN_DRAFT)
        err = mp_fail(INNER(why), MP_INVALID, "plan %lld is not applied yet", (long long)id);
    if (!err && state == MP_PLAN_UNDONE)
        err = mp_fail(INNER(why), MP_INVALID, "plan %lld is undone already", (long long)id);
    if (!err)
        err = mp_meta_plan_set_state(m->meta, id, MP_PLAN_UNDOING, INNER(why));
    if (!err)
        err = undo_steps(&r, id, INNER(why));
    r.report->plan_id = id;
    mp_arena_free(r.arena); /* the steps are in it */
    mp_core_end_write(m);
    return OUTER(err);
}

static mp_err recover_state(magpie *m, mp_plan_state wanted, mp_why *why)
{
    magpie_plan_report unused = {0};
    run r = {.m = m, .report = &unused, .arena = mp_arena_new(0)};
    mp_plan_state state;
    int64_t id;
    mp_err err = load_plan(&r, 0, wanted, &id, &state, why);
    if (!err) {
        mp_log(MP_LOG_WARN, "finishing plan %lld, which was interrupted", (long long)id);
        err = wanted == MP_PLAN_APPLYING ? apply_steps(&r, id, why) : undo_steps(&r, id, why);
    } else if (err == MP_NOT_FOUND) {
        err = MP_OK;
    }
    mp_arena_free(r.arena);
    return err;
}

static bool any_open(magpie *m)
{
    static const mp_plan_state open_states[] = {MP_PLAN_APPLYING, MP_PLAN_UNDOING};
    bool found = false;
    for (size_t i = 0; i < MP_COUNT(open_states); i++) {
        run r = {.m = m, .arena = mp_arena_new(0)};
        mp_plan_state state;
        int64_t id;
        found = found || load_plan(&r, 0, open_states[i], &id, &state, NULL) == MP_OK;
        mp_arena_free(r.arena);
    }
    return found;
}

mp_err mp_core_recover_plans(magpie *m, mp_why *why)
{
    if (!any_open(m))
        return MP_OK;
    /* Under the lock: whoever holds it may be at work on that very plan. */
    mp_err err = mp_core_begin_write(m, why);
    if (err)
        return err;
    err = recover_state(m, MP_PLAN_APPLYING, why);
    if (!err)
        err = recover_state(m, MP_PLAN_UNDOING, why);
    mp_core_end_write(m);
    return err;
}
