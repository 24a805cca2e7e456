/* app_page.c - see app_page.h. The app's files lie in web_dir itself, docs/ beside them is the page
 * of the interface. Paths of the app's own pages (/library, /images/12) are no files: a browser
 * that asks for one gets index.html, which reads the path. The folder is opened anew each time, so
 * that an app that is built or replaced while the service runs is there at once. */
#include "http/app_page.h"
#include "http/server.h"
#include "http/static.h"

#include <string.h>

/* No script or style but from files, so that text which slips into the page stays text. Pictures
 * that are being uploaded are shown from blobs. */
static const char POLICY[] =
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "worker-src 'self' blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'";

static const char WITHOUT[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<title>Magpie</title>\n"
    "<h1>Magpie is running</h1>\n"
    "<p>Its web app is not built. In Magpie's source folder, <code>make web</code> builds it; then "
    "this\n"
    "page becomes the app, also while the service runs. <code>make install</code> puts it in its\n"
    "place, and <code>magpie serve --web build/web</code> takes it from where it was built.</p>\n"
    "<p>The interface works without it: <a href=\"/docs\">/docs</a>, <a "
    "href=\"/api/openapi.json\">/api/openapi.json</a>.</p>\n";

/* Of the interface, not of the app: with a slash in front, decoded or not. */
static bool is_taken(const char *path)
{
    static const char *const first[] = {"/api", "/docs", "/embed", "/health", "/metrics"};
    for (size_t i = 0; i < MP_COUNT(first); i++) {
        size_t n = strlen(first[i]);
        if (strncmp(path, first[i], n) == 0 && (path[n] == '/' || !path[n]))
            return true;
    }
    return false;
}

/* Does a browser ask for a page, not a script for data? */
static bool wants_page(const mp_request *r)
{
    const char *accept = mp_request_header(r, "Accept");
    return accept && strstr(accept, "text/html");
}

static bool send_file(mp_request *r, const char *path)
{
    const char *dir = r->service->web_dir;
    mp_static *files;
    mp_why why = {0};
    if (!*dir || mp_static_open(&files, dir, &why))
        return false;
    bool sent = mp_reply_static(r, files, path);
    mp_static_close(files);
    return sent;
}

static void handle(mp_request *r)
{
    const char *path = mp_request_decode(r, r->path, strlen(r->path), false);
    if (!path) {
        mp_reply_problem(r, 400, "the path holds a bad escape");
        return;
    }
    bool page = strcmp(path, "/") == 0 || wants_page(r);
    mp_reply_header(r, "Content-Security-Policy", POLICY);
    if ((!is_taken(path) && send_file(r, path + 1)) || (page && send_file(r, "")))
        return;
    if (page) {
        mp_reply_text(r, 200, "text/html; charset=utf-8", mp_str_of(WITHOUT));
        return;
    }
    r->reply.n_headers = 0;
    mp_reply_problem(r, 404, "there is nothing at this path");
}

const mp_route *mp_app_route(const mp_request *r)
{
    static const mp_route app = {
        .method = MP_GET, .path = "/{page}", .handle = handle, .slow = true, .rate = MP_RATE_HIGH};
    bool ours = r->method == MP_GET && *r->path == '/' && !r->service->embed_only;
    return ours && !is_taken(r->path) ? &app : NULL;
}
