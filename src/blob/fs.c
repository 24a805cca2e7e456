/* fs.c - blobs as files: the embedded back end. See blob.h.
 *
 * A put writes `<folder>/.tmp-<random>` beside the target, syncs it, renames it over the target and
 * syncs every folder that gained an entry. Temporary names begin with a dot, which no key part may,
 * so that a crash leaves nothing that could be taken for a blob. A file that is given gets such a
 * temporary name by a link and goes on from there. */
#include "blob/blob.h"

#include "base/os.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct mp_blob {
    char root[PATH_MAX - 512];
};

static const time_t SWEEP_AGE_S = 3600;

mp_err mp_blob_open(mp_blob **out, const char *url, mp_why *why)
{
    *out = NULL;
    if (strncmp(url, "fs:/", 4) != 0)
        return mp_fail(why, MP_UNSUPPORTED, "no blob store is called %s", url);
    if (strlen(url + 3) >= sizeof((mp_blob *)0)->root)
        return mp_fail(why, MP_TOO_BIG, "the blob folder's path is too long");
    mp_blob *b = mp_xcalloc(1, sizeof *b);
    snprintf(b->root, sizeof b->root, "%s", url + 3);
    *out = b;
    return MP_OK;
}

void mp_blob_close(mp_blob *b)
{
    free(b);
}

static bool good_key(const char *key)
{
    size_t n = strlen(key);
    if (n < 1 || n > 200 || key[0] == '/' || key[n - 1] == '/')
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = key[i];
        bool first = i == 0 || key[i - 1] == '/';
        bool ok = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
                  (c == '.' && !first) || (c == '/' && !first);
        if (!ok)
            return false;
    }
    return true;
}

static mp_err path_of(const mp_blob *b, const char *key, char out[PATH_MAX], mp_why *why)
{
    if (!good_key(key))
        return mp_fail(why, MP_INVALID, "not a blob key: %.200s", key);
    snprintf(out, PATH_MAX, "%s/%s", b->root, key);
    return MP_OK;
}

/* Makes the folders of `path` below the root; each new one is synced into its parent when the put
 * is to last. */
static mp_err make_folders(const mp_blob *b, char *path, bool durable, mp_why *why)
{
    for (char *slash = path + strlen(b->root); (slash = strchr(slash + 1, '/'));) {
        *slash = '\0';
        int made = mkdir(path, 0755);
        int failed = errno;
        mp_err err = MP_OK;
        if (made != 0 && failed != EEXIST)
            err = mp_fail_errno(why, failed, "cannot make folder %s", path);
        if (made == 0 && durable) {
            char parent[PATH_MAX];
            snprintf(parent, sizeof parent, "%s", path);
            *strrchr(parent, '/') = '\0';
            err = mp_dir_sync(parent, why);
        }
        *slash = '/';
        if (err)
            return err;
    }
    return MP_OK;
}

typedef struct put {
    char path[PATH_MAX], temp[PATH_MAX], folder[PATH_MAX];
    int fd;
    bool durable;
} put;

static mp_err put_names(const mp_blob *b, const char *key, bool durable, put *p, mp_why *why)
{
    uint64_t tail;
    p->fd = -1;
    p->durable = durable;
    mp_err err = path_of(b, key, p->path, why);
    if (err)
        return err;
    snprintf(p->folder, sizeof p->folder, "%s", p->path);
    *strrchr(p->folder, '/') = '\0';
    mp_random_bytes(&tail, sizeof tail);
    if (snprintf(p->temp, sizeof p->temp, "%s/.tmp-%016llx", p->folder, (unsigned long long)tail) >=
        (int)sizeof p->temp)
        return mp_fail(why, MP_TOO_BIG, "the path is too long");
    return MP_OK;
}

