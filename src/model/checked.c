/* checked.c - see checked.h. The file:
 *
 *   {"magpie_checked": 1, "files": [{"name": "model.safetensors", "bytes": 605157884,
 *    "mtime_ns": ..., "ctime_ns": ..., "inode": ..., "sha256": "..."}]}
 *
 * Its name is none that a manifest may give to a file of a model. */
#include "model/checked.h"

#include "base/os.h"
#include "base/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char FILE_NAME[] = ".checked.json";
static const int64_t YOUNG_NS = 2000000000;

/* ---- what is kept ---- */

static json_t *load(const char *folder)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", folder, FILE_NAME) >= (int)sizeof path)
        return NULL;
    return json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
}

static bool is_number(const json_t *row, const char *name, int64_t wanted)
{
    const json_t *n = json_object_get(row, name);
    return json_is_integer(n) && json_integer_value(n) == wanted;
}

/* The SHA-256 that was found of this very version of the file, or NULL. */
static const char *kept_hash(const json_t *kept, const char *name, const mp_checked_file *f)
{
    const json_t *rows = json_object_get(kept, "files"), *row;
    size_t i;
    json_array_foreach(rows, i, row)
    {
        const char *of = json_string_value(json_object_get(row, "name"));
        const char *sha256 = json_string_value(json_object_get(row, "sha256"));
        if (of && sha256 && strcmp(of, name) == 0 && strlen(sha256) == 64 &&
            is_number(row, "bytes", f->bytes) && is_number(row, "mtime_ns", f->mtime_ns) &&
            is_number(row, "ctime_ns", f->ctime_ns) && is_number(row, "inode", f->inode))
            return sha256;
    }
    return NULL;
}

static bool is_young(const mp_checked_file *f)
{
    int64_t now = mp_now_ms() * 1000000;
    return f->ctime_ns > now - YOUNG_NS || f->mtime_ns > now - YOUNG_NS;
}

void mp_checked_keep(const mp_checked *c, const char *folder, const mp_manifest *m)
{
    char path[PATH_MAX];
    if (!c->news || snprintf(path, sizeof path, "%s/%s", folder, FILE_NAME) >= (int)sizeof path)
        return;
    json_t *rows = json_array();
    for (size_t i = 0; i < m->n_files; i++) {
        const mp_checked_file *f = &c->file[i];
        if (*f->sha256 && !is_young(f))
            json_array_append_new(rows, json_pack("{s:s, s:I, s:I, s:I, s:I, s:s}", "name",
                                                  m->files[i].name, "bytes", (json_int_t)f->bytes,
                                                  "mtime_ns", (json_int_t)f->mtime_ns, "ctime_ns",
                                                  (json_int_t)f->ctime_ns, "inode",
                                                  (json_int_t)f->inode, "sha256", f->sha256));
    }
    bool any = json_array_size(rows) > 0;
    json_t *whole = json_pack("{s:i, s:o}", "magpie_checked", 1, "files", rows);
    char *text = any ? json_dumps(whole, JSON_INDENT(1)) : NULL;
    mp_why why = {0};
    if (text && mp_file_replace(path, text, strlen(text), &why))
        mp_log(MP_LOG_INFO, "that the model's files are whole is not kept: %s", why.text);
    free(text);
    json_decref(whole);
}

/* ---- looking ---- */

static int64_t ns(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static mp_err wrong_size(const char *folder, const mp_manifest *m, const mp_manifest_file *f,
                         int64_t bytes, mp_why *why)
{
    return mp_fail(why, MP_CORRUPT,
                   "%s of the model in %.200s has not the size that its manifest says: %lld bytes "
                   "instead of %lld; to fetch it again: magpie model pull %s",
                   f->name, folder, (long long)bytes, (long long)f->bytes, m->id);
}

/* Opens a file of the right size, and says which version of it that is. */
static mp_err open_file(const char *folder, const mp_manifest *m, const mp_manifest_file *f,
                        int *fd, mp_checked_file *out, mp_why *why)
{
    char path[PATH_MAX];
    struct stat st;
    *out = (mp_checked_file){0};
    if (snprintf(path, sizeof path, "%s/%s", folder, f->name) >= (int)sizeof path)
        return mp_fail(why, MP_TOO_BIG, "the model's path is too long");
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0 && errno == ENOENT)
        return mp_fail(why, MP_CORRUPT,
                       "%s of the model in %.200s is missing; to fetch it again: magpie model pull "
                       "%s",
                       f->name, folder, m->id);
    if (*fd < 0 || fstat(*fd, &st) != 0)
        return mp_fail_errno(why, errno, "cannot read %.300s", path);
    if (!S_ISREG(st.st_mode) || st.st_size != f->bytes)
        return wrong_size(folder, m, f, S_ISREG(st.st_mode) ? st.st_size : 0, why);
    out->bytes = st.st_size;
    out->mtime_ns = ns(st.st_mtim);
    out->ctime_ns = ns(st.st_ctim);
    out->inode = (int64_t)st.st_ino;
    return MP_OK;
}

static mp_err look_at(const char *folder, const mp_manifest *m, const mp_manifest_file *f,
                      const json_t *kept, mp_checked_file *out, bool *news, mp_why *why)
{
    int fd = -1;
    int64_t bytes;
    mp_err err = open_file(folder, m, f, &fd, out, why);
    const char *hash = err ? NULL : kept_hash(kept, f->name, out);
    if (hash) {
        memcpy(out->sha256, hash, sizeof out->sha256);
    } else if (!err) {
        mp_sha256 h;
        mp_log(MP_LOG_INFO, "checking the SHA-256 of %s/%s", folder, f->name);
        mp_sha256_start(&h);
        err = mp_sha256_read(&h, fd, f->name, NULL, NULL, &bytes, why);
        mp_sha256_end(&h, out->sha256);
        *news = true;
    }
    if (fd >= 0)
        close(fd);
    if (!err && strcmp(out->sha256, f->sha256) != 0)
        err = mp_fail(why, MP_CORRUPT,
                      "%s of the model in %.150s is damaged: its SHA-256 is %s, and its manifest "
                      "says %s; to fetch it again: magpie model pull %s",
                      f->name, folder, out->sha256, f->sha256, m->id);
    return err;
}

mp_err mp_checked_look(mp_checked *out, const char *folder, const mp_manifest *m, mp_why *why)
{
    json_t *kept = load(folder);
    mp_err err = MP_OK;
    *out = (mp_checked){0};
    for (size_t i = 0; !err && i < m->n_files; i++)
        err = look_at(folder, m, &m->files[i], kept, &out->file[i], &out->news, why);
    json_decref(kept);
    if (err == MP_CORRUPT)
        mp_checked_keep(out, folder, m);
    return err;
}
