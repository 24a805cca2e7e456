/* docs.c - the interface as a file, which the binary holds, and as a page: Swagger UI, whose files
 * lie in <web_dir>/docs where they were installed. Without them the page says how to get them. */
#include "http/docs.h"
#include "http/server.h"

#include "base/os.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEEP_S = 300 };

void mp_handle_openapi(mp_request *r)
{
    uint64_t sum = mp_checksum64(mp_openapi_json, mp_openapi_json_bytes, 0);
    mp_reply_bytes(r, "application/json", (mp_span){mp_openapi_json, mp_openapi_json_bytes},
                   mp_request_text(r, "\"%016llx\"", (unsigned long long)sum), KEEP_S);
}

/* What the page loads, all of it from here. Swagger UI adds one style element of its own, which is
 * let in by its hash, and has its small pictures in data URLs. */
static const char PAGE_POLICY[] =
    "default-src 'none'; script-src 'self'; "
    "style-src 'self' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'";

static const struct asset {
    const char *name, *type;
} assets[] = {
    {"index.html", "text/html; charset=utf-8"},
    {"page.css", "text/css; charset=utf-8"},
    {"init.js", "text/javascript; charset=utf-8"},
    {"swagger-ui.css", "text/css; charset=utf-8"},
    {"swagger-ui-bundle.js", "text/javascript; charset=utf-8"},
    {"swagger-ui-standalone-preset.js", "text/javascript; charset=utf-8"},
    {"favicon-32x32.png", "image/png"},
};

/* Only names of the table become part of a path. */
static bool send_asset(mp_request *r, const struct asset *asset)
{
    const char *dir = r->service->web_dir;
    struct stat st;
    int fd = *dir ? open(mp_request_text(r, "%s/docs/%s", dir, asset->name),
                         O_RDONLY | O_CLOEXEC | O_NONBLOCK)
                  : -1;
    if (fd < 0)
        return false;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return false;
    }
    const char *etag =
        mp_request_text(r, "\"%llx-%llx.%lx\"", (unsigned long long)st.st_size,
                        (unsigned long long)st.st_mtim.tv_sec, (unsigned long)st.st_mtim.tv_nsec);
    mp_reply_file(r, asset->type, fd, (uint64_t)st.st_size, etag, KEEP_S);
    return true;
}

static const char WITHOUT[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<title>Magpie: the interface</title>\n"
    "<h1>The interface of this service</h1>\n"
    "<p>It is here as a file: <a href=\"/api/openapi.json\">/api/openapi.json</a> (OpenAPI "
    "3.1).</p>\n"
    "<p>The page that shows it is not installed. In Magpie's source folder, <code>make "
    "docs-ui</code>\n"
    "fetches it; then <code>make install</code> puts it in its place, or <code>magpie serve --web\n"
    "build/web</code> takes it from there.</p>\n";

void mp_handle_docs(mp_request *r)
{
    mp_reply_header(r, "Content-Security-Policy", PAGE_POLICY);
    if (!send_asset(r, &assets[0]))
        mp_reply_text(r, 200, assets[0].type, mp_str_of(WITHOUT));
}

void mp_handle_docs_file(mp_request *r)
{
    for (size_t i = 1; i < MP_COUNT(assets); i++)
        if (strcmp(assets[i].name, r->param[0]) == 0 && send_asset(r, &assets[i]))
            return;
    mp_reply_problem(r, 404, "there is no such file");
}
