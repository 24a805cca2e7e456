/* zip_read.c - see zip_read.h.
 *
 * Two passes over one file: the first reads the directory alone and adds up what it declares, the
 * second unpacks. libarchive keeps the whole directory in memory, so that the bytes which it reads
 * before its first answer have a budget. Only its seeking reader is used: the streaming one would
 * take what lies before the end of a file that was cut off, and knows nothing of links. */
#include "pack/zip_read.h"

#include "pack/files.h"
#include "pack/names.h"
#include "pack/utf8_locale.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BLOCK = 32 * 1024,
    DIRECTORY_PER_ENTRY = 1024, /* of the budget; a common entry has 100 */
    DIRECTORY_FIXED = 1 << 20,
    RATIO_FROM = 1 << 20
};

typedef struct reader {
    int fd;
    int64_t size, at;
    uint64_t budget; /* bytes that may still be read; UINT64_MAX once the directory is in */
    mp_zip_limits limits;
    struct archive *archive;
    locale_t utf8;
    uint64_t entries, bytes; /* in this pass: declared, or unpacked */
    mp_err err;              /* of the callbacks, which libarchive cannot carry */
    mp_why why;
    uint8_t block[BLOCK];
} reader;

/* ---- what libarchive asks for ---- */

static la_ssize_t get_block(struct archive *a, void *context, const void **data)
{
    reader *r = context;
    *data = r->block;
    if (r->budget < BLOCK) {
        r->err = mp_fail(&r->why, MP_TOO_BIG, "the directory of the ZIP file is too long");
        archive_set_error(a, E2BIG, "%s", r->why.text);
        return ARCHIVE_FATAL;
    }
    ssize_t got;
    do
        got = pread(r->fd, r->block, BLOCK, (off_t)r->at);
    while (got < 0 && errno == EINTR);
    if (got < 0) {
        r->err = mp_fail_errno(&r->why, errno, "cannot read the ZIP file");
        archive_set_error(a, EIO, "%s", r->why.text);
        return ARCHIVE_FATAL;
    }
    r->at += got;
    r->budget -= r->budget == UINT64_MAX ? 0 : (uint64_t)got;
    return (la_ssize_t)got;
}

static la_int64_t seek(struct archive *a, void *context, la_int64_t offset, int whence)
{
    reader *r = context;
    (void)a;
    int64_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? r->at : r->size, to;
    if (__builtin_add_overflow(from, offset, &to) || to < 0)
        return ARCHIVE_FATAL;
    return r->at = to;
}

static la_int64_t skip(struct archive *a, void *context, la_int64_t n)
{
    reader *r = context;
    (void)a;
    if (n < 0 || r->at >= r->size)
        return 0;
    n = MP_MIN(n, r->size - r->at);
    r->at += n;
    return n;
}

/* ---- failures ---- */

static mp_err failure(const reader *r, const char *name, mp_why *why)
{
    const char *text = archive_error_string(r->archive);
    if (r->err)
        return mp_fail(why, r->err, "%s", r->why.text);
    if (archive_errno(r->archive) == ENOMEM)
        return mp_fail(why, MP_NOMEM, "no memory for the ZIP file");
    if (name)
        return mp_fail(why, MP_CORRUPT, "%s in the ZIP file is damaged: %s", name,
                       text ? text : "unknown error");
    return mp_fail(why, MP_CORRUPT, "the ZIP file is damaged: %s", text ? text : "unknown error");
}

static bool begins_with(const reader *r, const char *magic)
{
    char found[4] = {0};
    return pread(r->fd, found, sizeof found, 0) == (ssize_t)sizeof found &&
           memcmp(found, magic, sizeof found) == 0;
}

/* libarchive found no directory at the end. */
static mp_err no_zip(const reader *r, mp_why *why)
{
    if (begins_with(r, "PK\3\4"))
        return mp_fail(why, MP_CORRUPT, "the ZIP file is cut off or damaged: its end is missing");
    return mp_fail(why, MP_INVALID, "this is no ZIP file");
}

