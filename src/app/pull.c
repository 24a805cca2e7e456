/* pull.c - a model's folder: locked, filled, and made to appear. See pull.h. */
#include "app/pull_inside.h"

#include "base/os.h"
#include "base/sha256.h"
#include "model/catalogue.h"
#include "model/checked.h"
#include "net/net.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const not_plain_files[] = {"lite", "builtin"};

void pull_say(const pulling *s, const char *format, ...)
{
    char line[400];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (s->p->say)
        s->p->say(s->p->arg, line);
}

/* ---- which model ---- */

mp_err pull_find(const char *id, mp_manifest *out, mp_why *why)
{
    mp_buf all = {0};
    const mp_manifest *entry = mp_catalogue_find(id);
    if (entry) {
        *out = *entry;
        return MP_OK;
    }
    mp_buf_str(&all, "lite");
    for (size_t i = 0; mp_catalogue_ids[i]; i++)
        mp_buf_printf(&all, ", %s", mp_catalogue_ids[i]);
    mp_fail(why, MP_NOT_FOUND, "no model '%.60s' can be fetched; there are: %s", id, all.p);
    mp_buf_free(&all);
    return MP_NOT_FOUND;
}

mp_err pull_read(const char *path, mp_manifest *out, mp_why *why)
{
    uint8_t *text;
    size_t n;
    *out = (mp_manifest){0};
    mp_err err = mp_file_read(path, MP_MANIFEST_BYTES, &text, &n, why);
    if (err)
        return err;
    mp_why inner = {0};
    err = mp_manifest_read(out, (mp_str){(const char *)text, n}, &inner);
    free(text);
    if (err)
        return mp_fail(why, err, "%.250s: %s", path, inner.text);
    for (size_t i = 0; !err && i < MP_COUNT(not_plain_files); i++)
        if (strcmp(out->id, not_plain_files[i]) == 0)
            err = mp_fail(why, MP_INVALID, "a model of one's own cannot be called %s", out->id);
    return err;
}

/* What a user pins: the weights, or the one file that there is. */
static mp_err pin(pulling *s)
{
    const char *sha256 = s->p->sha256;
    if (!sha256)
        return MP_OK;
    if (strlen(sha256) != 64 || strspn(sha256, "0123456789abcdef") != 64)
        return mp_fail(s->why, MP_INVALID, "a SHA-256 is 64 hexadecimal digits in lower case");
    for (size_t i = 0; i < s->m.n_files; i++) {
        mp_manifest_file *f = &s->m.files[i];
        if (s->m.n_files > 1 && strcmp(f->name, s->m.weights) != 0)
            continue;
        if (*f->sha256 && strcmp(f->sha256, sha256) != 0)
            return mp_fail(s->why, MP_INVALID, "%s is pinned by its manifest to SHA-256 %s",
                           f->name, f->sha256);
        memcpy(f->sha256, sha256, sizeof f->sha256);
        return MP_OK;
    }
    return mp_fail(s->why, MP_INVALID, "the manifest does not say which file the weights are");
}

/* Is it there, as it is wanted? */
static bool installed(const pulling *s)
{
    mp_manifest have;
    mp_checked files;
    if (mp_manifest_load(&have, s->target, NULL) != MP_OK || have.n_files != s->m.n_files ||
        mp_checked_look(&files, s->target, &have, NULL) != MP_OK)
        return false;
    for (size_t i = 0; i < have.n_files; i++) {
        const mp_manifest_file *want = &s->m.files[i];
        if (strcmp(have.files[i].name, want->name) != 0 ||
            (*want->sha256 && strcmp(have.files[i].sha256, want->sha256) != 0))
            return false;
    }
    return true;
}

/* ---- its folder ---- */

static mp_err name_folders(const char *models_dir, const char *id, char folder[PATH_MAX],
                           char target[PATH_MAX], mp_why *why)
{
    if (!*id || *id == '.' || strchr(id, '/'))
        return mp_fail(why, MP_INVALID, "'%.60s' is no name of a model", id);
    if (snprintf(folder, PATH_MAX, "%s/.pull-%s", models_dir, id) >= PATH_MAX - 80 ||
        snprintf(target, PATH_MAX, "%s/%s", models_dir, id) >= PATH_MAX - 80)
        return mp_fail(why, MP_TOO_BIG, "the models' path is too long");
    return MP_OK;
}

/* The folder itself is the lock. The one that was locked may meanwhile have become the model: then
 * the name leads to another folder, or to none. */
