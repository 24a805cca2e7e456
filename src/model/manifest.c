/* manifest.c - reading. See manifest.h. */
#include "model/manifest.h"

#include "base/os.h"
#include "model/clip.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char NAME_LETTERS[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
static const int64_t LARGEST_FILE = (int64_t)64 << 30;

/* What reading found wrong; kept once, so that rows can be read without asking after each. */
typedef struct reader {
    mp_err err;
    mp_why *why;
} reader;

static void wrong(reader *r, const char *what, const char *rule)
{
    if (!r->err)
        r->err = mp_fail(r->why, MP_CORRUPT, "the manifest's %s %s", what, rule);
}

/* ---- values ---- */

static bool one_line(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7F)
            return false;
    return true;
}

/* Visible characters of one line. `least`: 1 where it must be there. */
static void read_text(reader *r, const json_t *in, const char *key, size_t least, char *out,
                      size_t cap)
{
    const json_t *v = json_object_get(in, key);
    const char *text = v ? json_string_value(v) : "";
    if (!text)
        wrong(r, key, "is not a text");
    else if (strlen(text) < least || strlen(text) >= cap)
        wrong(r, key, least && !*text ? "is missing" : "is too long");
    else if (!one_line(text))
        wrong(r, key, "has control characters");
    else
        memcpy(out, text, strlen(text) + 1);
}

/* A name that stays in its folder and is no hidden file, manifest or part of a download. */
static bool plain_name(const char *name)
{
    size_t n = strlen(name);
    return n > 0 && *name != '.' && *name != '-' && name[strspn(name, NAME_LETTERS)] == '\0' &&
           strcmp(name, "manifest.json") != 0 && (n < 5 || strcmp(name + n - 5, ".part") != 0);
}

static void read_name(reader *r, const json_t *in, const char *key, size_t least, char *out,
                      size_t cap)
{
    read_text(r, in, key, least, out, cap);
    if (!r->err && *out && !plain_name(out))
        wrong(r, key, "is not a plain name (letters, digits, . _ -)");
}

static void read_hash(reader *r, const json_t *in, char out[65])
{
    read_text(r, in, "sha256", 0, out, 65);
    if (!r->err && *out && (strlen(out) != 64 || strspn(out, "0123456789abcdef") != 64))
        wrong(r, "sha256", "is not 64 lower-case hexadecimal digits");
}

static void read_int(reader *r, const json_t *in, const char *key, int most, int *out)
{
    const json_t *v = json_object_get(in, key);
    json_int_t n = json_integer_value(v);
    if (json_is_integer(v) && n >= 1 && n <= most)
        *out = (int)n;
    else
        wrong(r, key, "is no number within its bounds");
}

static void read_channels(reader *r, const json_t *in, const char *key, double least, float out[3])
{
    const json_t *v = json_object_get(in, key);
    if (!json_is_array(v) || json_array_size(v) != 3)
        wrong(r, key, "is not three numbers");
    for (size_t i = 0; !r->err && i < 3; i++) {
        const json_t *one = json_array_get(v, i);
        double x = json_number_value(one);
        if (json_is_number(one) && x >= least && x <= 10)
            out[i] = (float)x;
        else
            wrong(r, key, "is no number within its bounds");
    }
}

/* ---- parts ---- */

/* What a server is asked for: nothing in it leads elsewhere. */
static void check_path(reader *r, const char *path)
{
    bool fine = *path != '/' && !strstr(path, "..") && !strpbrk(path, " \\?#:@\"<>");
    for (const char *c = path; fine && *c; c++)
        fine = (unsigned char)*c < 0x7F && (*c != '%' || strncmp(c, "%2F", 3) == 0);
    if (!r->err && !fine)
        wrong(r, "path", "is no plain path");
}

static void read_file(reader *r, const json_t *in, mp_manifest *m)
{
    mp_manifest_file *f = &m->files[m->n_files];
    const json_t *bytes = json_object_get(in, "bytes");
    read_name(r, in, "name", 1, f->name, sizeof f->name);
    read_text(r, in, "path", 0, f->path, sizeof f->path);
    check_path(r, f->path);
    read_hash(r, in, f->sha256);
    if (bytes) {
        f->bytes = json_integer_value(bytes);
        if (!json_is_integer(bytes) || f->bytes < 1 || f->bytes > LARGEST_FILE)
            wrong(r, "bytes", "is no size of a file within its bounds");
    }
    for (size_t i = 0; i < m->n_files; i++)
        if (strcmp(m->files[i].name, f->name) == 0)
            wrong(r, "files", "have a name twice");
    m->n_files++;
}

static void read_files(reader *r, const json_t *in, mp_manifest *m)
{
    size_t i;
    const json_t *row;
    if (!json_is_array(in) || json_array_size(in) < 1 || json_array_size(in) > MP_MANIFEST_FILES)
        wrong(r, "files", "are not a list of 1 to 16");
    else
        json_array_foreach(in, i, row) read_file(r, row, m);
}

/* What nobody could compute with is refused here, before any of it is fetched. */
static void check_tower(reader *r, const mp_manifest_tower *t)
{
    char rule[80];
    if (t->width % t->heads != 0)
        wrong(r, "width", "is not shared evenly by the heads");
    snprintf(rule, sizeof rule, "of %d is not a multiple of %d", t->width, MP_PANEL);
    if (t->width % MP_PANEL != 0)
        wrong(r, "width", rule);
    snprintf(rule, sizeof rule, "are %d; there can be at most %d", t->layers, MP_CLIP_MAX_LAYERS);
    if (t->layers > MP_CLIP_MAX_LAYERS)
        wrong(r, "layers", rule);
}

