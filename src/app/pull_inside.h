/* pull_inside.h - what pull.c and pull_file.c share. */
#ifndef MP_APP_PULL_INSIDE_H
#define MP_APP_PULL_INSIDE_H

#include "app/pull.h"

#include <limits.h>

typedef struct pulling {
    const pull *p;
    mp_manifest m; /* of what came: sizes and hashes are filled in */
    char folder[PATH_MAX], target[PATH_MAX];
    int64_t base, done;          /* bytes: of the files before this one, and of all so far */
    const mp_manifest_file *now; /* the one that comes */
    int64_t now_bytes;           /* that it has, as its source says; 0: not known */
    mp_why *why;
} pulling;

/* INVALID: `from` is an address that leads nowhere. */
MP_CHECK mp_err pull_check_from(const pull *p, mp_why *why);
/* Brings one file into the folder, unless it is there, and fills in its size and hash. */
MP_CHECK mp_err pull_file(pulling *s, mp_manifest_file *f);
void pull_say(const pulling *s, const char *format, ...) MP_PRINTF(2, 3);

#endif
