/* watcher.h - which paths below some folders have changed, from inotify.
 *
 * Folders are watched one by one, new ones as they appear. Changes are gathered until it has been
 * quiet for a while, so that a burst (a copy of a thousand files) becomes one answer. When the
 * kernel drops events or has no watches left, the answer is: everything below the roots may have
 * changed. One thread. */
#ifndef MP_APP_WATCHER_H
#define MP_APP_WATCHER_H

#include "base/base.h"

typedef struct watcher watcher; /* opaque: watcher.c */

typedef struct watcher_options {
    bool no_recurse, hidden;
    const char *skip; /* a folder that is not watched: the library writes to its own; or NULL */
    int quiet_ms;     /* a burst ends after this long without an event; 0: 500 */
    int rescan_s;     /* look at everything this often when events cannot be trusted; 0: 60 */
} watcher_options;

typedef struct watcher_news {
    const char *const *path; /* absolute; owned by the watcher until the next call */
    size_t n;
    bool everything; /* look at all roots */
} watcher_news;

/* roots: absolute paths of files and folders. Caller closes. */
MP_CHECK mp_err watcher_open(watcher **out, const char *const *roots, size_t n,
                             const watcher_options *opt, mp_why *why);
void watcher_close(watcher *w); /* NULL allowed */
/* Waits for news; false when `stop` said so (asked at least once a second, and when a signal
 * arrives). */
bool watcher_wait(watcher *w, bool (*stop)(void), watcher_news *out);
/* True once some folder could not be watched: those changes come by rescans. */
bool watcher_is_partial(const watcher *w);
size_t watcher_folders(const watcher *w);

#endif
