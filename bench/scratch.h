/* scratch.h - taking away what a bench made. */
#ifndef MP_SCRATCH_H
#define MP_SCRATCH_H

#include <ftw.h>
#include <stdio.h>

static inline int scratch_remove_one(const char *path, const struct stat *st, int flag,
                                     struct FTW *at)
{
    (void)st, (void)flag, (void)at;
    return remove(path);
}

/* A folder and all in it. */
static inline void scratch_remove(const char *folder)
{
    nftw(folder, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
