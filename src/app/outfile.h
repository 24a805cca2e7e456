/* outfile.h - writing a result file piece by piece: it appears under its name only when whole
 * (temporary file beside it, fsync, rename), or "-" for standard output. One thread. */
#ifndef MP_APP_OUTFILE_H
#define MP_APP_OUTFILE_H

#include "base/base.h"

#include <limits.h>
#include <stdio.h>

typedef struct outfile {
    FILE *to;
    char path[PATH_MAX], temporary[PATH_MAX + 32];
} outfile;

MP_CHECK mp_err outfile_open(outfile *o, const char *path, mp_why *why);
/* Makes it last; reports every write that failed before. After an error nothing is left behind. */
MP_CHECK mp_err outfile_commit(outfile *o, mp_why *why);
void outfile_abandon(outfile *o); /* after commit or a failed open: does nothing */

#endif
