/* What a client takes, gzip of answers, and files of a folder. */
#include "../test.h"
#include "asking.h"

#include "http/encode.h"
#include "base/os.h"
#include "http/static.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static const unsigned GZIP = 1U << MP_GZIP, BOTH = 1U << MP_GZIP | 1U << MP_BROTLI;

static void codings_are_chosen(void **state)
{
    (void)state;
    static const struct {
        const char *accept;
        unsigned offered;
        mp_coding best;
    } cases[] = {
        {NULL, GZIP, MP_IDENTITY},
        {"", GZIP, MP_IDENTITY},
        {"gzip", GZIP, MP_GZIP},
        {"GZip", GZIP, MP_GZIP},
        {"x-gzip", GZIP, MP_GZIP},
        {"deflate, gzip;q=1.0, *;q=0.5", GZIP, MP_GZIP},
        {"gzip;q=0", GZIP, MP_IDENTITY},
        {"gzip;q=0.000", GZIP, MP_IDENTITY},
        {"gzip ; q=0.001", GZIP, MP_GZIP},
        {"gzip;Q=0.5", GZIP, MP_GZIP},
        {"gzip;q=0, *", GZIP, MP_IDENTITY},
        {"*", GZIP, MP_GZIP},
        {"*;q=0", GZIP, MP_IDENTITY},
        {"identity;q=0, *;q=0", GZIP, MP_IDENTITY},
        {"identity;q=0, gzip;q=0.1", GZIP, MP_GZIP},
        {"gzip;q=0.5, identity", GZIP, MP_IDENTITY},
        {"gzip;q=0.5, identity;q=0.5", GZIP, MP_GZIP},
        {"gzip;q=0.5, identity;q=0.4", GZIP, MP_GZIP},
        {"gzip, br", GZIP, MP_GZIP},
        {"gzip, br", BOTH, MP_BROTLI},
        {"gzip, br;q=0.9", BOTH, MP_GZIP},
        {"br", GZIP, MP_IDENTITY},
        {"*", BOTH, MP_BROTLI},
        {"gzip", 0, MP_IDENTITY},
        {"gzipped", GZIP, MP_IDENTITY},
        {"gzi", GZIP, MP_IDENTITY},
        /* malformed entries are none */
        {"gzip;q=2", GZIP, MP_IDENTITY},
        {"gzip;q=1.001", GZIP, MP_IDENTITY},
        {"gzip;q=0.0001", GZIP, MP_IDENTITY},
        {"gzip;q=", GZIP, MP_IDENTITY},
        {"gzip;q=-1", GZIP, MP_IDENTITY},
        {"gzip;level=9", GZIP, MP_IDENTITY},
        {"gzip q=1", GZIP, MP_IDENTITY},
        {",, gzip ,", GZIP, MP_GZIP},
        {";q=1", GZIP, MP_IDENTITY},
        {"gzip;q=1.000", GZIP, MP_GZIP},
    };
    for (size_t i = 0; i < MP_COUNT(cases); i++)
        if (mp_coding_choose(cases[i].accept, cases[i].offered) != cases[i].best)
            fail_msg("'%s': not %s", cases[i].accept, mp_coding_word(cases[i].best));
    assert_true(mp_coding_identity_refused("gzip, identity;q=0"));
    assert_true(mp_coding_identity_refused("gzip, *;q=0"));
    assert_false(mp_coding_identity_refused("gzip, identity;q=0.1, *;q=0"));
    assert_false(mp_coding_identity_refused("gzip"));
    assert_false(mp_coding_identity_refused(NULL));
}

/* ---- answers ---- */

static const char *header_of(const mp_request *r, const char *name)
{
    const char *value = NULL;
    for (size_t i = 0; i < r->reply.n_headers; i++)
        if (strcmp(r->reply.header[i].name, name) == 0)
            value = r->reply.header[i].value;
    return value;
}

typedef struct answer {
    const char *type, *etag;
    int status;
    size_t bytes;
    bool packed, varies; /* expected */
} answer;

