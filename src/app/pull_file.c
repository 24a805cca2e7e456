/* pull_file.c - one file of a model: where it comes from, and bringing it. See pull.h. */
#include "app/pull_inside.h"

#include "base/os.h"
#include "base/sha256.h"
#include "net/download.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where a file is to come from: exactly one of the two. */
typedef struct place {
    char path[PATH_MAX]; /* "": none */
    mp_buf url;
    bool hub; /* the address is one of the hub's */
} place;

static bool is_address(const char *from)
{
    return strncasecmp(from, "http://", 7) == 0 || strncasecmp(from, "https://", 8) == 0;
}

mp_err pull_check_from(const pull *p, mp_why *why)
{
    const char *from = p->from;
    if (!from || !is_address(from))
        return MP_OK;
    const char *host = strstr(from, "://") + 3;
    return *host && !strchr("/:?#", *host)
               ? MP_OK
               : mp_fail(why, MP_INVALID,
                         "--from is an address without a host; a mirror's is "
                         "http(s)://host/folder");
}

static mp_err put_address(pulling *s, place *to, const char *base, const char *below)
{
    size_t n = strlen(base);
    while (n && base[n - 1] == '/')
        n--;
    if (!*below)
        return mp_fail(s->why, MP_INVALID,
                       "the manifest does not say where it lies; name a folder or a mirror with "
                       "--from");
    mp_buf_add(&to->url, base, n);
    mp_buf_printf(&to->url, "/%s", below);
    return MP_OK;
}

/* A file that is named itself is the weights'; the others are looked for beside it. */
static mp_err beside(pulling *s, const mp_manifest_file *f, place *to)
{
    const char *from = s->p->from, *slash = strrchr(from, '/');
    bool weights = s->m.n_files == 1 || strcmp(f->name, s->m.weights) == 0;
    int n = weights ? snprintf(to->path, sizeof to->path, "%s", from)
                    : snprintf(to->path, sizeof to->path, "%.*s%s",
                               slash ? (int)(slash - from) + 1 : 0, from, f->name);
    if (n >= (int)sizeof to->path)
        return mp_fail(s->why, MP_TOO_BIG, "the file's path is too long");
    if (weights || access(to->path, R_OK) == 0)
        return MP_OK;
    to->path[0] = '\0';
    to->hub = true;
    return put_address(s, to, s->p->hub, f->path);
}

static mp_err find_place(pulling *s, const mp_manifest_file *f, place *to)
{
    struct stat st;
    const char *from = s->p->from;
    to->hub = !from;
    if (!from)
        return put_address(s, to, s->p->hub, f->path);
    if (is_address(from))
        return put_address(s, to, from, f->name);
    if (stat(from, &st) != 0)
        return mp_fail_errno(s->why, errno, "cannot read %.300s", from);
    if (!S_ISDIR(st.st_mode))
        return beside(s, f, to);
    if (snprintf(to->path, sizeof to->path, "%s/%s", from, f->name) >= (int)sizeof to->path)
        return mp_fail(s->why, MP_TOO_BIG, "the file's path is too long");
    return MP_OK;
}

/* ---- how far it is ---- */

/* Of all files, once the size of each is known. */
static int64_t total(const pulling *s)
{
    int64_t sum = 0;
    for (size_t i = 0; i < s->m.n_files; i++) {
        const mp_manifest_file *f = &s->m.files[i];
        int64_t bytes = f->bytes ? f->bytes : f == s->now ? s->now_bytes : 0;
        if (!bytes)
            return 0;
        sum += bytes;
    }
    return sum;
}

static bool tick(pulling *s)
{
    return s->p->on_bytes && s->p->on_bytes(s->p->arg, s->done, total(s));
}

static bool asked_to_stop(void *arg)
{
    return tick(arg);
}

static void on_bytes(void *arg, int64_t done, int64_t bytes)
{
    pulling *s = arg;
    s->now_bytes = bytes;
    s->done = s->base + done;
    (void)tick(s); /* asked again where the transfer can be ended */
}

static bool on_read(void *arg, size_t bytes)
{
    pulling *s = arg;
    s->done += (int64_t)bytes;
    return tick(s);
}

/* ---- ways ---- */

static mp_err check_size(const pulling *s, const mp_manifest_file *f, int64_t bytes)
{
    if (!f->bytes || bytes == f->bytes)
        return MP_OK;
    return mp_fail(s->why, MP_CORRUPT, "it has %lld bytes, and %lld are expected", (long long)bytes,
                   (long long)f->bytes);
}

static mp_err check(pulling *s, mp_manifest_file *f, int64_t bytes, const char *sha256)
{
    mp_err err = check_size(s, f, bytes);
    if (err)
        return err;
    if (*f->sha256 && strcmp(sha256, f->sha256) != 0)
        return mp_fail(s->why, MP_CORRUPT, "its SHA-256 is %s, and %s is expected", sha256,
                       f->sha256);
    if (!*f->sha256)
        pull_say(s, "%s is not pinned and its source names no hash: taken as it came, SHA-256 %s",
                 f->name, sha256);
    f->bytes = bytes;
    memcpy(f->sha256, sha256, sizeof f->sha256);
    return MP_OK;
}

typedef struct copying {
    int from, to;
    mp_sha256 hash;
    int64_t bytes, most; /* those that came, and that may come */
} copying;

