/* add_paths.c - magpie_add: which files are new. See ingest.h.
 *
 * The calling thread walks, compares with what is known, and then takes analysed files from the
 * pipeline in order, a batch at a time. */
#include "core/ingest.h"
#include "core/walk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const double BATCH_AGE_S = 0.25; /* a slow source must not hold back finished pictures */

typedef struct adding {
    ingest g;
    ingest_how how;
    const magpie_add_options *opt;
    magpie_add_report *report;
    mp_ticker ticker;
} adding;

/* ---- reporting ---- */

static void report(const adding *d, const char *path, magpie_outcome outcome, int64_t id,
                   mp_err err, const char *reason)
{
    d->report->outcomes[outcome]++;
    if (!d->opt->on_file)
        return;
    magpie_file_event e = {.path = path,
                           .outcome = outcome,
                           .id = id,
                           .err = OUTER(err),
                           .reason = reason ? reason : ""};
    d->opt->on_file(d->opt->context, &e);
}

static void report_entry(ingest *g, const ingest_entry *e, int64_t id)
{
    report(g->context, e->a.path, e->outcome, id, e->a.err, e->a.err ? e->a.why.text : "");
}

/* ---- looking for files ---- */

static bool poll_walk(void *context, size_t found)
{
    adding *d = context;
    return mp_ticker_poll(&d->ticker, found, 0, 0);
}

/* Roots: the given paths, absolute and resolved. A path that is not there but is known counts: its
 * file has vanished. */
static mp_err find_files(adding *d, const char *const *paths, size_t n, mp_walk_list *list,
                         mp_walk_list *roots, char *absent, size_t cap, mp_why *why)
{
    mp_walk_options walk = {.no_recurse = d->opt->no_recurse,
                            .hidden = d->opt->hidden,
                            .skip = d->g.m->path,
                            .poll = poll_walk,
                            .context = d};
    mp_err err = MP_OK;
    for (size_t i = 0; !err && i < n; i++) {
        char path[PATH_MAX];
        struct stat st;
        if (!realpath(paths[i], path) || stat(path, &st) != 0) {
            mp_source source;
            if (paths[i][0] == '/' &&
                mp_meta_get_source(d->g.m->meta, paths[i], d->g.arena, &source, NULL) == MP_OK)
                mp_walk_add(roots, paths[i]);
            else if (!*absent)
                snprintf(absent, cap, "%s", paths[i]);
            continue;
        }
        mp_walk_add(roots, path);
        if (S_ISDIR(st.st_mode))
            err = mp_walk_folder(path, &walk, list, why);
        else
            mp_walk_add(list, path);
    }
    mp_walk_sort(list);
    mp_walk_sort(roots);
    return err;
}

static int source_order(const void *a, const void *b)
{
    return strcmp(((const mp_source *)a)->path, ((const mp_source *)b)->path);
}

static mp_err load_sources(ingest *g, const mp_walk_list *roots, mp_why *why)
{
    for (size_t i = 0; i < roots->n; i++) {
        mp_source *more;
        size_t n;
        mp_err err = mp_meta_list_sources(g->m->meta, roots->path[i], g->arena, &more, &n, why);
        if (err)
            return err;
        if (n == 0)
            continue;
        g->sources = mp_xrealloc(g->sources, (g->n_sources + n) * sizeof *g->sources);
        memcpy(g->sources + g->n_sources, more, n * sizeof *more);
        g->n_sources += n;
    }
    if (g->n_sources)
        qsort(g->sources, g->n_sources, sizeof *g->sources, source_order);
    return MP_OK;
}

/* Files whose size and time are what they were are not read again. */
static bool untouched(const adding *d, const char *path)
{
    const mp_source *known = mp_ingest_source(&d->g, path);
    struct stat st;
    if (!known || known->missing || known->trashed || d->opt->rehash || stat(path, &st) != 0)
        return false;
    return st.st_size == known->bytes &&
           (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec == known->mtime_ns;
}

static size_t leave_out_untouched(const adding *d, const mp_walk_list *list, const char **to_read)
{
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++) {
        if (!d->opt->copy && untouched(d, list->path[i]))
            report(d, list->path[i], MAGPIE_UNCHANGED,
                   mp_ingest_source(&d->g, list->path[i])->item_id, MP_OK, NULL);
        else
            to_read[n++] = list->path[i];
    }
    return n;
}

