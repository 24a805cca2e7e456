/* static.c - see static.h. */
#include "http/static.h"

#include "http/encode.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 1024, HASH = 8, YEAR_S = 365 * 24 * 3600 };

struct mp_static {
    int folder;
};

mp_err mp_static_open(mp_static **out, const char *folder, mp_why *why)
{
    *out = NULL;
    int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOTDIR)
        return mp_fail(why, MP_INVALID, "%s is not a folder", folder);
    if (fd < 0)
        return mp_fail_errno(why, errno, "cannot open the folder %s", folder);
    *out = mp_xcalloc(1, sizeof **out);
    (*out)->folder = fd;
    return MP_OK;
}

void mp_static_close(mp_static *s)
{
    if (!s)
        return;
    close(s->folder);
    free(s);
}

/* ---- names ---- */

const char *mp_static_type(const char *name)
{
    static const struct {
        const char *extension, *type;
    } types[] = {
        {"html", "text/html; charset=utf-8"},
        {"css", "text/css; charset=utf-8"},
        {"js", "text/javascript; charset=utf-8"},
        {"mjs", "text/javascript; charset=utf-8"},
        {"json", "application/json"},
        {"map", "application/json"},
        {"webmanifest", "application/manifest+json"},
        {"txt", "text/plain; charset=utf-8"},
        {"md", "text/markdown; charset=utf-8"},
        {"yaml", "application/yaml"},
        {"xml", "application/xml"},
        {"svg", "image/svg+xml"},
        {"png", "image/png"},
        {"jpg", "image/jpeg"},
        {"jpeg", "image/jpeg"},
        {"webp", "image/webp"},
        {"avif", "image/avif"},
        {"gif", "image/gif"},
        {"ico", "image/x-icon"},
        {"woff2", "font/woff2"},
        {"woff", "font/woff"},
        {"ttf", "font/ttf"},
        {"wasm", "application/wasm"},
        {"pdf", "application/pdf"},
    };
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < MP_COUNT(types); i++)
        if (strcasecmp(dot + 1, types[i].extension) == 0)
            return types[i].type;
    return "application/octet-stream";
}

bool mp_static_is_hashed(const char *name)
{
    const char *slash = strrchr(name, '/'), *dot = strrchr(name, '.');
    bool telling = false, letter = false; /* a date has none */
    name = slash ? slash + 1 : name;
    if (!dot || dot - name < HASH + 2)
        return false;
    const char *hash = dot - HASH;
    for (int i = 0; i < HASH; i++) {
        if (!isalnum((unsigned char)hash[i]) && hash[i] != '-' && hash[i] != '_')
            return false;
        letter |= isalpha((unsigned char)hash[i]) != 0;
        telling |= isdigit((unsigned char)hash[i]) || (i && isupper((unsigned char)hash[i]));
    }
    return telling && letter && (hash[-1] == '-' || hash[-1] == '.');
}

/* ---- files ---- */

/* One step down. A segment that begins with a dot is the folder itself, the one above, or a name
 * that is hidden for a reason; O_NOFOLLOW lets no link lead out. */
static int step(int at, const char *name, int flags)
{
    return *name && *name != '.' ? openat(at, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
                                 : -1;
}

/* A regular file beneath the folder, or -1. */
static int open_beneath(int folder, const char *path, struct stat *st)
{
    char copy[PATH_BYTES + 4];
    int at = folder;
    if (strlen(path) >= sizeof copy)
        return -1;
    snprintf(copy, sizeof copy, "%s", path);
    char *name = copy;
    for (char *slash; at >= 0 && (slash = strchr(name, '/')); name = slash + 1) {
        *slash = '\0';
        int next = step(at, name, O_PATH | O_DIRECTORY);
        if (at != folder)
            close(at);
        at = next;
    }
    if (at < 0)
        return -1;
    int fd = step(at, name, O_RDONLY);
    if (at != folder)
        close(at);
    if (fd >= 0 && (fstat(fd, st) != 0 || !S_ISREG(st->st_mode))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

typedef struct found {
    int fd;
    struct stat st;
    mp_coding coding;
} found;

/* The file, or the compressed one beside it that the client likes better. A range is of the file
 * itself. */
static bool find(mp_request *r, const mp_static *s, const char *path, found *out)
{
    static const char *const suffix[] = {"", ".gz", ".br"};
    found plain = {.fd = open_beneath(s->folder, path, &plain.st)};
    unsigned offered = 0;
    found other[MP_BROTLI + 1] = {{.fd = -1}, {.fd = -1}, {.fd = -1}};
    if (plain.fd < 0)
        return false;
    for (mp_coding c = MP_GZIP; c <= MP_BROTLI; c++) {
        other[c].coding = c;
        other[c].fd =
            open_beneath(s->folder, mp_request_text(r, "%s%s", path, suffix[c]), &other[c].st);
        if (other[c].fd >= 0)
            offered |= 1U << c;
    }
    r->reply.varies = offered != 0;
    mp_coding best = mp_request_header(r, "Range")
                         ? MP_IDENTITY
                         : mp_coding_choose(mp_request_header(r, "Accept-Encoding"), offered);
    *out = best == MP_IDENTITY ? plain : other[best];
    for (mp_coding c = MP_GZIP; c <= MP_BROTLI; c++)
        if (c != best && other[c].fd >= 0)
            close(other[c].fd);
    if (best != MP_IDENTITY)
        close(plain.fd);
    return true;
}

/* Each coding has bytes, and so a tag, of its own. */
static const char *tag_of(mp_request *r, const found *f)
{
    return mp_request_text(r, "\"%llx-%llx-%llx%s\"", (unsigned long long)f->st.st_size,
                           (unsigned long long)f->st.st_mtim.tv_sec,
                           (unsigned long long)f->st.st_mtim.tv_nsec,
                           f->coding == MP_IDENTITY ? ""
                           : f->coding == MP_GZIP   ? "-gz"
                                                    : "-br");
}

/* What a page may load; a caller that knows its page better says so before. */
static void guard_page(mp_request *r)
{
    for (size_t i = 0; i < r->reply.n_headers; i++)
        if (strcmp(r->reply.header[i].name, "Content-Security-Policy") == 0)
            return;
    mp_reply_header(r, "Content-Security-Policy",
                    "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; "
                    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'");
}

bool mp_reply_static(mp_request *r, const mp_static *s, const char *path)
{
    size_t n = strlen(path);
    found f;
    if (n >= PATH_BYTES - sizeof "index.html")
        return false;
    if (n == 0 || path[n - 1] == '/')
        path = mp_request_text(r, "%sindex.html", path);
    if (!find(r, s, path, &f))
        return false;
    const char *type = mp_static_type(path);
    bool hashed = mp_static_is_hashed(path);
    if (strncmp(type, "text/html", 9) == 0)
        guard_page(r);
    if (f.coding != MP_IDENTITY)
        mp_reply_header(r, "Content-Encoding", mp_coding_word(f.coding));
    mp_reply_file(r, type, f.fd, (uint64_t)f.st.st_size, tag_of(r, &f), hashed ? YEAR_S : 0);
    for (size_t i = 0; i < r->reply.n_headers; i++)
        if (strcmp(r->reply.header[i].name, "Cache-Control") == 0)
            r->reply.header[i].value =
                hashed ? "public, max-age=31536000, immutable" : "public, no-cache";
    return true;
}
