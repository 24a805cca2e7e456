/* ingest.c - magpie_add: which files are new, and how they become items.
 *
 * The calling thread walks, compares with what is known, and then takes analysed files from the
 * pipeline in order. It collects them into batches: one encode call, one metadata transaction, and
 * only then the file events. Nothing is reported before it is durable, and what is not reported is
 * wholly there or wholly absent. */
#include "core/analyse.h"
#include "core/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BATCH = 16, SMALL_PX = 256 };
static const double BATCH_AGE_S = 0.25; /* a slow source must not hold back finished pictures */

/* One file of a batch: how it will be recorded and reported. */
typedef struct entry {
    analysis a;
    magpie_outcome outcome;
    int64_t id;
    bool put; /* has a row in `puts` */
    size_t put_at;
} entry;

typedef struct ingest {
    magpie *m;
    const magpie_add_options *opt;
    magpie_add_report *report;
    mp_model *model;
    analysis_plan plan;
    int view_of[MP_SPACES];
    mp_ticker ticker;

    mp_source *sources; /* known below the given paths, by path */
    size_t n_sources;
    mp_arena *arena; /* of sources */

    entry entries[BATCH];
    size_t n_entries;
    double batch_began;
    mp_put puts[BATCH];
    size_t n_puts;
    mp_source_change before[BATCH], after[BATCH];
    size_t n_before, n_after;
    float *vectors[MP_SPACES]; /* BATCH x dims */
    float *tag_sentence;       /* of opt->tags; NULL: none */
} ingest;

/* ---- reporting ---- */

static void report(ingest *g, const char *path, magpie_outcome outcome, int64_t id, mp_err err,
                   const char *reason)
{
    g->report->outcomes[outcome]++;
    if (!g->opt->on_file)
        return;
    magpie_file_event e = {.path = path,
                           .outcome = outcome,
                           .id = id,
                           .err = OUTER(err),
                           .reason = reason ? reason : ""};
    g->opt->on_file(g->opt->context, &e);
}

/* ---- a batch ---- */

static mp_err encode_batch(ingest *g, mp_why *why)
{
    mp_views views[BATCH] = {0};
    for (size_t i = 0; i < g->n_entries; i++) {
        const entry *e = &g->entries[i];
        for (int s = 0; e->put && s < MP_SPACES; s++)
            if (g->view_of[s] >= 0)
                views[e->put_at].px[s] = e->a.decoded.view[g->view_of[s]].px;
    }
    return mp_model_encode_images(g->model, views, g->n_puts, mp_core_eager_mask(g->model),
                                  g->vectors, why);
}

static size_t attach_vectors(ingest *g, mp_vector *rows)
{
    size_t n = 0;
    for (size_t i = 0; i < g->n_puts; i++) {
        g->puts[i].vectors = rows + n;
        size_t began = n;
        for (int s = 0; s < MP_SPACES; s++) {
            mp_vector_key key = mp_core_key(g->model, (mp_space)s);
            const float *data = g->view_of[s] >= 0       ? g->vectors[s] + i * (size_t)key.dims
                                : s == MP_SPACE_SENTENCE ? g->tag_sentence
                                                         : NULL;
            if (data)
                rows[n++] = (mp_vector){.model = key.model,
                                        .model_sha256 = key.model_sha256,
                                        .space = key.space,
                                        .dims = key.dims,
                                        .data = data};
        }
        g->puts[i].n_vectors = n - began;
    }
    return n;
}

static void forget_batch(ingest *g)
{
    for (size_t i = 0; i < g->n_entries; i++)
        mp_analysis_free(&g->entries[i].a);
    g->n_entries = g->n_puts = g->n_before = g->n_after = 0;
}