static mp_err lock_folder(const char *folder, int *fd, mp_why *why)
{
    for (;;) {
        struct stat mine, there;
        if (mkdir(folder, 0755) != 0 && errno != EEXIST)
            return mp_fail_errno(why, errno, "cannot make %.300s", folder);
        *fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (*fd < 0 && errno == ENOENT)
            continue;
        if (*fd < 0)
            return mp_fail_errno(why, errno, "cannot open %.300s", folder);
        if (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
            close(*fd);
            *fd = -1;
            return mp_fail(why, MP_BUSY, "another process fetches this model now");
        }
        if (fstat(*fd, &mine) == 0 && stat(folder, &there) == 0 && mine.st_ino == there.st_ino)
            return MP_OK;
        close(*fd);
    }
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static void remove_tree(const char *folder)
{
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static bool wanted(const mp_manifest *m, const char *name)
{
    for (size_t i = 0; i < m->n_files; i++)
        if (strcmp(m->files[i].name, name) == 0)
            return true;
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* What an older manifest, or a model that stood here before, has left. */
static mp_err remove_strays(const pulling *s)
{
    char path[PATH_MAX + 300];
    struct dirent *e;
    DIR *d = opendir(s->folder);
    if (!d)
        return mp_fail_errno(s->why, errno, "cannot read %.300s", s->folder);
    while ((e = readdir(d)) != NULL) {
        snprintf(path, sizeof path, "%s/%s", s->folder, e->d_name);
        if (!wanted(&s->m, e->d_name))
            remove_tree(path);
    }
    closedir(d);
    return MP_OK;
}

static mp_err write_manifest(pulling *s)
{
    char path[PATH_MAX + 20];
    mp_sha256 all;
    mp_buf text = {0};
    mp_sha256_start(&all);
    for (size_t i = 0; i < s->m.n_files; i++)
        mp_sha256_add(&all, s->m.files[i].sha256, 64);
    mp_sha256_end(&all, s->m.sha256);
    mp_manifest_as_json(&s->m, &text);
    snprintf(path, sizeof path, "%s/manifest.json", s->folder);
    mp_err err = mp_file_replace(path, text.p, text.n, s->why);
    mp_buf_free(&text);
    return err;
}

/* Where a damaged or another version stands, the two change places in one step. */
static mp_err appear(const pulling *s)
{
    if (rename(s->folder, s->target) == 0)
        return mp_dir_sync(s->p->models_dir, s->why);
    if ((errno != ENOTEMPTY && errno != EEXIST) ||
        renameat2(AT_FDCWD, s->folder, AT_FDCWD, s->target, RENAME_EXCHANGE) != 0)
        return mp_fail_errno(s->why, errno, "cannot put the model at %.300s", s->target);
    mp_err err = mp_dir_sync(s->p->models_dir, s->why);
    remove_tree(s->folder);
    return err;
}

/* ---- the whole ---- */

static mp_err bring_files(pulling *s)
{
    for (size_t i = 0; i < s->m.n_files; i++) {
        mp_manifest_file *f = &s->m.files[i];
        mp_why inner = {0};
        mp_why *outer = s->why;
        s->why = &inner;
        mp_err err = pull_file(s, f);
        s->why = outer;
        if (err)
            return mp_fail(outer, err, "%s: %s%s", f->name, inner.text,
                           err == MP_FULL ? "; what came is kept, and a rerun goes on" : "");
        s->base += f->bytes;
        s->done = s->base;
    }
    return MP_OK;
}

static mp_err fill_and_appear(pulling *s)
{
    if (installed(s)) {
        pull_say(s, "%s is installed already", s->m.id);
        remove_tree(s->folder);
        return MP_OK;
    }
    mp_err err = bring_files(s);
    if (!err)
        err = remove_strays(s);
    if (!err)
        err = write_manifest(s);
    if (!err)
        err = mp_dir_sync(s->folder, s->why);
    return err ? err : appear(s);
}

mp_err pull_run(const pull *p, mp_why *why)
{
    pulling *s = mp_xcalloc(1, sizeof *s);
    int lock = -1;
    s->p = p;
    s->m = *p->manifest;
    s->why = why;
    mp_err err = name_folders(p->models_dir, s->m.id, s->folder, s->target, why);
    if (!err)
        err = pin(s);
    if (!err)
        err = pull_check_from(p, why);
    if (!err)
        err = mp_mkdirs(p->models_dir, why);
    if (!err)
        err = mp_net_init(why);
    if (!err) {
        err = lock_folder(s->folder, &lock, why);
        if (!err)
            err = fill_and_appear(s);
        if (err && lock >= 0)
            rmdir(s->folder); /* unless something came */
        mp_net_exit();
    }
    if (lock >= 0)
        close(lock);
    free(s);
    return err;
}

mp_err pull_remove(const char *models_dir, const char *id, mp_why *why)
{
    char folder[PATH_MAX], target[PATH_MAX], gone[PATH_MAX + 20];
    int lock;
    mp_err err = name_folders(models_dir, id, folder, target, why);
    if (err)
        return err;
    bool part = access(folder, F_OK) == 0, whole = access(target, F_OK) == 0;
    if (!part && !whole)
        return mp_fail(why, MP_NOT_FOUND, "%.60s is not installed in %.300s", id, models_dir);
    err = lock_folder(folder, &lock, why);
    if (err)
        return err;
    snprintf(gone, sizeof gone, "%s/gone", folder); /* one step: half a model is never seen */
    remove_tree(gone);
    if (whole && rename(target, gone) != 0)
        err = mp_fail_errno(why, errno, "cannot remove %.300s", target);
    if (!err)
        err = mp_dir_sync(models_dir, why);
    if (!err)
        remove_tree(folder);
    close(lock);
    return err;
}