static mp_err read_all(adding *d, const char *const *paths, size_t n, mp_why *why)
{
    ingest *g = &d->g;
    pipeline *p = NULL;
    size_t done = 0;
    d->ticker.stage = "add";
    /* One more reader than decoders, so that hashing the next file overlaps with decoding. */
    mp_err err = mp_pipeline_open(&p, &g->plan, paths, n, g->m->decoders + 1, why);
    while (!err && done < n) {
        analysis a;
        if (mp_pipeline_next(p, &a, 50)) {
            d->report->bytes += (uint64_t)a.bytes;
            err = mp_ingest_take(g, &a, &d->how, NULL, why);
            done++;
        }
        bool old = g->n_entries && mp_monotonic_s() - g->batch_began > BATCH_AGE_S;
        if (!err && old)
            err = mp_ingest_flush(g, why);
        if (!err && mp_ticker_poll(&d->ticker, done, n, d->report->bytes))
            err = mp_fail(why, MP_CANCELLED, "stopped; what is finished is kept");
    }
    if (!err || err == MP_CANCELLED) {
        mp_err last = mp_ingest_flush(g, err ? NULL : why);
        err = err ? err : last;
    }
    mp_pipeline_close(p);
    return err;
}

/* Known below the given paths, not walked over, and really not there any more. */
static mp_err note_vanished(const adding *d, const mp_walk_list *list, mp_why *why)
{
    const ingest *g = &d->g;
    mp_err err = MP_OK;
    for (size_t i = 0; !err && i < g->n_sources; i++) {
        const mp_source *s = &g->sources[i];
        struct stat st;
        mp_source now;
        if (s->missing || s->trashed || mp_walk_has(list, s->path) || lstat(s->path, &st) == 0 ||
            (errno != ENOENT && errno != ENOTDIR))
            continue;
        if (mp_meta_get_source(g->m->meta, s->path, g->arena, &now, NULL) != MP_OK)
            continue; /* moved in this run */
        mp_source_change c = {.kind = MP_SOURCE_MISSING, .path = s->path, .item_id = s->item_id};
        err = mp_meta_change_sources(g->m->meta, &c, 1, why);
        if (!err)
            report(d, s->path, MAGPIE_VANISHED, s->item_id, MP_OK, NULL);
    }
    return err;
}

static void report_unread(const adding *d, const mp_walk_list *list)
{
    for (size_t i = 0; i < list->n_unread; i++)
        report(d, list->unread[i], MAGPIE_REFUSED, 0, MP_IO,
               list->unread[i] + strlen(list->unread[i]) + 1);
}

static mp_err adding_open(adding *d, magpie *m, const magpie_add_options *opt,
                          magpie_add_report *report_to, mp_why *why)
{
    *d = (adding){.opt = opt,
                  .report = report_to,
                  .ticker = mp_ticker_new(opt->on_progress, opt->context, "scan"),
                  .how = {.project_id = 1, .tags = opt->tags, .n_tags = opt->n_tags}};
    mp_err err = mp_ingest_open(&d->g, m, why);
    d->g.report = report_entry;
    d->g.context = d;
    d->g.plan.copy = opt->copy;
    d->g.plan.project_id = d->how.project_id;
    return err;
}

magpie_err magpie_add(magpie *m, const char *const *paths, size_t n, const magpie_add_options *opt,
                      magpie_add_report *report_to, magpie_why *why)
{
    static const magpie_add_options defaults;
    magpie_add_report unused;
    mp_walk_list list = {0}, roots = {0};
    char absent[512] = "";
    const char **to_read = NULL;
    size_t n_read = 0;
    report_to = report_to ? report_to : &unused;
    *report_to = (magpie_add_report){0};
    mp_err err = mp_core_begin_write(m, INNER(why));
    if (err)
        return OUTER(err);
    adding *d = mp_xcalloc(1, sizeof *d); /* two batches of analyses: much for a stack */
    err = adding_open(d, m, opt ? opt : &defaults, report_to, INNER(why));
    if (!err)
        err = find_files(d, paths, n, &list, &roots, absent, sizeof absent, INNER(why));
    if (!err)
        err = load_sources(&d->g, &roots, INNER(why));
    if (err)
        goto done;
    report_unread(d, &list);
    to_read = mp_xcalloc(list.n, sizeof *to_read);
    n_read = leave_out_untouched(d, &list, to_read);
    err = read_all(d, to_read, n_read, INNER(why));
    if (!err)
        err = note_vanished(d, &list, INNER(why));
    if (!err && *absent)
        err = mp_fail(INNER(why), MP_NOT_FOUND, "no such file or folder: %s", absent);
done:
    report_to->elapsed_s = mp_monotonic_s() - d->ticker.began;
    free(to_read);
    mp_ingest_close(&d->g);
    free(d);
    mp_walk_free(&list);
    mp_walk_free(&roots);
    mp_core_end_write(m);
    return OUTER(err);
}
