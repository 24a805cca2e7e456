/* unzip.c - see unzip.h. */
#include "unzip.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool read_entry(struct archive *a, struct archive_entry *entry, unzipped *out)
{
    la_int64_t size = archive_entry_size(entry);
    snprintf(out->name, sizeof out->name, "%s", archive_entry_pathname(entry));
    out->stored = strstr(archive_format_name(a), "(uncompressed)") != NULL;
    out->data = mp_xcalloc((size_t)size + 1, 1);
    out->n = (size_t)size;
    char beyond;
    return archive_read_data(a, out->data, out->n) == (la_ssize_t)size &&
           archive_read_data(a, &beyond, 1) == 0; /* and so the checksum was looked at */
}

bool unzip_read(unzip *u, int fd)
{
    struct archive *a = archive_read_new();
    struct archive_entry *entry;
    int rc;
    *u = (unzip){0};
    if (lseek(fd, 0, SEEK_END) == 22) { /* the end mark alone, which libarchive does not take */
        char mark[4];
        archive_read_free(a);
        return pread(fd, mark, 4, 0) == 4 && memcmp(mark, "PK\5\6", 4) == 0;
    }
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0), before = uselocale(utf8);
    archive_read_support_format_zip_seekable(a);
    bool good = lseek(fd, 0, SEEK_SET) == 0 && archive_read_open_fd(a, fd, 4096) == ARCHIVE_OK;
    while (good && (rc = archive_read_next_header(a, &entry)) != ARCHIVE_EOF)
        good = rc == ARCHIVE_OK && u->n < MP_COUNT(u->entry) &&
               read_entry(a, entry, &u->entry[u->n++]);
    archive_read_free(a);
    uselocale(before);
    freelocale(utf8);
    return good;
}

void unzip_free(unzip *u)
{
    for (size_t i = 0; i < u->n; i++)
        free(u->entry[i].data);
    u->n = 0;
}

const unzipped *unzip_find(const unzip *u, const char *name)
{
    for (size_t i = 0; i < u->n; i++)
        if (strcmp(u->entry[i].name, name) == 0)
            return &u->entry[i];
    return NULL;
}

size_t unzip_count(const unzip *u, const char *prefix)
{
    size_t n = 0;
    for (size_t i = 0; i < u->n; i++)
        n += strncmp(u->entry[i].name, prefix, strlen(prefix)) == 0;
    return n;
}
