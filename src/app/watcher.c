/* watcher.c - see watcher.h. inotify(7) is per folder and by number: `folders` maps the numbers to
 * paths. A folder's path is taken when its watch is made; when a folder is renamed, it and all
 * below are forgotten and found again from its new parent. */
#include "app/watcher.h"

#include "base/os.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_DEPTH = 64, MAX_PENDING = 10000, LONGEST_BURST_MS = 5000 };

typedef struct folder {
    int number;
    char *path;
} folder;

struct watcher {
    int fd;
    watcher_options opt;
    char **roots;
    size_t n_roots;
    folder *folders;
    size_t n_folders, cap_folders;
    char **pending; /* changed paths of this burst */
    size_t n_pending, cap_pending;
    bool everything; /* events were lost */
    bool partial;    /* some folder has no watch */
};

static const uint32_t EVENTS = IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE |
                               IN_CREATE | IN_ATTRIB | IN_EXCL_UNLINK | IN_ONLYDIR | IN_DONT_FOLLOW;

/* ---- folders ---- */

static void remember_folder(watcher *w, int number, const char *path)
{
    for (size_t i = 0; i < w->n_folders; i++) {
        if (w->folders[i].number == number) { /* the same folder again, perhaps renamed */
            free(w->folders[i].path);
            w->folders[i].path = mp_xstrdup(path);
            return;
        }
    }
    if (w->n_folders == w->cap_folders) {
        w->cap_folders = w->cap_folders ? 2 * w->cap_folders : 64;
        w->folders = mp_xrealloc(w->folders, w->cap_folders * sizeof *w->folders);
    }
    w->folders[w->n_folders++] = (folder){number, mp_xstrdup(path)};
}

static void watch_folder(watcher *w, const char *path, int depth)
{
    struct dirent *entry;
    if (w->opt.skip && strcmp(path, w->opt.skip) == 0)
        return;
    int number = inotify_add_watch(w->fd, path, EVENTS);
    if (number < 0) {
        w->partial = w->partial || (errno != ENOENT && errno != ENOTDIR);
        return;
    }
    remember_folder(w, number, path);
    DIR *dir = w->opt.no_recurse || depth >= MAX_DEPTH ? NULL : opendir(path);
    while (dir && (entry = readdir(dir))) {
        char below[PATH_MAX];
        struct stat st;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            (*entry->d_name == '.' && !w->opt.hidden) ||
            snprintf(below, sizeof below, "%s/%s", path, entry->d_name) >= (int)sizeof below)
            continue;
        if (lstat(below, &st) == 0 && S_ISDIR(st.st_mode))
            watch_folder(w, below, depth + 1);
    }
    if (dir)
        closedir(dir);
}

