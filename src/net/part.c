/* part.c - see part.h. */
#include "net/part.h"

#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NOTE_BYTES = 16 * 1024 };

static bool asked_to_stop(void *arg, size_t bytes)
{
    const mp_net_stop *stop = arg;
    (void)bytes;
    return stop->asked && stop->asked(stop->arg);
}

/* The next line of a note, ended in place; "" behind the last. */
static char *next_line(char **at)
{
    char *line = *at, *end = strchr(line, '\n');
    *at = end ? end + 1 : line + strlen(line);
    if (end)
        *end = '\0';
    return line;
}

/* Does the note speak of the same whole? Its version only counts for the same URL: another mirror
 * calls the same bytes by another name. */
static bool same_whole(mp_part *p, const char *url, const char *sha256)
{
    uint8_t *text;
    size_t n;
    if (mp_file_read(p->note, NOTE_BYTES, &text, &n, NULL) != MP_OK)
        return false;
    char *note = mp_xcalloc(1, n + 1), *at = note;
    memcpy(note, text, n);
    free(text);
    const char *of = next_line(&at), *version = next_line(&at), *hash = next_line(&at);
    bool same_url = strcmp(of, url) == 0;
    if (same_url)
        snprintf(p->version, sizeof p->version, "%s", version);
    bool same = *sha256 ? strcmp(hash, sha256) == 0 : !*hash && same_url && *p->version;
    free(note);
    return same;
}

static mp_err write_note(const mp_part *p, const char *url, const char *sha256, mp_why *why)
{
    mp_buf b = {0};
    mp_buf_printf(&b, "%s\n%s\n%s\n", url, p->version, sha256);
    mp_err err = mp_file_replace(p->note, b.p, b.n, why);
    mp_buf_free(&b);
    return err;
}

static mp_err empty(mp_part *p, mp_why *why)
{
    p->bytes = 0;
    mp_sha256_start(&p->hash);
    if (ftruncate(p->fd, 0) != 0 || lseek(p->fd, 0, SEEK_SET) != 0)
        return mp_fail_errno(why, errno, "cannot begin %.300s again", p->path);
    return MP_OK;
}

mp_err mp_part_open(mp_part *p, const char *file, const char *url, const char *sha256,
                    const mp_net_stop *stop, mp_why *why)
{
    *p = (mp_part){.fd = -1, .stop = stop};
    if (snprintf(p->path, sizeof p->path, "%s.part", file) >= (int)sizeof p->path ||
        snprintf(p->note, sizeof p->note, "%s.part.of", file) >= (int)sizeof p->note)
        return mp_fail(why, MP_TOO_BIG, "the file's path is too long");
    p->fd = open(p->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (p->fd < 0)
        return mp_fail_errno(why, errno, "cannot write %.300s", p->path);
    mp_sha256_start(&p->hash);
    if (!same_whole(p, url, sha256)) {
        p->version[0] = '\0';
        return empty(p, why);
    }
    return mp_sha256_read(&p->hash, p->fd, p->path, asked_to_stop, (void *)(uintptr_t)stop,
                          &p->bytes, why);
}

mp_err mp_part_begin(mp_part *p, const char *url, const char *version, const char *sha256,
                     mp_why *why)
{
    mp_err err = empty(p, why);
    snprintf(p->version, sizeof p->version, "%s", version);
    return err ? err : write_note(p, url, sha256, why);
}

mp_err mp_part_add(mp_part *p, const void *data, size_t n, mp_why *why)
{
    mp_err err = mp_write_all(p->fd, data, n, p->path, why);
    if (err) { /* what came with it in part is not in the hash */
        if (ftruncate(p->fd, p->bytes) == 0)
            lseek(p->fd, p->bytes, SEEK_SET);
        return err;
    }
    mp_sha256_add(&p->hash, data, n);
    p->bytes += (int64_t)n;
    return MP_OK;
}

mp_err mp_part_keep(mp_part *p, const char *file, mp_why *why)
{
    if (fsync(p->fd) != 0)
        return mp_fail_errno(why, errno, "cannot write %.300s", p->path);
    if (rename(p->path, file) != 0)
        return mp_fail_errno(why, errno, "cannot write %.300s", file);
    p->kept = true;
    unlink(p->note);
    return MP_OK;
}

void mp_part_drop(mp_part *p)
{
    unlink(p->path);
    unlink(p->note);
}

void mp_part_close(mp_part *p)
{
    if (p->fd < 0)
        return;
    if (p->bytes == 0 && !p->kept)
        mp_part_drop(p);
    close(p->fd);
    p->fd = -1;
}