static mp_err put_begin(const mp_blob *b, const char *key, bool durable, put *p, mp_why *why)
{
    mp_err err = put_names(b, key, durable, p, why);
    if (err)
        return err;
    p->fd = open(p->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (p->fd < 0 && errno == ENOENT) {
        err = make_folders(b, p->path, durable, why);
        if (err)
            return err;
        p->fd = open(p->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    }
    return p->fd >= 0 ? MP_OK : mp_fail_errno(why, errno, "cannot create %s", p->temp);
}

static mp_err put_end(put *p, mp_err err, mp_why *why)
{
    if (p->fd < 0)
        return err;
    if (!err && p->durable && fsync(p->fd) != 0)
        err = mp_fail_errno(why, errno, "cannot sync %s", p->temp);
    if (close(p->fd) != 0 && !err)
        err = mp_fail_errno(why, errno, "cannot close %s", p->temp);
    if (!err && rename(p->temp, p->path) != 0)
        err = mp_fail_errno(why, errno, "cannot rename to %s", p->path);
    if (err) {
        unlink(p->temp);
        return err;
    }
    return p->durable ? mp_dir_sync(p->folder, why) : MP_OK;
}

mp_err mp_blob_put(mp_blob *b, const char *key, mp_span data, mp_durability d, mp_why *why)
{
    put p;
    mp_err err = put_begin(b, key, d == MP_DURABLE, &p, why);
    if (!err)
        err = mp_write_all(p.fd, data.p, data.n, p.path, why);
    return put_end(&p, err, why);
}

mp_err mp_blob_put_fd(mp_blob *b, const char *key, int fd, uint64_t *bytes, mp_why *why)
{
    enum { CHUNK = 256 * 1024 };
    put p;
    uint64_t at = 0;
    uint8_t *buffer = mp_xmalloc(CHUNK);
    mp_err err = put_begin(b, key, true, &p, why);
    while (!err) {
        ssize_t got = pread(fd, buffer, CHUNK, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            err = mp_fail_errno(why, errno, "cannot read the picture");
        if (got <= 0)
            break;
        err = mp_write_all(p.fd, buffer, (size_t)got, p.path, why);
        at += (uint64_t)got;
    }
    free(buffer);
    err = put_end(&p, err, why);
    if (bytes)
        *bytes = err ? 0 : at;
    return err;
}

/* Gives the nameless file behind fd the put's temporary name. False: it has one, or it lies in
 * another file system, or this one cannot. */
static bool link_temp(const mp_blob *b, int fd, put *p)
{
    char self[32];
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_nlink != 0)
        return false;
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    if (linkat(AT_FDCWD, self, AT_FDCWD, p->temp, AT_SYMLINK_FOLLOW) == 0)
        return true;
    return errno == ENOENT && make_folders(b, p->path, true, NULL) == MP_OK &&
           linkat(AT_FDCWD, self, AT_FDCWD, p->temp, AT_SYMLINK_FOLLOW) == 0;
}

mp_err mp_blob_give_fd(mp_blob *b, const char *key, int fd, uint64_t *bytes, mp_why *why)
{
    put p;
    struct stat st = {0};
    mp_err err = put_names(b, key, true, &p, why);
    if (!err && !link_temp(b, fd, &p))
        return mp_blob_put_fd(b, key, fd, bytes, why);
    if (!err) {
        p.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        if (p.fd < 0 || fstat(p.fd, &st) != 0)
            err = mp_fail_errno(why, errno, "cannot keep the picture");
        if (p.fd < 0)
            unlink(p.temp);
        err = put_end(&p, err, why);
    }
    if (bytes)
        *bytes = err ? 0 : (uint64_t)st.st_size;
    return err;
}

mp_err mp_blob_get(mp_blob *b, const char *key, size_t cap, uint8_t **out, size_t *n, mp_why *why)
{
    char path[PATH_MAX];
    *out = NULL;
    *n = 0;
    mp_err err = path_of(b, key, path, why);
    return err ? err : mp_file_read(path, cap ? cap : SIZE_MAX, out, n, why);
}

mp_err mp_blob_open_fd(mp_blob *b, const char *key, int *fd, mp_why *why)
{
    char path[PATH_MAX];
    *fd = -1;
    mp_err err = path_of(b, key, path, why);
    if (err)
        return err;
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    return *fd >= 0 ? MP_OK : mp_fail_errno(why, errno, "cannot open %s", path);
}

mp_err mp_blob_delete(mp_blob *b, const char *key, mp_why *why)
{
    char path[PATH_MAX];
    mp_err err = path_of(b, key, path, why);
    if (err)
        return err;
    if (unlink(path) != 0)
        return mp_fail_errno(why, errno, "cannot delete %s", path);
    *strrchr(path, '/') = '\0';
    return mp_dir_sync(path, why);
}

mp_err mp_blob_stat(mp_blob *b, const char *key, uint64_t *bytes, mp_why *why)
{
    char path[PATH_MAX];
    struct stat st;
    *bytes = 0;
    mp_err err = path_of(b, key, path, why);
    if (err)
        return err;
    if (stat(path, &st) != 0)
        return mp_fail_errno(why, errno, "cannot stat %s", path);
    *bytes = (uint64_t)st.st_size;
    return MP_OK;
}

/* ---- walking ---- */

/* What is done with each file found; true stops. */
typedef bool (*file_fn)(void *context, const char *path, const char *key, const struct stat *st);

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static mp_err walk(const char *folder, const char *key, file_fn fn, void *context, bool *stop,
                   mp_why *why)
{
    struct dirent **entries;
    int n = scandir(folder, &entries, NULL, by_name);
    mp_err err = MP_OK;
    if (n < 0)
        return errno == ENOENT ? MP_OK : mp_fail_errno(why, errno, "cannot read %s", folder);
    for (int i = 0; i < n; i++) {
        char path[PATH_MAX], sub[PATH_MAX];
        struct stat st;
        const char *name = entries[i]->d_name;
        snprintf(path, sizeof path, "%s/%s", folder, name);
        snprintf(sub, sizeof sub, "%s%s%s", key, *key ? "/" : "", name);
        bool dots = strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
        if (!err && !*stop && !dots && lstat(path, &st) == 0) {
            if (S_ISDIR(st.st_mode))
                err = walk(path, sub, fn, context, stop, why);
            else if (S_ISREG(st.st_mode))
                *stop = fn(context, path, sub, &st);
        }
        free(entries[i]);
    }
    free(entries);
    return err;
}

typedef struct lister {
    const char *prefix;
    mp_blob_fn fn;
    void *context;
} lister;

static bool list_one(void *context, const char *path, const char *key, const struct stat *st)
{
    lister *l = context;
    (void)path;
    if (!good_key(key) || strncmp(key, l->prefix, strlen(l->prefix)) != 0)
        return false;
    return l->fn(l->context, key, (uint64_t)st->st_size);
}

mp_err mp_blob_list(mp_blob *b, const char *prefix, mp_blob_fn fn, void *context, mp_why *why)
{
    lister l = {prefix, fn, context};
    bool stop = false;
    return walk(b->root, "", list_one, &l, &stop, why);
}

static bool sweep_one(void *context, const char *path, const char *key, const struct stat *st)
{
    time_t now = *(time_t *)context;
    (void)key;
    if (strncmp(strrchr(path, '/') + 1, ".tmp-", 5) == 0 && now - st->st_mtime > SWEEP_AGE_S)
        unlink(path);
    return false;
}

mp_err mp_blob_sweep(mp_blob *b, mp_why *why)
{
    time_t now = (time_t)(mp_now_ms() / 1000);
    bool stop = false;
    return walk(b->root, "", sweep_one, &now, &stop, why);
}
