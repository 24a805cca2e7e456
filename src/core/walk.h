/* walk.h - the files under the paths that somebody gave, in a stable order. */
#ifndef MP_WALK_H
#define MP_WALK_H

#include "base/base.h"

typedef struct mp_walk_options {
    bool no_recurse, hidden;
    const char *skip; /* absolute folder never entered: the library itself */
    bool (*poll)(void *context, size_t found); /* true: stop */
    void *context;
} mp_walk_options;

/* Paths in byte order without repeats. Owned by the caller: mp_walk_free. */
typedef struct mp_walk_list {
    char **path;
    size_t n, cap;
    char **unread; /* folders that could not be read, with the reason after a colon */
    size_t n_unread, cap_unread;
} mp_walk_list;

/* Adds every regular file below the absolute, resolved `folder` (links to files are followed,
 * links to folders are not; other kinds of files are left out). Errors: CANCELLED, NOMEM; a folder
 * that cannot be read is noted in the list and passed over. */
MP_CHECK mp_err mp_walk_folder(const char *folder, const mp_walk_options *opt, mp_walk_list *list,
                               mp_why *why);
void mp_walk_add(mp_walk_list *list, const char *path);
void mp_walk_sort(mp_walk_list *list);                        /* and takes repeats out */
bool mp_walk_has(const mp_walk_list *list, const char *path); /* after mp_walk_sort */
void mp_walk_free(mp_walk_list *list);

#endif