/* A device or a pipe has no end: it is neither waited for nor read. */
static mp_err open_source(pulling *s, const mp_manifest_file *f, const char *from, copying *c)
{
    struct stat st;
    c->from = open(from, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (c->from < 0 || fstat(c->from, &st) != 0)
        return mp_fail_errno(s->why, errno, "cannot read %.300s", from);
    if (!S_ISREG(st.st_mode))
        return mp_fail(s->why, MP_INVALID, "%.300s is not a regular file", from);
    c->most = st.st_size;
    return check_size(s, f, st.st_size);
}

static mp_err add_bytes(pulling *s, copying *c, const uint8_t *data, size_t n)
{
    c->bytes += (int64_t)n;
    if (c->bytes > c->most)
        return mp_fail(s->why, MP_CORRUPT, "more than %lld bytes came", (long long)c->most);
    mp_sha256_add(&c->hash, data, n);
    return mp_write_all(c->to, data, n, "it", s->why);
}

static mp_err copy_bytes(pulling *s, copying *c)
{
    enum { AT_ONCE = 1 << 20 };
    uint8_t *room = mp_xmalloc(AT_ONCE);
    mp_err err = MP_OK;
    ssize_t n = 1;
    mp_sha256_start(&c->hash);
    while (!err && n != 0) {
        n = read(c->from, room, AT_ONCE);
        if (n < 0 && errno != EINTR)
            err = mp_fail_errno(s->why, errno, "cannot read it");
        else if (n > 0)
            err = add_bytes(s, c, room, (size_t)n);
        if (!err && on_read(s, n > 0 ? (size_t)n : 0)) /* what interrupted it may be Ctrl-C */
            err = mp_fail(s->why, MP_CANCELLED, "stopped");
    }
    if (!err && fsync(c->to) != 0)
        err = mp_fail_errno(s->why, errno, "cannot write it");
    free(room);
    return err;
}

static mp_err copy_into(pulling *s, mp_manifest_file *f, copying *c, const char *path)
{
    char part[PATH_MAX + 8], sha256[65];
    snprintf(part, sizeof part, "%s.part", path);
    c->to = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (c->to < 0)
        return mp_fail_errno(s->why, errno, "cannot write %.300s", part);
    mp_err err = copy_bytes(s, c);
    close(c->to);
    mp_sha256_end(&c->hash, sha256);
    if (!err)
        err = check(s, f, c->bytes, sha256);
    if (!err && rename(part, path) != 0)
        err = mp_fail_errno(s->why, errno, "cannot write %.300s", path);
    if (err)
        unlink(part);
    return err;
}

static mp_err copy(pulling *s, mp_manifest_file *f, const char *from, const char *path)
{
    copying c = {.from = -1};
    mp_err err = open_source(s, f, from, &c);
    if (!err)
        err = copy_into(s, f, &c, path);
    if (c.from >= 0)
        close(c.from);
    return err;
}

/* What is not pinned is taken as the hub says that it is: for this time on trust, from then on by
 * the manifest that is installed with it. */
static mp_err ask_hub(pulling *s, mp_manifest_file *f, const mp_download *d)
{
    int64_t bytes;
    char sha256[65];
    if (*f->sha256)
        return MP_OK;
    mp_err err = mp_net_facts(d, &bytes, sha256, s->why);
    if (err)
        return err;
    if (f->bytes && bytes && bytes != f->bytes)
        return mp_fail(s->why, MP_CORRUPT, "it has %lld bytes there, and %lld are expected",
                       (long long)bytes, (long long)f->bytes);
    if (!*sha256)
        return MP_OK;
    pull_say(s, "%s is not pinned: taken on trust as the hub names it, SHA-256 %s", f->name,
             sha256);
    f->bytes = bytes;
    memcpy(f->sha256, sha256, sizeof f->sha256);
    return MP_OK;
}

static mp_err load(pulling *s, mp_manifest_file *f, const place *at, const char *path)
{
    mp_downloaded got;
    mp_download d = {.url = at->url.p,
                     .file = path,
                     .stall_s = s->p->stall_s,
                     .stop = {asked_to_stop, s},
                     .on_bytes = on_bytes,
                     .arg = s};
    mp_err err = at->hub ? ask_hub(s, f, &d) : MP_OK;
    if (err)
        return err;
    d.bytes = f->bytes;
    d.sha256 = f->sha256;
    err = mp_net_download(&d, &got, s->why);
    return err ? err : check(s, f, got.bytes, got.sha256);
}

/* Is it there from a run before, whole? Without a hash to hold it against it is fetched again. */
static bool there(pulling *s, mp_manifest_file *f, const char *path)
{
    char sha256[65];
    int64_t bytes = 0;
    mp_sha256 hash;
    int fd = *f->sha256 ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    if (fd < 0)
        return false;
    mp_sha256_start(&hash);
    mp_err err = mp_sha256_read(&hash, fd, path, on_read, s, &bytes, NULL);
    close(fd);
    mp_sha256_end(&hash, sha256);
    if (err || strcmp(sha256, f->sha256) != 0)
        return false;
    f->bytes = bytes;
    return true;
}

mp_err pull_file(pulling *s, mp_manifest_file *f)
{
    char path[PATH_MAX];
    place at = {0};
    if (snprintf(path, sizeof path, "%s/%s", s->folder, f->name) >= (int)sizeof path)
        return mp_fail(s->why, MP_TOO_BIG, "the models' path is too long");
    s->done = s->base;
    s->now = f;
    s->now_bytes = 0;
    if (there(s, f, path))
        return MP_OK;
    s->done = s->base;
    mp_err err = find_place(s, f, &at);
    if (!err)
        err = *at.path ? copy(s, f, at.path, path) : load(s, f, &at, path);
    mp_buf_free(&at.url);
    return err;
}
