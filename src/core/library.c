/* library.c - opening and closing a library. */
#include "core/copies.h"
#include "core/core.h"

#include "core/plan.h"
#include "core/ports.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *magpie_err_word(magpie_err err)
{
    return mp_err_word((mp_err)err);
}

const char *magpie_version(void)
{
    return MAGPIE_VERSION;
}

/* About a thousand queries of the lite model. */
static const size_t WORD_CACHE_BYTES = (size_t)16 * 1024 * 1024;

/* ---- where things are ---- */

/* $name, or $HOME/fallback. */
static mp_err home_based(const char *name, const char *fallback, char *out, size_t cap, mp_why *why)
{
    const char *base = getenv(name), *home = getenv("HOME");
    int n;
    if (base && base[0] == '/')
        n = snprintf(out, cap, "%s", base);
    else if (home && home[0] == '/')
        n = snprintf(out, cap, "%s/%s", home, fallback);
    else
        return mp_fail(why, MP_NOT_FOUND, "no home folder: set HOME or %s, or name the library",
                       name);
    return n < (int)cap ? MP_OK : mp_fail(why, MP_TOO_BIG, "the path is too long");
}

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The nearest folder upward that holds `.magpie`. */
static bool find_upward(char *out, size_t cap)
{
    char at[PATH_MAX];
    if (!getcwd(at, sizeof at - 16))
        return false;
    for (;;) {
        size_t n = strlen(at);
        memcpy(at + n, "/.magpie", sizeof "/.magpie");
        if (is_folder(at))
            return snprintf(out, cap, "%s", n == 0 ? "/.magpie" : at) < (int)cap;
        at[n] = '\0';
        char *slash = strrchr(at, '/');
        if (!slash)
            return false;
        *slash = '\0';
    }
}

magpie_err magpie_default_library(char *out, size_t cap, magpie_why *why)
{
    const char *env = getenv("MAGPIE_LIBRARY");
    if (env && *env) {
        if (snprintf(out, cap, "%s", env) >= (int)cap)
            return OUTER(mp_fail(INNER(why), MP_TOO_BIG, "MAGPIE_LIBRARY is too long"));
        return MAGPIE_OK;
    }
    if (find_upward(out, cap))
        return MAGPIE_OK;
    char base[PATH_MAX];
    mp_err err = home_based("XDG_DATA_HOME", ".local/share", base, sizeof base, INNER(why));
    if (!err && snprintf(out, cap, "%s/magpie/library", base) >= (int)cap)
        err = mp_fail(INNER(why), MP_TOO_BIG, "the path is too long");
    return OUTER(err);
}

static mp_err models_folder(const char *given, char *out, size_t cap, mp_why *why)
{
    const char *env = getenv("MAGPIE_MODELS");
    if (!given && env && *env)
        given = env;
    if (given)
        return snprintf(out, cap, "%s", given) < (int)cap
                   ? MP_OK
                   : mp_fail(why, MP_TOO_BIG, "the models' path is too long");
    char base[PATH_MAX];
    mp_err err = home_based("XDG_DATA_HOME", ".local/share", base, sizeof base, why);
    if (!err && snprintf(out, cap, "%s/magpie/models", base) >= (int)cap)
        err = mp_fail(why, MP_TOO_BIG, "the models' path is too long");
    return err;
}

static void decoder_binary(const char *given, char *out, size_t cap)
{
    const char *env = getenv("MAGPIE_DECODER");
    if (!given && env && *env)
        given = env;
    snprintf(out, cap, "%s", given ? given : MAGPIE_BINARY);
}

mp_meta *mp_core_meta(magpie *m)
{
    return m->meta;
}

mp_cache_stats mp_core_word_cache(magpie *m)
{
    return mp_cache_stats_get(m->words);
}

mp_blob *mp_core_blobs(magpie *m)
{
    return m->blobs;
}

int64_t mp_core_max_bytes(const magpie *m)
{
    return m->max_bytes;
}

/* ---- open ---- */

