/* spool.c - see spool.h. */
#include "http/spool.h"

#include "base/os.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { PARSER_BYTES = 64 * 1024 };

typedef struct part {
    mp_part pub;
    mp_buf text; /* of a field */
} part;

struct mp_spool {
    mp_request *r;
    const char *dir;
    uint64_t max_file;
    struct MHD_PostProcessor *parser; /* NULL: the body is one file */
    part part[MP_SPOOL_FILES + MP_SPOOL_FIELDS];
    size_t n, n_files;
    bool refused;
};

static bool refuse(mp_spool *s, int status, const char *what)
{
    if (!s->refused)
        mp_reply_problem(s->r, status, "%s", what);
    s->refused = true;
    return false;
}

static bool refuse_err(mp_spool *s, mp_err err, const mp_why *why)
{
    if (!s->refused)
        mp_reply_error(s->r, (magpie_err)err, (const magpie_why *)(const void *)why);
    s->refused = true;
    return false;
}

static const char *keep(const mp_spool *s, const char *text)
{
    return text ? mp_arena_strdup(s->r->arena, mp_str_of(text)) : NULL;
}

static part *open_part(mp_spool *s, const char *field, const char *file_name, const char *type)
{
    mp_why why = {0};
    size_t n_fields = s->n - s->n_files;
    if (!field) {
        (void)refuse(s, 400, "a part of the form has no name");
        return NULL;
    }
    if (file_name ? s->n_files == MP_SPOOL_FILES : n_fields == MP_SPOOL_FIELDS) {
        (void)refuse(s, 413, "there are too many parts in the body");
        return NULL;
    }
    part *p = &s->part[s->n];
    *p = (part){.pub = {.field = keep(s, field), .type = keep(s, type), .fd = -1}};
    if (file_name) {
        mp_err err = mp_temp_file(s->dir, &p->pub.fd, &why);
        if (err) {
            (void)refuse_err(s, err, &why);
            return NULL;
        }
        p->pub.file_name = keep(s, file_name);
        s->n_files++;
    }
    s->n++;
    return p;
}

static bool write_part(mp_spool *s, part *p, const char *data, size_t n)
{
    mp_why why = {0};
    if (p->pub.fd < 0) {
        if (p->text.n + n > MP_SPOOL_FIELD_BYTES)
            return refuse(s, 413, "a field of the form is too long");
        mp_buf_add(&p->text, data, n);
        return true;
    }
    p->pub.bytes += n;
    if (p->pub.bytes > s->max_file)
        return refuse(s, 413, "a file is over the limit for one picture");
    mp_err err = mp_write_all(p->pub.fd, data, n, "the upload", &why);
    return err ? refuse_err(s, err, &why) : true;
}

/* Is this piece of the part before, of which nothing has come yet? The parser tells of a part
 * twice, first as empty, where the body is cut within the first bytes of its value. */
static part *begun(mp_spool *s, const char *field, const char *file_name)
{
    part *p = s->n ? &s->part[s->n - 1] : NULL;
    if (!p || !field || p->pub.bytes || p->text.n || strcmp(p->pub.field, field) != 0 ||
        !p->pub.file_name != !file_name)
        return NULL;
    return !file_name || strcmp(p->pub.file_name, file_name) == 0 ? p : NULL;
}

static part *part_of(mp_spool *s, const char *field, const char *file_name, const char *type,
                     uint64_t offset)
{
    if (offset > 0)
        return s->n ? &s->part[s->n - 1] : NULL;
    part *p = begun(s, field, file_name);
    return p ? p : open_part(s, field, file_name, type);
}

/* libmicrohttpd's parser calls this for each piece of a part; offset 0 begins one. */
static enum MHD_Result on_piece(void *context, enum MHD_ValueKind kind, const char *field,
                                const char *file_name, const char *type, const char *coding,
                                const char *data, uint64_t offset, size_t n)
{
    mp_spool *s = context;
    (void)kind, (void)coding;
    part *p = part_of(s, field, file_name, type, offset);
    return p && write_part(s, p, data, n) ? MHD_YES : MHD_NO;
}

static bool is_multipart(const char *type)
{
    static const char word[] = "multipart/";
    return type && strncasecmp(type, word, sizeof word - 1) == 0;
}

mp_spool *mp_spool_new(mp_request *r, const char *dir, uint64_t max_file)
{
    mp_spool *s = mp_xcalloc(1, sizeof *s);
    const char *type = mp_request_header(r, "Content-Type");
    *s = (mp_spool){.r = r, .dir = dir, .max_file = max_file};
    if (!is_multipart(type)) {
        (void)open_part(s, "", "", type ? type : "");
    } else if (strncasecmp(type, "multipart/form-data", 19) != 0) {
        (void)refuse(s, 415, "of the multipart types only multipart/form-data is taken");
    } else {
        s->parser = MHD_create_post_processor(r->connection, PARSER_BYTES, on_piece, s);
        if (!s->parser)
            (void)refuse(s, 400, "the multipart boundary is missing or malformed");
    }
    if (!s->refused)
        return s;
    mp_spool_free(s);
    return NULL;
}

bool mp_spool_add(mp_spool *s, const char *data, size_t n)
{
    if (!s->parser)
        return write_part(s, &s->part[0], data, n);
    if (MHD_post_process(s->parser, data, n) == MHD_YES && !s->refused)
        return true;
    return refuse(s, 400, "the multipart body is malformed");
}

bool mp_spool_end(mp_spool *s)
{
    if (s->parser) {
        enum MHD_Result whole = MHD_destroy_post_processor(s->parser);
        s->parser = NULL;
        if (whole != MHD_YES)
            return refuse(s, 400, "the multipart body ends before its last boundary");
    }
    mp_part *parts = mp_arena_alloc(s->r->arena, (s->n + 1) * sizeof *parts);
    if (!parts)
        return refuse(s, 413, "there are too many parts in the body");
    for (size_t i = 0; i < s->n; i++) {
        s->part[i].pub.text = s->part[i].text.p ? s->part[i].text.p : "";
        parts[i] = s->part[i].pub;
    }
    s->r->parts = parts;
    s->r->n_parts = s->n;
    return true;
}

void mp_spool_free(mp_spool *s)
{
    if (!s)
        return;
    if (s->parser)
        MHD_destroy_post_processor(s->parser);
    for (size_t i = 0; i < s->n; i++) {
        if (s->part[i].pub.fd >= 0)
            close(s->part[i].pub.fd);
        mp_buf_free(&s->part[i].text);
    }
    free(s);
}