static void check_unpacked(const mp_buf *packed, const mp_buf *text)
{
    char *out = mp_xmalloc(text->n + 1);
    z_stream z = {.next_in = (Bytef *)packed->p,
                  .avail_in = (uInt)packed->n,
                  .next_out = (Bytef *)out,
                  .avail_out = (uInt)text->n + 1};
    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.total_out, text->n);
    assert_memory_equal(out, text->p, text->n);
    inflateEnd(&z);
    free(out);
}

static void encode_it(mp_request *r, const void *context)
{
    const answer *a = context;
    mp_buf text = {0};
    for (int i = 0; text.n < a->bytes; i++)
        mp_buf_printf(&text, "{\"id\":%d},", i);
    text.n = MP_MIN(text.n, a->bytes);
    mp_reply_text(r, a->status, a->type, (mp_str){text.p, text.n});
    if (a->etag)
        mp_reply_header(r, "ETag", a->etag);
    mp_encode_reply(r);
    const char *coding = header_of(r, "Content-Encoding");
    assert_int_equal(coding != NULL, a->packed);
    assert_int_equal(r->reply.varies, a->varies);
    if (a->packed) {
        assert_string_equal(coding, "gzip");
        check_unpacked(&r->reply.body, &text);
        if (a->etag)
            assert_string_equal(header_of(r, "ETag"), "W/\"a\"");
    } else {
        assert_int_equal(r->reply.body.n, text.n);
        if (a->etag)
            assert_string_equal(header_of(r, "ETag"), a->etag);
    }
    mp_buf_free(&text);
}

static void answers_are_packed_where_it_pays(void **state)
{
    static const char json[] = "application/json", gzip[] = "Accept-Encoding: gzip\r\n";
    const struct {
        const char *headers;
        answer answer;
    } cases[] = {
        {gzip, {json, NULL, 200, 100000, true, true}},
        {gzip, {json, "\"a\"", 200, 1024, true, true}},
        {gzip, {json, "W/\"a\"", 200, 5000, true, true}},
        {gzip, {json, "\"a\"", 200, 1023, false, false}},
        {"", {json, "\"a\"", 200, 5000, false, true}},
        {"Accept-Encoding: br\r\n", {json, NULL, 200, 5000, false, true}},
        {gzip, {"text/plain; charset=utf-8", NULL, 200, 5000, true, true}},
        {gzip, {"application/problem+json", NULL, 422, 5000, true, true}},
        {gzip, {"image/png", "\"a\"", 200, 5000, false, false}},
        {gzip, {"application/octet-stream", NULL, 200, 5000, false, false}},
        {gzip, {NULL, NULL, 204, 0, false, false}},
        {gzip, {json, NULL, 206, 5000, false, false}},
        {"Accept-Encoding: gzip, identity;q=0\r\n", {json, NULL, 200, 1, true, true}},
        {"Accept-Encoding: identity;q=0\r\n", {json, NULL, 200, 1, false, true}},
        {gzip, {NULL, "\"a\"", 304, 0, false, false}},
    };
    for (size_t i = 0; i < MP_COUNT(cases); i++)
        asking_do(*state, cases[i].headers, encode_it, &cases[i].answer);
}

static void weak_304(mp_request *r, const void *context)
{
    mp_reply_text(r, 304, NULL, (mp_str){0});
    mp_reply_header(r, "ETag", "\"a\"");
    mp_encode_reply(r);
    assert_string_equal(header_of(r, "ETag"), context);
}

static void a_304_repeats_the_tag_of_the_copy(void **state)
{
    asking_do(*state, "If-None-Match: \"b\", W/\"a\"\r\n", weak_304, "W/\"a\"");
    asking_do(*state, "If-None-Match: \"a\"\r\n", weak_304, "\"a\"");
}

/* ---- files ---- */

