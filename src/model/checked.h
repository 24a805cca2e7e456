/* checked.h - are the files of an installed model those that its manifest names?
 *
 * They are looked at whenever the model is opened: that each is there and has its size always, its
 * SHA-256 once for each version of the file. What was found is kept in .checked.json of the model's
 * folder, beside the file's size, times and inode, and holds for as long as these stay the same:
 * gigabytes are not read again for every command. Damage that leaves all of them as they are (of a
 * disk that fails) is found by `magpie model verify`, which reads everything.
 *
 * Nothing is kept of a file that changed within the last two seconds, since it might change once
 * more within the same tick of its clock. A folder that cannot be written to is read each time. */
#ifndef MP_CHECKED_H
#define MP_CHECKED_H

#include "model/manifest.h"

typedef struct mp_checked_file {
    int64_t bytes, mtime_ns, ctime_ns, inode;
    char sha256[65]; /* "": not known */
} mp_checked_file;

typedef struct mp_checked {
    mp_checked_file file[MP_MANIFEST_FILES]; /* in the manifest's order */
    bool news;                               /* something was read that is not kept yet */
} mp_checked;

/* Looks at every file of `m` in `folder`. CORRUPT: one is missing, or is not what the manifest
 * says; why names it, and what to do. What was read is kept then, so that asking again is quick.
 * Errors besides: IO. */
MP_CHECK mp_err mp_checked_look(mp_checked *out, const char *folder, const mp_manifest *m,
                                mp_why *why);
/* Keeps what was found, once the model could be used, too. That it cannot be kept is no error. */
void mp_checked_keep(const mp_checked *c, const char *folder, const mp_manifest *m);

#endif
