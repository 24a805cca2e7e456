/* health.c - magpie_get_stats and magpie_verify. */
#include "core/core.h"

#include "meta/assets.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- figures ---- */

typedef struct sizes {
    uint64_t thumbnails, originals;
} sizes;

static bool add_thumbnail(void *context, const char *key, uint64_t bytes)
{
    (void)key;
    ((sizes *)context)->thumbnails += bytes;
    return false;
}

static bool add_original(void *context, const char *key, uint64_t bytes)
{
    (void)key;
    ((sizes *)context)->originals += bytes;
    return false;
}

static uint64_t file_bytes(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static uint64_t library_bytes(const magpie *m, const char *model, const sizes *s)
{
    static const char *const parts[] = {"magpie.db", "magpie.db-wal"};
    char path[PATH_MAX];
    uint64_t sum = s->thumbnails + s->originals;
    for (size_t i = 0; i < MP_COUNT(parts); i++) {
        snprintf(path, sizeof path, "%s/%s", m->path, parts[i]);
        sum += file_bytes(path);
    }
    for (int i = 0; i < MP_SPACES; i++) {
        snprintf(path, sizeof path, "%s/index/%s-%s.idx", m->path, model,
                 mp_space_word((mp_space)i));
        sum += file_bytes(path);
    }
    return sum;
}

magpie_err magpie_get_stats(magpie *m, magpie_stats *out, magpie_why *why)
{
    mp_meta_stats meta = {0};
    sizes s = {0};
    mp_model_info info = {0};
    *out = (magpie_stats){0};
    mp_core_follow(m);
    mp_core_model_id(m, out->model);
    mp_err err = mp_meta_stats_get(m->meta, &meta, INNER(why));
    if (!err)
        err = mp_blob_list(m->blobs, "thumbs/", add_thumbnail, &s, INNER(why));
    if (!err)
        err = mp_blob_list(m->blobs, "originals/", add_original, &s, INNER(why));
    if (!err)
        err = mp_meta_count_vectors(m->meta, out->model, mp_space_word(MP_SPACE_LOOK),
                                    &out->vectors, INNER(why));
    if (err)
        return OUTER(err);
    out->items = meta.items;
    out->missing = meta.missing;
    out->trashed = meta.trashed;
    out->copied = meta.copied;
    out->bytes_pictures = meta.bytes;
    out->tags = meta.tags;
    out->verdicts = meta.verdicts;
    memcpy(out->issues, meta.issues, sizeof out->issues);
    out->bytes_thumbnails = s.thumbnails;
    out->bytes_library = library_bytes(m, out->model, &s);
    if (mp_model_installed(out->model, m->models_dir, &info)) {
        snprintf(out->model_sha256, sizeof out->model_sha256, "%s", info.sha256);
        mp_index *index;
        err = mp_core_index(m, NULL, MP_SPACE_LOOK, NULL, NULL, &index, INNER(why));
        if (!err) {
            out->distinct_vectors = mp_index_count_distinct(index);
            snprintf(out->index, sizeof out->index, "%s", mp_index_kind(index));
        }
    }
    return OUTER(err);
}

/* ---- verify ---- */

typedef struct verification {
    magpie *m;
    bool deep;
    magpie_problem_fn on_problem;
    void *context;
    magpie_verify_report *report;
} verification;

static void MP_PRINTF(3, 4) problem(verification *v, int64_t id, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    v->report->problems++;
    if (v->on_problem)
        v->on_problem(v->context, id, text);
}

static void meta_problem(void *context, int64_t id, const char *what)
{
    problem(context, id, "%s", what);
}

static void check_bytes(verification *v, const mp_item *item, int fd, const char *what)
{
    uint8_t sha256[32];
    uint64_t bytes;
    mp_why why = {0};
    if (mp_core_hash_fd(fd, sha256, &bytes, &why) != MP_OK)
        problem(v, item->id, "%s cannot be read: %s", what, why.text);
    else if (bytes != (uint64_t)item->bytes || memcmp(sha256, item->sha256, 32) != 0)
        problem(v, item->id, "%s is not the picture that was added (SHA-256 differs)", what);
}

static void check_original(verification *v, const mp_item *item)
{
    int fd = -1;
    mp_why why = {0};
    char key[96];
    if (item->copied) {
        mp_core_original_key(item->sha256, key);
        if (mp_blob_open_fd(v->m->blobs, key, &fd, &why) != MP_OK)
            problem(v, item->id, "its copy is missing: %s", why.text);
        else
            check_bytes(v, item, fd, "its copy");
    } else if (v->deep && item->state == MP_PRESENT) {
        if (mp_core_open_original(v->m, item, &fd, &why) != MP_OK)
            problem(v, item->id, "%s", why.text);
        else
            check_bytes(v, item, fd, item->path);
    }
    if (fd >= 0)
        close(fd);
}

/* The bytes that are no picture's now: older versions, and files. */
static bool check_copy(void *context, const mp_version *version)
{
    verification *v = context;
    mp_why why = {0};
    char key[96];
    int fd;
    mp_item item = {.id = version->asset_id, .bytes = version->bytes};
    memcpy(item.sha256, version->sha256.byte, sizeof item.sha256);
    mp_core_original_key(item.sha256, key);
    if (mp_blob_open_fd(v->m->blobs, key, &fd, &why) != MP_OK) {
        problem(v, item.id, "the bytes of a version are missing: %s", why.text);
        return false;
    }
    check_bytes(v, &item, fd, "a version");
    close(fd);
    return false;
}

/* Absent is fine (it is made when asked for); present and broken is not. */
static void check_thumbnail(verification *v, const mp_item *item)
{
    char key[96];
    uint8_t *data = NULL;
    size_t n;
    mp_core_thumb_key(item->sha256, 256, key);
    if (mp_blob_get(v->m->blobs, key, 0, &data, &n, NULL) == MP_OK) {
        /* RIFF size: the file's length less 8 */
        uint32_t size = n >= 12 ? (uint32_t)data[4] | (uint32_t)data[5] << 8 |
                                      (uint32_t)data[6] << 16 | (uint32_t)data[7] << 24
                                : 0;
        if (n < 12 || memcmp(data, "RIFF", 4) != 0 || memcmp(data + 8, "WEBP", 4) != 0 ||
            (uint64_t)size + 8 > n)
            problem(v, item->id, "its thumbnail is damaged (reindex makes it anew)");
    }
    free(data);
}

static bool check_vector(void *context, int64_t id, int64_t seq, const float *data)
{
    verification *v = ((void **)context)[0];
    const mp_vector_key *key = ((void **)context)[1];
    double sum = 0;
    (void)seq;
    for (int i = 0; i < key->dims; i++)
        sum += (double)data[i] * data[i];
    bool normal =
        strcmp(key->space, "texture") == 0 ? isfinite(sum) : sum == 0 || fabs(sum - 1) < 1e-3;
    if (!normal)
        problem(v, id, "its %s vector is not a unit vector", key->space);
    return false;
}

static mp_err check_vectors(verification *v, mp_why *why)
{
    mp_model_info info;
    mp_err err = MP_OK;
    if (!mp_model_installed(v->m->model_id, v->m->models_dir, &info)) {
        problem(v, 0, "the library's model %s is not installed", v->m->model_id);
        return MP_OK;
    }
    for (int s = 0; !err && s < MP_SPACES; s++) {
        mp_vector_key key = {info.id, info.sha256, mp_space_word((mp_space)s), info.space[s].dims};
        void *context[2] = {v, &key};
        if (!key.dims)
            continue;
        err = mp_meta_each_vector(v->m->meta, &key, 0, check_vector, context, why);
        int64_t *lacking = NULL;
        size_t n = 0;
        if (!err && info.space[s].eager && s != MP_SPACE_SENTENCE)
            err = mp_meta_lacking(v->m->meta, &key, &lacking, &n, why);
        for (size_t i = 0; i < n; i++)
            problem(v, lacking[i], "it has no %s vector (reindex makes it)", key.space);
        free(lacking);
    }
    return err;
}

/* A snapshot is a cache: a damaged one is told, and built anew when it is next used. */
static void check_snapshots(verification *v)
{
    mp_model_info info;
    if (!mp_model_installed(v->m->model_id, v->m->models_dir, &info))
        return;
    for (int s = 0; s < MP_SPACES; s++) {
        char path[PATH_MAX];
        mp_why why = {0};
        snprintf(path, sizeof path, "%s/index/%s-%s.idx", v->m->path, info.id,
                 mp_space_word((mp_space)s));
        if (access(path, F_OK) != 0)
            continue;
        if (mp_core_check_snapshot(v->m, &info, (mp_space)s, path, &why) != MP_OK)
            problem(v, 0, "the index snapshot %s is not usable: %s", path, why.text);
    }
}

static mp_err check_items(verification *v, magpie_progress_fn on_progress, mp_why *why)
{
    enum { PAGE = 256 };
    mp_arena *arena = mp_arena_new(0);
    mp_ticker ticker = mp_ticker_new(on_progress, v->context, "verify");
    mp_meta_stats stats = {0};
    int64_t after = 0;
    size_t n = PAGE;
    mp_err err = mp_meta_stats_get(v->m->meta, &stats, why);
    while (!err && n == PAGE) {
        mp_item *items;
        mp_arena_reset(arena);
        err = mp_meta_list(v->m->meta, NULL, after, PAGE, arena, &items, &n, why);
        for (size_t i = 0; !err && i < n; i++) {
            after = items[i].id;
            v->report->items++;
            check_original(v, &items[i]);
            check_thumbnail(v, &items[i]);
            if (mp_ticker_poll(&ticker, v->report->items, stats.items, 0))
                err = mp_fail(why, MP_CANCELLED, "stopped");
        }
    }
    mp_arena_free(arena);
    return err;
}

magpie_err magpie_verify(magpie *m, bool deep, magpie_problem_fn on_problem,
                         magpie_progress_fn on_progress, void *context,
                         magpie_verify_report *report, magpie_why *why)
{
    magpie_verify_report unused;
    verification v = {.m = m, .deep = deep, .on_problem = on_problem, .context = context};
    v.report = report ? report : &unused;
    *v.report = (magpie_verify_report){0};
    mp_err err = mp_meta_check(m->meta, meta_problem, &v, INNER(why));
    if (!err)
        err = check_items(&v, on_progress, INNER(why));
    if (!err)
        err = mp_meta_each_copy(m->meta, check_copy, &v, INNER(why));
    if (!err)
        err = check_vectors(&v, INNER(why));
    if (!err)
        check_snapshots(&v);
    return OUTER(err);
}