static mp_err make_folders(const char *library, mp_why *why)
{
    static const char *const parts[] = {"", "/blobs", "/index", "/trash"};
    char path[PATH_MAX];
    for (size_t i = 0; i < MP_COUNT(parts); i++) {
        snprintf(path, sizeof path, "%s%s", library, parts[i]);
        mp_err err = mp_mkdirs(path, why);
        if (err)
            return err;
    }
    return MP_OK;
}

static mp_err find_folder(magpie *m, const magpie_options *opt, mp_why *why)
{
    char given[PATH_MAX], path[PATH_MAX];
    mp_err err = MP_OK;
    if (opt->library)
        snprintf(given, sizeof given, "%s", opt->library);
    else
        err = (mp_err)magpie_default_library(given, sizeof given, (magpie_why *)(void *)why);
    if (err)
        return err;
    char db[PATH_MAX + 16];
    snprintf(db, sizeof db, "%s/magpie.db", given);
    bool there = access(db, F_OK) == 0;
    if (!there && !opt->create)
        return mp_fail(why, MP_NOT_FOUND, "no library in %s (make one with: magpie init)", given);
    if (!there && opt->read_only)
        return mp_fail(why, MP_NOT_FOUND, "no library in %s, and it is to be opened read-only",
                       given);
    if (!opt->read_only) {
        err = make_folders(given, why);
        if (err && there && err == MP_IO)
            return mp_fail(why, MP_IO, "the library %s is read-only", given);
        if (err)
            return err;
    }
    if (!realpath(given, path))
        return mp_fail_errno(why, errno, "cannot open %s", given);
    if (strlen(path) >= sizeof m->path)
        return mp_fail(why, MP_TOO_BIG, "the library's path is too long");
    memcpy(m->path, path, strlen(path) + 1);
    return MP_OK;
}

/* The model for a new library: the wish, else the best that is installed. */
static mp_err new_model(const magpie *m, const char *wish, const char **id, mp_why *why)
{
    mp_model_info info;
    *id = wish ? mp_model_id_of(wish)
               : (mp_model_installed("lite", m->models_dir, &info) ? "lite" : "builtin");
    /* lite may come later. */
    bool fine = strcmp(*id, "lite") == 0 || mp_model_installed(*id, m->models_dir, &info);
    return fine ? MP_OK : mp_model_absent(*id, m->models_dir, why);
}

/* Before anything is made: a wish that cannot be had leaves no library behind. */
static mp_err check_wish(magpie *m, const magpie_options *opt, mp_why *why)
{
    magpie_options look = *opt;
    const char *id;
    look.create = false;
    if (!opt->create || !opt->model || find_folder(m, &look, NULL) != MP_NOT_FOUND)
        return MP_OK;
    return new_model(m, opt->model, &id, why);
}

/* The library's model: what it says, else a new one's. */
static mp_err settle_model(magpie *m, const magpie_options *opt, mp_why *why)
{
    const char *wish = opt->model;
    mp_err err = mp_meta_get_setting(m->meta, "model", m->model_id, sizeof m->model_id, why);
    bool other = !err && wish && strcmp(mp_model_id_of(wish), m->model_id) != 0;
    if (other && opt->require_model)
        return mp_fail(why, MP_INVALID,
                       "the library in %.250s uses the model %s, not %.60s, and only a new one can "
                       "be made with that (to switch it: magpie model use %.60s)",
                       m->path, m->model_id, wish, mp_model_id_of(wish));
    if (err != MP_NOT_FOUND)
        return err;
    const char *id;
    err = new_model(m, wish, &id, why);
    if (err)
        return err;
    snprintf(m->model_id, sizeof m->model_id, "%s", id);
    return m->read_only ? MP_OK : mp_meta_set_setting(m->meta, "model", id, why);
}

