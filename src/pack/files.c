/* files.c - see files.h. */
#include "pack/files.h"

#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

mp_err mp_pack_temporary(const char *dir, int *fd, mp_why *why)
{
    char path[PATH_MAX];
    dir = dir ? dir : "/tmp";
    *fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (*fd >= 0)
        return MP_OK;
    /* Not every file system makes files without a name. */
    if (snprintf(path, sizeof path, "%s/magpie-XXXXXX", dir) >= (int)sizeof path)
        return mp_fail(why, MP_INVALID, "path too long: %.200s", dir);
    *fd = mkostemp(path, O_CLOEXEC);
    if (*fd < 0)
        return mp_fail_errno(why, errno, "cannot make a temporary file in %s", dir);
    unlink(path);
    return MP_OK;
}

mp_err mp_pack_write(int fd, const void *data, size_t n, const char *what, mp_why *why)
{
    mp_err err = mp_write_all(fd, data, n, what, why);
    return err == MP_TOO_BIG ? MP_FULL : err;
}
