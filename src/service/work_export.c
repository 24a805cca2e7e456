/* work_export.c - jobs of type export: a ZIP file under exports/, whole or absent. See worker.h. */
#include "service/work.h"

#include "pack/export.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void mp_export_path(magpie *library, int64_t job_id, char *out, size_t cap)
{
    snprintf(out, cap, "%s/exports/%lld.zip", magpie_path(library), (long long)job_id);
}

static mp_err read_formats(const json_t *params, unsigned *out, mp_why *why)
{
    static const struct {
        const char *word;
        unsigned bit;
    } words[] = {{"json", MP_EXPORT_JSON}, {"csv", MP_EXPORT_CSV}, {"coco", MP_EXPORT_COCO}};
    const json_t *list = json_object_get(params, "manifests"), *word;
    size_t i;
    *out = list ? 0 : MP_EXPORT_JSON;
    json_array_foreach(list, i, word)
    {
        unsigned bit = 0;
        for (size_t k = 0; k < MP_COUNT(words); k++)
            if (json_is_string(word) && strcmp(words[k].word, json_string_value(word)) == 0)
                bit = words[k].bit;
        if (!bit)
            return mp_fail(why, MP_INVALID, "params.manifests holds json, csv and coco");
        *out |= bit;
    }
    return MP_OK;
}

mp_err mp_check_export(const json_t *params, const mp_net_allow *allow, mp_why *why)
{
    (void)allow; /* it reaches nobody */

    static const mp_param list[] = {
        {"where", JSON_STRING, false},   {"title", JSON_STRING, false},
        {"originals", JSON_TRUE, false}, {"thumbnails", JSON_TRUE, false},
        {"vectors", JSON_TRUE, false},   {"manifests", JSON_ARRAY, false}};
    unsigned unused;
    const mp_filter *filter;
    mp_err err = mp_work_params(params, list, MP_COUNT(list), why);
    if (!err)
        err = read_formats(params, &unused, why);
    if (!err) {
        mp_arena *arena = mp_arena_new(0);
        err = mp_filter_parse(mp_work_text(params, "where"), arena, &filter, why);
        mp_arena_free(arena);
    }
    return err;
}

/* Absent is yes for originals, no for the rest. */
static bool flag(const json_t *params, const char *name, bool otherwise)
{
    const json_t *value = json_object_get(params, name);
    return value ? json_is_true(value) : otherwise;
}

/* The file gets its name when it is whole and on the disk; what a crash leaves is written over by
 * the next attempt. */
static mp_err write_file(magpie *library, const mp_export_options *opt, const char *folder,
                         const char *path, mp_export_report *report, mp_why *why)
{
    char part[PATH_MAX + 8];
    snprintf(part, sizeof part, "%s.part", path);
    int fd = open(part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return mp_fail_errno(why, errno, "cannot write the export");
    mp_err err = mp_export_write(library, opt, fd, report, why);
    close(fd);
    if (!err && rename(part, path) != 0)
        err = mp_fail_errno(why, errno, "cannot keep the export");
    if (err)
        unlink(part);
    return err ? err : mp_dir_sync(folder, why);
}

mp_err mp_work_export(mp_worker *w, mp_job_run *run, const json_t *params, json_t **result,
                      mp_why *why)
{
    char folder[PATH_MAX], path[PATH_MAX];
    mp_export_report report;
    const mp_job *job = mp_job_of(run);
    mp_arena *arena = mp_arena_new(0);
    mp_export_options opt = {.originals = flag(params, "originals", true),
                             .thumbnails = flag(params, "thumbnails", false),
                             .vectors = flag(params, "vectors", false),
                             .title = mp_work_text(params, "title"),
                             .on_progress = mp_work_progress,
                             .context = run};
    snprintf(folder, sizeof folder, "%s/exports", magpie_path(w->opt.library));
    mp_export_path(w->opt.library, job->id, path, sizeof path);
    opt.scratch = folder;
    mp_err err = mp_check_export(params, NULL, why);
    if (!err)
        err = read_formats(params, &opt.manifests, why);
    if (!err)
        err = mp_work_scope(job, mp_work_text(params, "where"), arena, &opt.where, why);
    if (!err)
        err = mp_mkdirs(folder, why);
    if (!err)
        err = write_file(w->opt.library, &opt, folder, path, &report, why);
    if (!err) {
        mp_job_log(run, MP_LOG_INFO, "%llu pictures, %llu bytes", (unsigned long long)report.images,
                   (unsigned long long)report.bytes);
        *result = json_pack("{s:I, s:I, s:I, s:I}", "images", (json_int_t)report.images, "skipped",
                            (json_int_t)report.skipped, "vectors", (json_int_t)report.vectors,
                            "bytes", (json_int_t)report.bytes);
    }
    mp_arena_free(arena);
    return err;
}