static void take_options(magpie *m, const magpie_options *opt)
{
    m->read_only = opt->read_only;
    m->threads = opt->threads > 0 ? opt->threads : mp_cpu_count();
    m->decoders = opt->decoders > 0 ? opt->decoders : m->threads;
    m->wait_ms = opt->wait_ms == 0 ? 5000 : MP_MAX(opt->wait_ms, 0);
    m->decode_timeout_ms = opt->decode_timeout_ms > 0 ? opt->decode_timeout_ms : 10000;
    m->max_pixels = opt->max_pixels > 0 ? opt->max_pixels : 50000000;
    m->max_side = opt->max_side > 0 ? opt->max_side : 16384;
    m->half_vectors = opt->half_vectors;
    m->max_bytes = opt->max_bytes > 0 ? opt->max_bytes : 25 * 1024 * 1024;
    decoder_binary(opt->decoder, m->decoder_path, sizeof m->decoder_path);
}

static mp_err open_stores(magpie *m, const magpie_options *opt, mp_why *why)
{
    char url[PATH_MAX + 32];
    mp_meta_options meta = {
        .create = opt->create, .read_only = opt->read_only, .busy_ms = MP_MAX(m->wait_ms, 1)};
    snprintf(url, sizeof url, "sqlite:%s/magpie.db", m->path);
    mp_err err = mp_meta_open(&m->meta, url, &meta, why);
    if (err)
        return err;
    snprintf(url, sizeof url, "fs:%s/blobs", m->path);
    return mp_blob_open(&m->blobs, url, why);
}

magpie_err magpie_open(magpie **out, const magpie_options *opt, magpie_why *why)
{
    static const magpie_options defaults = {.create = true};
    *out = NULL;
    if (!opt)
        opt = &defaults;
    if (sodium_init() < 0)
        return OUTER(mp_fail(INNER(why), MP_INTERNAL, "libsodium does not start"));
    magpie *m = mp_xcalloc(1, sizeof *m);
    m->lock_fd = -1;
    pthread_mutex_init(&m->writing, NULL);
    pthread_mutex_init(&m->engine, NULL);
    pthread_mutex_init(&m->chosen_mutex, NULL);
    mp_copies_open(m);
    pthread_mutex_init(&m->intake.mutex, NULL);
    pthread_cond_init(&m->intake.news, NULL);
    mp_cond_open(&m->intake.more);
    for (int s = 0; s < MP_SPACES; s++)
        pthread_mutex_init(&m->space[s].mutex, NULL);
    take_options(m, opt);
    m->words = mp_cache_new(WORD_CACHE_BYTES);
    mp_err err = models_folder(opt->models_dir, m->models_dir, sizeof m->models_dir, INNER(why));
    if (!err)
        err = mp_precision_of(opt->precision, &m->precision, INNER(why));
    if (!err)
        err = check_wish(m, opt, INNER(why));
    if (!err)
        err = find_folder(m, opt, INNER(why));
    if (!err)
        err = open_stores(m, opt, INNER(why));
    if (!err)
        err = settle_model(m, opt, INNER(why));
    if (!err && !m->read_only)
        err = mp_core_recover_plans(m, INNER(why));
    if (err)
        magpie_close(m);
    else
        *out = m;
    return OUTER(err);
}

void magpie_close(magpie *m)
{
    if (!m)
        return;
    if (m->meta && !m->read_only)
        mp_core_save_indexes(m);
    mp_core_close_indexes(m);
    mp_decoder_close(m->decode);
    mp_model_close(m->model);
    for (size_t i = 0; i < m->n_old_models; i++)
        mp_model_close(m->old_models[i]);
    free(m->old_models);
    mp_blob_close(m->blobs);
    mp_meta_close(m->meta);
    for (int s = 0; s < MP_SPACES; s++)
        pthread_mutex_destroy(&m->space[s].mutex);
    mp_core_forget_chosen(m);
    mp_cache_free(m->words);
    pthread_mutex_destroy(&m->chosen_mutex);
    mp_copies_close(m);
    pthread_cond_destroy(&m->intake.more);
    pthread_cond_destroy(&m->intake.news);
    pthread_mutex_destroy(&m->intake.mutex);
    pthread_mutex_destroy(&m->engine);
    pthread_mutex_destroy(&m->writing);
    free(m);
}

const char *magpie_path(const magpie *m)
{
    return m->path;
}
