/* zip_write.c - see zip_write.h. */
#include "pack/zip_write.h"

#include "pack/files.h"
#include "pack/utf8_locale.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { BLOCK = 256 * 1024 };

struct mp_zip_writer {
    int fd;
    struct archive *archive;
    struct archive_entry *entry;
    locale_t utf8;
    uint64_t left;    /* of the entry that was begun */
    uint64_t written; /* to fd */
    mp_err err;       /* of the first write that failed; nothing is written after it */
    mp_why why;
};

/* Never fails: libarchive leaks its buffers once a write went wrong. After an error, and when the
 * file is given up, it goes on writing into the void. */
static la_ssize_t put(struct archive *a, void *context, const void *data, size_t n)
{
    mp_zip_writer *z = context;
    (void)a;
    if (!z->err)
        z->err = mp_pack_write(z->fd, data, n, "the ZIP file", &z->why);
    if (!z->err)
        z->written += n;
    return (la_ssize_t)n;
}

static mp_err failure(mp_zip_writer *z, mp_why *why)
{
    const char *text = archive_error_string(z->archive);
    if (z->err)
        return mp_fail(why, z->err, "%s", z->why.text);
    return mp_fail(why, archive_errno(z->archive) == ENOMEM ? MP_NOMEM : MP_INTERNAL,
                   "cannot write the ZIP file: %s", text ? text : "unknown error");
}

mp_err mp_zip_open(mp_zip_writer **out, int fd, mp_why *why)
{
    mp_zip_writer *z = mp_xcalloc(1, sizeof *z);
    *out = NULL;
    z->fd = fd;
    z->archive = archive_write_new();
    z->entry = archive_entry_new();
    mp_err err = mp_utf8_locale(&z->utf8, why);
    if (!err && (!z->archive || !z->entry))
        err = mp_fail(why, MP_NOMEM, "no memory for a ZIP file");
    if (!err && (archive_write_set_format_zip(z->archive) != ARCHIVE_OK ||
                 archive_write_set_bytes_per_block(z->archive, BLOCK) != ARCHIVE_OK ||
                 /* The last block is not padded. */
                 archive_write_set_bytes_in_last_block(z->archive, 1) != ARCHIVE_OK ||
                 archive_write_open(z->archive, z, NULL, put, NULL) != ARCHIVE_OK))
        err = failure(z, why);
    if (err)
        mp_zip_free(z);
    else
        *out = z;
    return err;
}

/* What a ZIP file can say: whole seconds in 32 bits. */
static time_t seconds_of(int64_t ms)
{
    return (time_t)MP_MIN(MP_MAX(ms / 1000, 0), INT32_MAX);
}

mp_err mp_zip_begin(mp_zip_writer *z, const mp_zip_entry *entry, mp_why *why)
{
    if (z->left)
        return mp_fail(why, MP_INTERNAL, "an entry of the ZIP file was left incomplete");
    archive_entry_clear(z->entry);
    archive_entry_set_filetype(z->entry, AE_IFREG);
    archive_entry_set_perm(z->entry, 0644);
    archive_entry_set_mtime(z->entry, seconds_of(entry->mtime_ms), 0);
    archive_entry_set_size(z->entry, (la_int64_t)entry->bytes);
    int rc = entry->deflate ? archive_write_zip_set_compression_deflate(z->archive)
                            : archive_write_zip_set_compression_store(z->archive);
    if (rc == ARCHIVE_OK) {
        locale_t before = uselocale(z->utf8);
        archive_entry_set_pathname(z->entry, entry->name);
        rc = archive_write_header(z->archive, z->entry);
        uselocale(before);
    }
    if (rc != ARCHIVE_OK || z->err)
        return failure(z, why);
    z->left = entry->bytes;
    return MP_OK;
}

mp_err mp_zip_data(mp_zip_writer *z, const void *data, size_t n, mp_why *why)
{
    const char *p = data;
    if (n > z->left)
        return mp_fail(why, MP_INTERNAL, "an entry of the ZIP file is longer than was said");
    while (n) {
        la_ssize_t took = archive_write_data(z->archive, p, n);
        if (took <= 0 || z->err)
            return failure(z, why);
        p += took;
        n -= (size_t)took;
        z->left -= (uint64_t)took;
    }
    return MP_OK;
}

mp_err mp_zip_finish(mp_zip_writer *z, mp_why *why)
{
    if (z->left)
        return mp_fail(why, MP_INTERNAL, "an entry of the ZIP file was left incomplete");
    if (archive_write_close(z->archive) != ARCHIVE_OK || z->err)
        return failure(z, why);
    /* Pipes and devices hold nothing that could be synced. */
    if (fsync(z->fd) != 0 && errno != EINVAL && errno != ENOTSUP && errno != EROFS)
        return mp_fail_errno(why, errno, "cannot sync the ZIP file");
    return MP_OK;
}

uint64_t mp_zip_bytes(const mp_zip_writer *z)
{
    return z->written;
}

void mp_zip_free(mp_zip_writer *z)
{
    if (!z)
        return;
    if (!z->err) /* else freeing would write the directory of an incomplete file */
        z->err = MP_CANCELLED;
    archive_write_free(z->archive);
    archive_entry_free(z->entry);
    if (z->utf8)
        freelocale(z->utf8);
    free(z);
}