static mp_err over_limit(const reader *r, const char *name, uint64_t bytes, mp_why *why)
{
    const mp_zip_limits *l = &r->limits;
    if (r->entries > l->entries)
        return mp_fail(why, MP_TOO_BIG, "the ZIP file holds more than %llu files",
                       (unsigned long long)l->entries);
    if (bytes > l->entry_bytes)
        return mp_fail(why, MP_TOO_BIG, "%s in the ZIP file has more than %llu bytes", name,
                       (unsigned long long)l->entry_bytes);
    if (r->bytes > l->total_bytes)
        return mp_fail(why, MP_TOO_BIG, "the files in the ZIP file have more than %llu bytes",
                       (unsigned long long)l->total_bytes);
    if (r->bytes > RATIO_FROM && r->bytes / l->ratio > (uint64_t)r->size)
        return mp_fail(why, MP_TOO_BIG,
                       "what the ZIP file unpacks to is more than %llu times its size",
                       (unsigned long long)l->ratio);
    return MP_OK;
}

/* ---- entries ---- */

static bool is_passed_over(struct archive_entry *entry, const char *path)
{
    const char *base = strrchr(path, '/');
    base = base ? base + 1 : path;
    return archive_entry_filetype(entry) != AE_IFREG || *base == '.' || *base == '\0' ||
           strncmp(path, "__MACOSX/", 9) == 0;
}

/* "ZIP 2.0 (deflation)": the public API tells the way of packing in these words alone. */
static bool is_usual(const reader *r)
{
    const char *text = archive_format_name(r->archive);
    return text && (strstr(text, "(uncompressed)") || strstr(text, "(deflation)"));
}

static mp_err check_entry(reader *r, struct archive_entry *entry, const char *name, mp_why *why)
{
    if (archive_entry_is_encrypted(entry))
        return mp_fail(why, MP_UNSUPPORTED, "the ZIP file is locked with a password");
    if (!is_usual(r))
        return mp_fail(why, MP_UNSUPPORTED,
                       "%s in the ZIP file is packed in an unusual way; make a plain ZIP file",
                       name);
    uint64_t bytes = archive_entry_size_is_set(entry) ? (uint64_t)archive_entry_size(entry) : 0;
    r->entries++;
    if (__builtin_add_overflow(r->bytes, bytes, &r->bytes))
        r->bytes = UINT64_MAX;
    return over_limit(r, name, bytes, why);
}

static mp_err unpack(reader *r, const char *name, mp_zip_file *file, mp_why *why)
{
    uint8_t *chunk = mp_xmalloc(BLOCK);
    mp_err err = MP_OK;
    while (!err) {
        la_ssize_t got = archive_read_data(r->archive, chunk, BLOCK);
        if (got < 0)
            err = failure(r, name, why);
        if (got <= 0)
            break;
        file->bytes += (uint64_t)got;
        r->bytes += (uint64_t)got;
        err = over_limit(r, name, file->bytes, why);
        if (!err)
            err = mp_pack_write(file->fd, chunk, (size_t)got, "a temporary file", why);
    }
    free(chunk);
    if (!err && lseek(file->fd, 0, SEEK_SET) != 0)
        err = mp_fail_errno(why, errno, "cannot read a temporary file");
    return err;
}

static mp_err give(reader *r, const char *name, mp_zip_fn fn, void *context, mp_why *why)
{
    mp_zip_file file = {.name = name, .fd = -1};
    r->entries++;
    mp_err err = over_limit(r, name, 0, why);
    if (!err)
        err = mp_pack_temporary(r->limits.scratch, &file.fd, why);
    if (!err)
        err = unpack(r, name, &file, why);
    if (!err)
        err = fn(context, &file, why);
    if (file.fd >= 0)
        close(file.fd);
    return err;
}

/* ---- passes ---- */

