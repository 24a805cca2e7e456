/* files.h - the two things that this room does to files. Safe from any thread. */
#ifndef MP_PACK_FILES_H
#define MP_PACK_FILES_H

#include "base/base.h"

/* A new, empty file that has no name, in the folder `dir` (NULL: /tmp), for reading and writing:
 * nothing is left behind, however the process ends. The caller closes *fd; -1 on failure.
 * Errors: NOT_FOUND (folder), IO, FULL. */
MP_CHECK mp_err mp_pack_temporary(const char *dir, int *fd, mp_why *why);
/* mp_write_all, but a limit on the file's size is FULL, too: TOO_BIG is said of what comes in. */
MP_CHECK mp_err mp_pack_write(int fd, const void *data, size_t n, const char *what, mp_why *why);

#endif