static void names_are_told_apart(void **state)
{
    (void)state;
    assert_string_equal(mp_static_type("a/b.CSS"), "text/css; charset=utf-8");
    assert_string_equal(mp_static_type("a.min.js"), "text/javascript; charset=utf-8");
    assert_string_equal(mp_static_type("a"), "application/octet-stream");
    assert_string_equal(mp_static_type("a.exe"), "application/octet-stream");
    static const char *const hashed[] = {"assets/index-BX2yz1a4.js", "a.0a1b2c3d.css",
                                         "x-a_b-C_9z.woff2"};
    static const char *const plain[] = {
        "index.html",      "index-handbook.js",  "a-12345.js",    "report-20240101.pdf",
        "BX2yz1a4.js",     "-BX2yz1a4",          "a-Document.js", "a+BX2yz1a4.js",
        "x/a-BX2y 1a4.js", "index-BX2yz1a4/a.js"};
    for (size_t i = 0; i < MP_COUNT(hashed); i++)
        if (!mp_static_is_hashed(hashed[i]))
            fail_msg("%s carries a hash", hashed[i]);
    for (size_t i = 0; i < MP_COUNT(plain); i++)
        if (mp_static_is_hashed(plain[i]))
            fail_msg("%s carries no hash", plain[i]);
}

typedef struct folder {
    char path[64];
    mp_static *files;
} folder;

static void write_file(const folder *f, const char *name, const char *text)
{
    char path[256];
    mp_why why;
    snprintf(path, sizeof path, "%s/%s", f->path, name);
    assert_ok(mp_file_replace(path, text, strlen(text), &why));
}

static void make_folder(folder *f)
{
    char path[256], to[256];
    mp_why why;
    snprintf(f->path, sizeof f->path, "/tmp/test-static-XXXXXX");
    assert_non_null(mkdtemp(f->path));
    snprintf(path, sizeof path, "%s/site/sub", f->path);
    assert_ok(mp_mkdirs(path, &why));
    write_file(f, "secret.txt", "secret");
    write_file(f, "site/index.html", "page");
    write_file(f, "site/sub/index.html", "sub page");
    write_file(f, "site/.env", "secret");
    write_file(f, "site/app-BX2yz1a4.js", "plain script");
    write_file(f, "site/app-BX2yz1a4.js.gz", "gz");
    write_file(f, "site/app-BX2yz1a4.js.br", "br");
    snprintf(path, sizeof path, "%s/site/out", f->path);
    assert_int_equal(symlink(f->path, path), 0);
    snprintf(path, sizeof path, "%s/site/link.txt", f->path);
    snprintf(to, sizeof to, "%s/secret.txt", f->path);
    assert_int_equal(symlink(to, path), 0);
    snprintf(path, sizeof path, "%s/site/pipe", f->path);
    assert_int_equal(mkfifo(path, 0600), 0);
    snprintf(path, sizeof path, "%s/site", f->path);
    assert_ok(mp_static_open(&f->files, path, &why));
}

static void drop_folder(folder *f)
{
    char command[128];
    mp_static_close(f->files);
    snprintf(command, sizeof command, "rm -r %s", f->path);
    assert_int_equal(system(command), 0);
}

typedef struct wanted {
    const folder *folder;
    const char *path;
    int status; /* 0: none of the folder's */
    const char *text, *coding, *cache;
} wanted;

static void get_it(mp_request *r, const void *context)
{
    const wanted *w = context;
    char text[64] = "";
    if (!mp_reply_static(r, w->folder->files, w->path)) {
        if (w->status)
            fail_msg("%s is not there", w->path);
        assert_false(r->reply.has_fd);
        assert_int_equal(r->reply.status, 0);
        return;
    }
    if (r->reply.status != w->status)
        fail_msg("%s: %d", w->path, r->reply.status);
    if (w->text) {
        assert_true(pread(r->reply.fd, text, MP_MIN(r->reply.bytes, sizeof text - 1),
                          (off_t)r->reply.from) >= 0);
        assert_string_equal(text, w->text);
    }
    const char *coding = header_of(r, "Content-Encoding");
    assert_string_equal(coding ? coding : "", w->coding ? w->coding : "");
    if (w->cache)
        assert_string_equal(header_of(r, "Cache-Control"), w->cache);
}