static mp_err flush(ingest *g, mp_why *why)
{
    mp_vector rows[BATCH * MP_SPACES];
    mp_err err = MP_OK;
    if (g->n_puts)
        err = encode_batch(g, why);
    if (!err)
        attach_vectors(g, rows);
    if (!err && g->n_before)
        err = mp_meta_change_sources(g->m->meta, g->before, g->n_before, why);
    if (!err && g->n_puts)
        err = mp_meta_put_items(g->m->meta, g->puts, g->n_puts, why);
    if (!err && g->n_after)
        err = mp_meta_change_sources(g->m->meta, g->after, g->n_after, why);
    for (size_t i = 0; !err && i < g->n_entries; i++) {
        entry *e = &g->entries[i];
        report(g, e->a.path, e->outcome, e->put ? g->puts[e->put_at].item.id : e->id, e->a.err,
               e->a.err ? e->a.why.text : "");
    }
    forget_batch(g);
    return err;
}

/* ---- what a file means ---- */

static const mp_source *known_source(const ingest *g, const char *path)
{
    size_t low = 0, high = g->n_sources;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(g->sources[middle].path, path);
        if (order == 0)
            return &g->sources[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void add_put(ingest *g, entry *e, int64_t item_id)
{
    const mp_decoded *d = &e->a.decoded;
    const mp_quality *q = &d->quality;
    mp_item item = {.id = item_id,
                    .copied = e->a.copied,
                    .path = *e->a.path == '/' ? e->a.path : "",
                    .name = base_name(e->a.path),
                    .title = "",
                    .description = "",
                    .format = mp_format_word(d->format),
                    .width = d->width,
                    .height = d->height,
                    .frames = d->frames,
                    .bytes = e->a.bytes,
                    .mtime_ns = e->a.mtime_ns,
                    .taken_ms = d->taken_ms,
                    .added_ms = mp_now_ms(),
                    .sharpness = q->sharpness,
                    .brightness = q->brightness,
                    .contrast = q->contrast,
                    .entropy = q->entropy,
                    .issues = q->issues,
                    .tags = g->opt->tags,
                    .n_tags = g->opt->n_tags};
    memcpy(item.sha256, e->a.sha256, sizeof item.sha256);
    memcpy(item.phash, d->phash, sizeof item.phash);
    e->put = true;
    e->put_at = g->n_puts;
    g->puts[g->n_puts++] = (mp_put){.item = item};
}

/* The bytes are those of an item that is there: what does this path tell about it? */
static mp_err take_twin(ingest *g, entry *e, const mp_source *known, mp_why *why)
{
    mp_arena *arena = mp_arena_new(0);
    mp_item item;
    struct stat st;
    mp_source_change c = {.kind = MP_SOURCE_EXTRA,
                          .path = e->a.path,
                          .item_id = e->a.twin,
                          .bytes = e->a.bytes,
                          .mtime_ns = e->a.mtime_ns};
    mp_err err = mp_meta_get_item(g->m->meta, e->a.twin, arena, &item, why);
    if (err)
        goto done;
    e->id = item.id;
    e->outcome = MAGPIE_KNOWN;
    if (*e->a.path != '/')
        goto done; /* bytes without a path: nothing to note */
    if (known && known->item_id == item.id) {
        e->outcome = known->missing ? MAGPIE_MOVED : MAGPIE_UNCHANGED;
        c.kind = MP_SOURCE_SEEN;
    } else if (*item.path && lstat(item.path, &st) != 0 && errno == ENOENT) {
        const mp_source *old = known_source(g, item.path);
        e->outcome = MAGPIE_MOVED;
        c.kind = MP_SOURCE_MOVED;
        c.old_path = mp_arena_strdup(g->arena, mp_str_of(old ? old->path : item.path));
    }
    if (known && known->item_id != item.id) /* the path leaves the item that it belonged to */
        g->before[g->n_before++] = (mp_source_change){
            .kind = MP_SOURCE_DROP, .path = e->a.path, .item_id = known->item_id};
    g->after[g->n_after++] = c;
done:
    mp_arena_free(arena);
    return err;
}

static void take_new(ingest *g, entry *e, const mp_source *known, int64_t twin)
{
    int64_t item_id = twin; /* not 0 only to bring in the bytes of a referenced item */
    e->outcome = twin ? MAGPIE_KNOWN : MAGPIE_ADDED;
    if (known && known->item_id != twin) {
        e->outcome = MAGPIE_CHANGED;
        /* The old bytes may live on at another path: then this one becomes an item of its own. */
        if (known->primary && known->others == 0 && !known->trashed)
            item_id = known->item_id;
        else
            g->before[g->n_before++] = (mp_source_change){
                .kind = MP_SOURCE_DROP, .path = e->a.path, .item_id = known->item_id};
    }
    add_put(g, e, item_id);
}

static bool batch_holds(const ingest *g, const uint8_t sha256[32])
{
    for (size_t i = 0; i < g->n_puts; i++)
        if (memcmp(g->puts[i].item.sha256, sha256, 32) == 0)
            return true;
    return false;
}

static bool is_copied(magpie *m, int64_t id)
{
    mp_arena *arena = mp_arena_new(0);
    mp_item item;
    bool copied = mp_meta_get_item(m->meta, id, arena, &item, NULL) == MP_OK && item.copied;
    mp_arena_free(arena);
    return copied;
}

/* Takes over `a`. */
static mp_err take(ingest *g, analysis *a, mp_why *why)
{
    mp_err err = MP_OK;
    if (!a->err && !a->twin && batch_holds(g, a->sha256))
        err = flush(g, why); /* the twin must have its id first */
    int64_t twin = 0;
    if (!err && !a->err && !a->twin)
        err = mp_meta_find_sha256(g->m->meta, a->sha256, &twin, why);
    if (err) {
        mp_analysis_free(a);
        return err;
    }
    if (twin && (!a->copied || is_copied(g->m, twin)))
        a->twin = twin;
    if (g->n_entries == 0)
        g->batch_began = mp_monotonic_s();
    entry *e = &g->entries[g->n_entries++];
    *e = (entry){.a = *a};
    g->report->bytes += (uint64_t)a->bytes;
    const mp_source *known = known_source(g, a->path);
    if (a->err == MP_FULL || a->err == MP_NOMEM || a->err == MP_INTERNAL)
        err = mp_fail(why, a->err, "%s", a->why.text); /* ours, not the picture's fault */
    else if (a->err)
        e->outcome = a->no_picture ? MAGPIE_SKIPPED : MAGPIE_REFUSED;
    else if (e->a.twin)
        err = take_twin(g, e, known, why);
    else
        take_new(g, e, known, twin);
    if (err) {
        mp_analysis_free(&e->a);
        g->n_entries--;
    }
    if (!err && g->n_entries == BATCH)
        err = flush(g, why);
    return err;
}

/* ---- opening ---- */

static mp_err prepare_tags(ingest *g, mp_why *why)
{
    const mp_space_info *space = &mp_model_get_info(g->model)->space[MP_SPACE_SENTENCE];
    if (!g->opt->n_tags || !space->dims)
        return MP_OK;
    mp_item words = {
        .title = "", .description = "", .tags = g->opt->tags, .n_tags = g->opt->n_tags};
    mp_buf text = {0};
    mp_core_item_words(&words, &text);
    mp_str view = {text.p, text.n};
    g->tag_sentence = mp_xcalloc((size_t)space->dims, sizeof(float));
    mp_err err = mp_model_encode_sentences(g->model, &view, 1, g->tag_sentence, why);
    mp_buf_free(&text);
    return err;
}

static mp_err ingest_open(ingest *g, magpie *m, const magpie_add_options *opt,
                          magpie_add_report *report_to, mp_why *why)
{
    *g = (ingest){.m = m,
                  .opt = opt,
                  .report = report_to,
                  .arena = mp_arena_new(0),
                  .ticker = mp_ticker_new(opt->on_progress, opt->context, "scan")};
    mp_err err = mp_core_model(m, &g->model, why);
    if (!err)
        err = mp_core_decoder(m, &g->plan.decoder, why);
    if (err)
        return err;
    g->plan.m = m;
    g->plan.copy = opt->copy;
    g->plan.spec.analysis = true;
    g->plan.spec.thumbnail = SMALL_PX;
    mp_core_views(g->model, mp_core_eager_mask(g->model), &g->plan.spec, g->view_of);
    const mp_model_info *info = mp_model_get_info(g->model);
    for (int s = 0; s < MP_SPACES; s++)
        if (g->view_of[s] >= 0)
            g->vectors[s] = mp_xcalloc((size_t)BATCH * (size_t)info->space[s].dims, sizeof(float));
    return prepare_tags(g, why);
}

static void ingest_close(ingest *g)
{
    forget_batch(g);
    for (int s = 0; s < MP_SPACES; s++)
        free(g->vectors[s]);
    free(g->tag_sentence);
    mp_arena_free(g->arena);
}

/* ---- looking for files ---- */

static bool poll_walk(void *context, size_t found)
{
    ingest *g = context;
    return mp_ticker_poll(&g->ticker, found, 0, 0);
}

/* Roots: the given paths, absolute and resolved. A path that is not there but is known counts: its
 * file has vanished. */
static mp_err find_files(ingest *g, const char *const *paths, size_t n, mp_walk_list *list,
                         mp_walk_list *roots, char *absent, size_t cap, mp_why *why)
{
    mp_walk_options walk = {.no_recurse = g->opt->no_recurse,
                            .hidden = g->opt->hidden,
                            .skip = g->m->path,
                            .poll = poll_walk,
                            .context = g};
    mp_err err = MP_OK;
    for (size_t i = 0; !err && i < n; i++) {
        char path[PATH_MAX];
        struct stat st;
        if (!realpath(paths[i], path) || stat(path, &st) != 0) {
            mp_source source;
            if (paths[i][0] == '/' &&
                mp_meta_get_source(g->m->meta, paths[i], g->arena, &source, NULL) == MP_OK)
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
static bool untouched(const ingest *g, const char *path)
{
    const mp_source *known = known_source(g, path);
    struct stat st;
    if (!known || known->missing || known->trashed || g->opt->rehash || stat(path, &st) != 0)
        return false;
    return st.st_size == known->bytes &&
           (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec == known->mtime_ns;
}

static size_t leave_out_untouched(ingest *g, const mp_walk_list *list, const char **to_read)
{
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++) {
        if (!g->opt->copy && untouched(g, list->path[i]))
            report(g, list->path[i], MAGPIE_UNCHANGED, known_source(g, list->path[i])->item_id,
                   MP_OK, NULL);
        else
            to_read[n++] = list->path[i];
    }
    return n;
}

static mp_err read_all(ingest *g, const char *const *paths, size_t n, mp_why *why)
{
    pipeline *p = NULL;
    size_t done = 0;
    g->ticker.stage = "add";
    /* One more reader than decoders, so that hashing the next file overlaps with decoding. */
    mp_err err = mp_pipeline_open(&p, &g->plan, paths, n, g->m->decoders + 1, why);
    while (!err && done < n) {
        analysis a;
        if (mp_pipeline_next(p, &a, 50)) {
            err = take(g, &a, why);
            done++;
        }
        bool old = g->n_entries && mp_monotonic_s() - g->batch_began > BATCH_AGE_S;
        if (!err && old)
            err = flush(g, why);
        if (!err && mp_ticker_poll(&g->ticker, done, n, g->report->bytes))
            err = mp_fail(why, MP_CANCELLED, "stopped; what is finished is kept");
    }
    if (!err || err == MP_CANCELLED) {
        mp_err last = flush(g, err ? NULL : why);
        err = err ? err : last;
    }
    mp_pipeline_close(p);
    return err;
}

/* Known below the given paths, not walked over, and really not there any more. */
static mp_err note_vanished(ingest *g, const mp_walk_list *list, mp_why *why)
{
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
            report(g, s->path, MAGPIE_VANISHED, s->item_id, MP_OK, NULL);
    }
    return err;
}

static void report_unread(ingest *g, const mp_walk_list *list)
{
    for (size_t i = 0; i < list->n_unread; i++)
        report(g, list->unread[i], MAGPIE_REFUSED, 0, MP_IO,
               list->unread[i] + strlen(list->unread[i]) + 1);
}

magpie_err magpie_add(magpie *m, const char *const *paths, size_t n, const magpie_add_options *opt,
                      magpie_add_report *report_to, magpie_why *why)
{
    static const magpie_add_options defaults;
    magpie_add_report unused;
    ingest g = {0};
    mp_walk_list list = {0}, roots = {0};
    char absent[512] = "";
    const char **to_read = NULL;
    size_t n_read = 0;
    report_to = report_to ? report_to : &unused;
    *report_to = (magpie_add_report){0};
    mp_err err = mp_core_begin_write(m, INNER(why));
    if (err)
        return OUTER(err);
    err = ingest_open(&g, m, opt ? opt : &defaults, report_to, INNER(why));
    if (!err)
        err = find_files(&g, paths, n, &list, &roots, absent, sizeof absent, INNER(why));
    if (!err)
        err = load_sources(&g, &roots, INNER(why));
    if (err)
        goto done;
    report_unread(&g, &list);
    to_read = mp_xcalloc(list.n, sizeof *to_read);
    n_read = leave_out_untouched(&g, &list, to_read);
    err = read_all(&g, to_read, n_read, INNER(why));
    if (!err)
        err = note_vanished(&g, &list, INNER(why));
    if (!err && *absent)
        err = mp_fail(INNER(why), MP_NOT_FOUND, "no such file or folder: %s", absent);
done:
    report_to->elapsed_s = mp_monotonic_s() - g.ticker.began;
    free(to_read);
    free(g.sources);
    ingest_close(&g);
    mp_walk_free(&list);
    mp_walk_free(&roots);
    mp_core_end_write(m);
    return OUTER(err);
}

/* ---- one picture from memory ---- */

typedef struct outcome_sink {
    magpie_file_event event;
} outcome_sink;

static void keep_event(void *context, const magpie_file_event *e)
{
    ((outcome_sink *)context)->event = *e;
}

static int memory_file(const void *data, size_t n, mp_why *why)
{
    int fd = memfd_create("picture", MFD_CLOEXEC);
    if (fd < 0) {
        (void)mp_fail_errno(why, errno, "cannot make a memory file");
        return -1;
    }
    if (mp_write_all(fd, data, n, "a memory file", why)) {
        close(fd);
        return -1;
    }
    return fd;
}

magpie_err magpie_add_bytes(magpie *m, const void *data, size_t n, const char *name, int64_t *id,
                            magpie_outcome *outcome, magpie_why *why)
{
    *id = 0;
    if (!name || !*name || strchr(name, '/'))
        return OUTER(mp_fail(INNER(why), MP_INVALID, "a name without slashes is needed"));
    ingest g = {0};
    outcome_sink sink = {0};
    magpie_add_report unused = {0};
    magpie_add_options opt = {.copy = true, .on_file = keep_event, .context = &sink};
    int fd = memory_file(data, n, INNER(why));
    if (fd < 0)
        return MAGPIE_IO;
    mp_err err = mp_core_begin_write(m, INNER(why));
    if (err) {
        close(fd);
        return OUTER(err);
    }
    err = ingest_open(&g, m, &opt, &unused, INNER(why));
    if (!err) {
        analysis a = {.path = name};
        mp_analyse_fd(&g.plan, fd, &a);
        if (a.err) {
            err = mp_fail(INNER(why), a.err, "%s: %s", name, a.why.text);
            mp_analysis_free(&a);
        } else {
            err = take(&g, &a, INNER(why));
        }
    }
    if (!err)
        err = flush(&g, INNER(why));
    if (!err) {
        *id = sink.event.id;
        if (outcome)
            *outcome = sink.event.outcome;
    }
    ingest_close(&g);
    mp_core_end_write(m);
    close(fd);
    return OUTER(err);
}