static bool lies_in(const char *path, const char *folder_path)
{
    size_t n = strlen(folder_path);
    return strncmp(path, folder_path, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

static void forget_folders(watcher *w, const char *path)
{
    size_t kept = 0;
    for (size_t i = 0; i < w->n_folders; i++) {
        if (lies_in(w->folders[i].path, path)) {
            inotify_rm_watch(w->fd, w->folders[i].number);
            free(w->folders[i].path);
        } else {
            w->folders[kept++] = w->folders[i];
        }
    }
    w->n_folders = kept;
}

static const char *folder_of(const watcher *w, int number)
{
    for (size_t i = 0; i < w->n_folders; i++)
        if (w->folders[i].number == number)
            return w->folders[i].path;
    return NULL;
}

/* ---- events ---- */

static void note(watcher *w, const char *path)
{
    for (size_t i = w->n_pending; i-- > 0 && i + 64 > w->n_pending;)
        if (strcmp(w->pending[i], path) == 0) /* bursts repeat their latest paths */
            return;
    if (w->n_pending >= MAX_PENDING) {
        w->everything = true;
        return;
    }
    if (w->n_pending == w->cap_pending) {
        w->cap_pending = w->cap_pending ? 2 * w->cap_pending : 64;
        w->pending = mp_xrealloc(w->pending, w->cap_pending * sizeof *w->pending);
    }
    w->pending[w->n_pending++] = mp_xstrdup(path);
}

static void take_event(watcher *w, const struct inotify_event *e)
{
    char path[PATH_MAX];
    if (e->mask & IN_Q_OVERFLOW) {
        w->everything = true;
        return;
    }
    const char *at = folder_of(w, e->wd);
    if (!at || !e->len || (*e->name == '.' && !w->opt.hidden) ||
        snprintf(path, sizeof path, "%s/%s", at, e->name) >= (int)sizeof path)
        return;
    if (!(e->mask & IN_ISDIR)) {
        if (e->mask & (IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_ATTRIB))
            note(w, path);
        return;
    }
    if (w->opt.no_recurse)
        return;
    if (e->mask & (IN_MOVED_FROM | IN_DELETE)) {
        note(w, at); /* looking at the parent finds what has vanished with the folder */
        forget_folders(w, path);
    } else if (e->mask & (IN_CREATE | IN_MOVED_TO)) {
        watch_folder(w, path, 0); /* first, so that nothing falls between watch and look */
        note(w, path);
    }
}

/* Returns whether any came. */
static bool read_events(watcher *w)
{
    _Alignas(struct inotify_event) char room[16384];
    ssize_t n = read(w->fd, room, sizeof room);
    for (ssize_t at = 0; at < n;) {
        const struct inotify_event *e = (const struct inotify_event *)(const void *)(room + at);
        take_event(w, e);
        at += (ssize_t)(sizeof *e + e->len);
    }
    return n > 0;
}

/* ---- the interface ---- */

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void watch_roots(watcher *w)
{
    for (size_t i = 0; i < w->n_roots; i++) {
        if (is_folder(w->roots[i])) {
            watch_folder(w, w->roots[i], 0);
        } else {
            w->partial = true; /* a single file is looked at by rescans */
        }
    }
}

mp_err watcher_open(watcher **out, const char *const *roots, size_t n, const watcher_options *opt,
                    mp_why *why)
{
    *out = NULL;
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0)
        return mp_fail_errno(why, errno, "cannot watch folders");
    watcher *w = mp_xcalloc(1, sizeof *w);
    w->fd = fd;
    w->opt = *opt;
    w->opt.quiet_ms = opt->quiet_ms ? opt->quiet_ms : 500;
    w->opt.rescan_s = opt->rescan_s ? opt->rescan_s : 60;
    w->roots = mp_xcalloc(n + 1, sizeof *w->roots);
    for (; w->n_roots < n; w->n_roots++)
        w->roots[w->n_roots] = mp_xstrdup(roots[w->n_roots]);
    watch_roots(w);
    *out = w;
    return MP_OK;
}

static void forget_pending(watcher *w)
{
    for (size_t i = 0; i < w->n_pending; i++)
        free(w->pending[i]);
    w->n_pending = 0;
    w->everything = false;
}

void watcher_close(watcher *w)
{
    if (!w)
        return;
    forget_pending(w);
    for (size_t i = 0; i < w->n_folders; i++)
        free(w->folders[i].path);
    for (size_t i = 0; i < w->n_roots; i++)
        free(w->roots[i]);
    free(w->folders);
    free(w->pending);
    free(w->roots);
    close(w->fd);
    free(w);
}

bool watcher_wait(watcher *w, bool (*stop)(void), watcher_news *out)
{
    double began = mp_monotonic_s(), first = 0, last = 0;
    forget_pending(w);
    while (!stop()) {
        bool waiting = w->n_pending || w->everything;
        struct pollfd p = {.fd = w->fd, .events = POLLIN};
        poll(&p, 1, waiting ? MP_MIN(w->opt.quiet_ms, 100) : 1000);
        double now = mp_monotonic_s();
        while (read_events(w)) {
            last = now;
            first = first > 0 ? first : now;
        }
        if (w->partial && now - began > w->opt.rescan_s)
            w->everything = true;
        bool quiet =
            now - last >= w->opt.quiet_ms / 1000.0 || now - first >= LONGEST_BURST_MS / 1000.0;
        if ((w->n_pending || w->everything) && quiet) {
            if (w->everything)
                watch_roots(w); /* folders may have come unseen */
            *out = (watcher_news){.path = (const char *const *)w->pending,
                                  .n = w->n_pending,
                                  .everything = w->everything};
            return true;
        }
    }
    return false;
}

bool watcher_is_partial(const watcher *w)
{
    return w->partial;
}

size_t watcher_folders(const watcher *w)
{
    return w->n_folders;
}