static void files_are_found_and_nothing_outside(void **state)
{
    folder f;
    make_folder(&f);
    static const char for_ever[] = "public, max-age=31536000, immutable",
                      anew[] = "public, no-cache";
    static const char script[] = "app-BX2yz1a4.js";
    const struct {
        const char *headers;
        wanted wanted;
    } cases[] = {
        {"", {&f, "", 200, "page", NULL, anew}},
        {"", {&f, "index.html", 200, "page", NULL, anew}},
        {"", {&f, "sub/", 200, "sub page", NULL, anew}},
        {"", {&f, script, 200, "plain script", NULL, for_ever}},
        {"Accept-Encoding: gzip\r\n", {&f, script, 200, "gz", "gzip", for_ever}},
        {"Accept-Encoding: gzip, br\r\n", {&f, script, 200, "br", "br", for_ever}},
        {"Accept-Encoding: br\r\nRange: bytes=0-4\r\n", {&f, script, 206, "plain", NULL, for_ever}},
        {"Range: bytes=99-\r\n", {&f, script, 416, NULL, NULL, NULL}},
        {"Accept-Encoding: gzip, br\r\n", {&f, "index.html", 200, "page", NULL, anew}},
        {"If-None-Match: *\r\n", {&f, script, 304, NULL, NULL, for_ever}},
        {"", {.folder = &f, .path = "sub"}},
        {"", {.folder = &f, .path = "absent"}},
        {"", {.folder = &f, .path = "../secret.txt"}},
        {"", {.folder = &f, .path = "sub/../../secret.txt"}},
        {"", {.folder = &f, .path = "sub/../index.html"}},
        {"", {.folder = &f, .path = "./index.html"}},
        {"", {.folder = &f, .path = "/etc/hostname"}},
        {"", {.folder = &f, .path = "sub//index.html"}},
        {"", {.folder = &f, .path = ".env"}},
        {"", {.folder = &f, .path = "out/secret.txt"}},
        {"", {.folder = &f, .path = "link.txt"}},
        {"", {.folder = &f, .path = "pipe"}},
    };
    for (size_t i = 0; i < MP_COUNT(cases); i++)
        asking_do(*state, cases[i].headers, get_it, &cases[i].wanted);
    drop_folder(&f);
}

static void tags_differ(mp_request *r, const void *context)
{
    const folder *f = context;
    static char plain[80];
    assert_true(mp_reply_static(r, f->files, "app-BX2yz1a4.js"));
    assert_true(r->reply.varies);
    if (!*plain)
        snprintf(plain, sizeof plain, "%s", header_of(r, "ETag"));
    else
        assert_string_not_equal(plain, header_of(r, "ETag"));
}

static void each_coding_has_a_tag_of_its_own(void **state)
{
    folder f;
    mp_static *none;
    mp_why why;
    make_folder(&f);
    asking_do(*state, "", tags_differ, &f);
    asking_do(*state, "Accept-Encoding: gzip\r\n", tags_differ, &f);
    asking_do(*state, "Accept-Encoding: br\r\n", tags_differ, &f);
    assert_int_equal(mp_static_open(&none, "/nowhere/at/all", &why), MP_NOT_FOUND);
    assert_int_equal(mp_static_open(&none, "/proc/version", &why), MP_INVALID);
    assert_null(none);
    drop_folder(&f);
}

static int start(void **state)
{
    *state = asking_start();
    return 0;
}

static int stop(void **state)
{
    asking_stop(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codings_are_chosen),
        cmocka_unit_test_setup_teardown(answers_are_packed_where_it_pays, start, stop),
        cmocka_unit_test_setup_teardown(a_304_repeats_the_tag_of_the_copy, start, stop),
        cmocka_unit_test(names_are_told_apart),
        cmocka_unit_test_setup_teardown(files_are_found_and_nothing_outside, start, stop),
        cmocka_unit_test_setup_teardown(each_coding_has_a_tag_of_its_own, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