/* The next entry that is not passed over; *entry NULL at the end. */
static mp_err next_entry(reader *r, struct archive_entry **entry, char name[MP_PACK_NAME],
                         mp_why *why)
{
    mp_err err = MP_OK;
    locale_t before = uselocale(r->utf8);
    for (bool found = false; !err && !found;) {
        int rc = archive_read_next_header(r->archive, entry);
        r->budget = UINT64_MAX;
        if (rc == ARCHIVE_EOF) {
            *entry = NULL;
            break;
        }
        if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN) {
            err = failure(r, NULL, why);
            break;
        }
        const char *path = archive_entry_pathname(*entry);
        path = path ? path : "picture"; /* in characters that nobody can read */
        found = !is_passed_over(*entry, path);
        if (found)
            mp_pack_safe_name(name, path, NULL);
    }
    uselocale(before);
    return err;
}

static mp_err open_archive(reader *r, mp_why *why)
{
    r->entries = r->bytes = 0;
    r->at = 0;
    r->budget = DIRECTORY_FIXED + r->limits.entries * DIRECTORY_PER_ENTRY;
    r->archive = archive_read_new();
    if (!r->archive || archive_read_support_format_zip_seekable(r->archive) != ARCHIVE_OK)
        return mp_fail(why, MP_NOMEM, "no memory for the ZIP file");
    archive_read_set_read_callback(r->archive, get_block);
    archive_read_set_seek_callback(r->archive, seek);
    archive_read_set_skip_callback(r->archive, skip);
    archive_read_set_callback_data(r->archive, r);
    if (archive_read_open1(r->archive) != ARCHIVE_OK)
        return r->err ? failure(r, NULL, why) : no_zip(r, why);
    return MP_OK;
}

/* fn NULL: only looks at what is declared. */
static mp_err pass(reader *r, mp_zip_fn fn, void *context, mp_why *why)
{
    mp_err err = open_archive(r, why);
    while (!err) {
        struct archive_entry *entry = NULL;
        char name[MP_PACK_NAME] = "";
        err = next_entry(r, &entry, name, why);
        if (err || !entry)
            break;
        err = fn ? give(r, name, fn, context, why) : check_entry(r, entry, name, why);
    }
    archive_read_free(r->archive);
    r->archive = NULL;
    return err;
}

/* A ZIP file of nothing is the end mark alone, which libarchive does not take for one. */
static bool is_empty(const reader *r)
{
    enum { END_MARK = 22 };
    return r->size == END_MARK && begins_with(r, "PK\5\6");
}

static void set_limits(mp_zip_limits *to, const mp_zip_limits *from)
{
    static const mp_zip_limits defaults = {10000, 25 << 20, UINT64_C(4) << 30, 100, NULL};
    *to = from ? *from : defaults;
    to->entries = to->entries ? to->entries : defaults.entries;
    to->entry_bytes = to->entry_bytes ? to->entry_bytes : defaults.entry_bytes;
    to->total_bytes = to->total_bytes ? to->total_bytes : defaults.total_bytes;
    to->ratio = to->ratio ? to->ratio : defaults.ratio;
    to->entries = MP_MIN(to->entries, UINT32_MAX); /* the budget is a product of it */
}

mp_err mp_zip_each(int fd, const mp_zip_limits *limits, mp_zip_fn fn, void *context, mp_why *why)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return mp_fail_errno(why, errno, "cannot read the ZIP file");
    if (!S_ISREG(st.st_mode))
        return mp_fail(why, MP_INVALID, "this is no ZIP file");
    reader *r = mp_xcalloc(1, sizeof *r);
    r->fd = fd;
    r->size = st.st_size;
    set_limits(&r->limits, limits);
    mp_err err = mp_utf8_locale(&r->utf8, why);
    bool empty = is_empty(r);
    if (!err && !empty)
        err = pass(r, NULL, NULL, why);
    if (!err && !empty)
        err = pass(r, fn, context, why);
    if (r->utf8)
        freelocale(r->utf8);
    free(r);
    return err;
}
