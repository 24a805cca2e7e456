/* outfile.c - see outfile.h. */
#include "app/outfile.h"

#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A pipe or a device is written to as it is: it cannot be replaced. */
static bool is_special(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

mp_err outfile_open(outfile *o, const char *path, mp_why *why)
{
    *o = (outfile){0};
    if (strcmp(path, "-") == 0) {
        o->to = stdout;
        return MP_OK;
    }
    if (snprintf(o->path, sizeof o->path, "%s", path) >= (int)sizeof o->path)
        return mp_fail(why, MP_TOO_BIG, "the path is too long");
    bool special = is_special(path);
    if (!special)
        snprintf(o->temporary, sizeof o->temporary, "%s.%ld.tmp", path, (long)getpid());
    int fd = open(special ? path : o->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return mp_fail_errno(why, errno, "cannot write %s", path);
    o->to = fdopen(fd, "wb");
    if (!o->to) {
        close(fd);
        return mp_fail(why, MP_NOMEM, "cannot write %s", path);
    }
    return MP_OK;
}

static mp_err sync_folder(const char *path, mp_why *why)
{
    char *dir = mp_xstrdup(path);
    char *slash = strrchr(dir, '/');
    if (slash)
        slash[slash == dir] = '\0'; /* keeps the slash of "/file" */
    mp_err err = mp_dir_sync(slash ? dir : ".", why);
    free(dir);
    return err;
}

mp_err outfile_commit(outfile *o, mp_why *why)
{
    bool ours = o->to != stdout, special = ours && !*o->temporary;
    errno = 0;
    bool bad = fflush(o->to) != 0 || ferror(o->to);
    if (ours && !special && !bad)
        bad = fsync(fileno(o->to)) != 0;
    int errnum = errno;
    if (ours && fclose(o->to) != 0 && !bad) {
        bad = true;
        errnum = errno;
    }
    o->to = NULL;
    if (!bad && ours && !special && rename(o->temporary, o->path) != 0) {
        bad = true;
        errnum = errno;
    }
    if (bad) {
        if (*o->temporary)
            unlink(o->temporary);
        return mp_fail_errno(why, errnum ? errnum : EIO, "cannot write %s",
                             ours ? o->path : "the output");
    }
    return ours && !special ? sync_folder(o->path, why) : MP_OK;
}

void outfile_abandon(outfile *o)
{
    if (!o->to)
        return;
    if (o->to != stdout) {
        fclose(o->to);
        if (*o->temporary)
            unlink(o->temporary);
    }
    o->to = NULL;
}