static void read_tower(reader *r, const json_t *in, mp_manifest_tower *out)
{
    read_int(r, in, "width", 8192, &out->width);
    read_int(r, in, "layers", 128, &out->layers);
    read_int(r, in, "heads", 128, &out->heads);
    read_int(r, in, "hidden", 65536, &out->hidden);
    if (!r->err)
        check_tower(r, out);
}

static void read_architecture(reader *r, const json_t *in, mp_manifest_architecture *out)
{
    read_int(r, in, "side", 4096, &out->side);
    read_int(r, in, "patch", 1024, &out->patch);
    read_int(r, in, "vocabulary", 1 << 20, &out->vocabulary);
    read_int(r, in, "dims", 8192, &out->dims);
    read_tower(r, json_object_get(in, "image"), &out->image);
    read_tower(r, json_object_get(in, "text"), &out->text);
    read_text(r, in, "activation", 1, out->activation, sizeof out->activation);
    read_channels(r, in, "mean", -10, out->mean);
    read_channels(r, in, "deviation", 1e-3, out->deviation);
    if (!r->err && strcmp(out->activation, "gelu") != 0 &&
        strcmp(out->activation, "quick_gelu") != 0)
        wrong(r, "activation", "is neither gelu nor quick_gelu");
    if (!r->err && out->side % out->patch != 0)
        wrong(r, "side", "is not a whole number of patches");
}

static void check_role(reader *r, const mp_manifest *m, const char *key, const char *name)
{
    bool there = *name == '\0';
    for (size_t i = 0; i < m->n_files; i++)
        there = there || strcmp(m->files[i].name, name) == 0;
    if (!r->err && !there)
        wrong(r, key, "is none of its files");
}

static void read_whole(reader *r, const json_t *in, mp_manifest *m)
{
    const json_t *source = json_object_get(in, "source"), *a = json_object_get(in, "architecture");
    const json_t *tokenizer = json_object_get(in, "tokenizer");
    const json_t *version = json_object_get(in, "magpie_model");
    if (!json_is_integer(version) || json_integer_value(version) != 1)
        wrong(r, "magpie_model", "is not 1");
    read_name(r, in, "id", 1, m->id, sizeof m->id);
    read_name(r, in, "family", 1, m->family, sizeof m->family);
    read_text(r, in, "about", 0, m->about, sizeof m->about);
    read_text(r, in, "licence", 0, m->licence, sizeof m->licence);
    read_hash(r, in, m->sha256);
    read_text(r, source, "repository", 0, m->repository, sizeof m->repository);
    read_text(r, source, "revision", 0, m->revision, sizeof m->revision);
    read_files(r, json_object_get(in, "files"), m);
    if (a)
        read_architecture(r, a, &m->architecture);
    read_name(r, in, "weights", 0, m->weights, sizeof m->weights);
    read_name(r, tokenizer, "vocabulary", 0, m->vocabulary, sizeof m->vocabulary);
    read_name(r, tokenizer, "merges", 0, m->merges, sizeof m->merges);
    check_role(r, m, "weights", m->weights);
    check_role(r, m, "vocabulary", m->vocabulary);
    check_role(r, m, "merges", m->merges);
    if (!r->err && strcmp(m->family, "clip") == 0 && (!a || !*m->weights || !*m->merges))
        wrong(r, "family", "clip needs an architecture, weights and a tokenizer's merges");
}

/* ---- entries ---- */

mp_err mp_manifest_read(mp_manifest *out, mp_str text, mp_why *why)
{
    reader r = {.why = why};
    json_error_t at;
    *out = (mp_manifest){0};
    if (text.n > MP_MANIFEST_BYTES)
        return mp_fail(why, MP_CORRUPT, "the manifest has more than %d bytes", MP_MANIFEST_BYTES);
    json_t *in = json_loadb(text.p ? text.p : "", text.n, JSON_REJECT_DUPLICATES, &at);
    if (!in)
        return mp_fail(why, MP_CORRUPT, "the manifest is no JSON: line %d: %.200s", at.line,
                       at.text);
    read_whole(&r, in, out);
    json_decref(in);
    if (r.err)
        *out = (mp_manifest){0};
    return r.err;
}

static bool whole(const mp_manifest *m)
{
    bool all = *m->sha256 != '\0';
    for (size_t i = 0; i < m->n_files; i++)
        all = all && m->files[i].bytes && *m->files[i].sha256;
    return all;
}

mp_err mp_manifest_load(mp_manifest *out, const char *folder, mp_why *why)
{
    char path[PATH_MAX];
    uint8_t *text;
    size_t n;
    *out = (mp_manifest){0};
    if (snprintf(path, sizeof path, "%s/manifest.json", folder) >= (int)sizeof path)
        return mp_fail(why, MP_TOO_BIG, "the model's path is too long");
    mp_err err = mp_file_read(path, MP_MANIFEST_BYTES, &text, &n, why);
    if (err)
        return err;
    mp_why inner = {0};
    err = mp_manifest_read(out, (mp_str){(const char *)text, n}, &inner);
    free(text);
    if (err)
        return mp_fail(why, err, "%.200s is damaged: %.250s", path, inner.text);
    if (whole(out))
        return MP_OK;
    *out = (mp_manifest){0};
    return mp_fail(why, MP_CORRUPT, "%.300s does not say every size and hash", path);
}

bool mp_manifest_check(const char *folder, char sha256[65])
{
    char path[PATH_MAX];
    struct stat st;
    mp_manifest m;
    bool ok = mp_manifest_load(&m, folder, NULL) == MP_OK;
    for (size_t i = 0; ok && i < m.n_files; i++)
        ok = snprintf(path, sizeof path, "%s/%s", folder, m.files[i].name) < (int)sizeof path &&
             stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == m.files[i].bytes;
    if (ok && sha256)
        memcpy(sha256, m.sha256, sizeof m.sha256);
    return ok;
}
