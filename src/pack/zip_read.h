/* zip_read.h - the files in a ZIP file that a stranger sent.
 *
 * The whole directory is looked at first: a file with too much in it is refused before anything
 * comes out. What is declared is not trusted, though: limits hold again for the bytes that really
 * come out. Folders, links, devices and the companions that some systems add (__MACOSX/, names with
 * a leading dot) are passed over. Taken are stored and deflated entries, ZIP64 too; not others:
 * their unpackers need more memory than we would give. Safe from any thread. */
#ifndef MP_PACK_ZIP_READ_H
#define MP_PACK_ZIP_READ_H

#include "base/base.h"

typedef struct mp_zip_limits {
    uint64_t entries;     /* that are not passed over; 0: 10,000 */
    uint64_t entry_bytes; /* of one, unpacked; 0: 26,214,400 (25 MiB) */
    uint64_t total_bytes; /* of all, unpacked; 0: 4,294,967,296 (4 GiB) */
    uint64_t ratio;       /* all that is unpacked, once over 1 MiB, to the file's size; 0: 100 */
    const char *scratch;  /* folder for the temporary files; NULL: /tmp */
} mp_zip_limits;

typedef struct mp_zip_file {
    const char *name; /* base name, made safe as by mp_pack_safe_name; may occur more than once */
    uint64_t bytes;
    int fd; /* an unlinked temporary file, at its beginning, closed after the call: dup to keep */
} mp_zip_file;

/* A result other than MP_OK ends the reading with it; `why` is that of mp_zip_each. */
typedef mp_err (*mp_zip_fn)(void *context, const mp_zip_file *file, mp_why *why);

/* Calls fn for each file, in the order of the directory. fd: a regular file, read whole from its
 * beginning by pread; its position stays. limits may be NULL: the defaults.
 * Errors: INVALID (no ZIP file), TOO_BIG (a limit; named), CORRUPT (damaged or cut off: what lies
 * before the damage has been given to fn), UNSUPPORTED (locked with a password, unusual
 * compression), those of fn, FULL, IO. */
MP_CHECK mp_err mp_zip_each(int fd, const mp_zip_limits *limits, mp_zip_fn fn, void *context,
                            mp_why *why);

#endif
