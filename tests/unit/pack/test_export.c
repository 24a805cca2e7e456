/* A small library with awkward pictures, exported and read back by another reader. */
#include "../test.h"
#include "unzip.h"

#include "base/os.h"
#include "magpie.h"
#include "pack/export.h"

#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct fixture {
    char dir[64]; /* of all: library, pictures, scratch, the ZIP file */
    char scratch[96];
    magpie *m;
    int64_t first; /* id of the first picture added */
    size_t n;      /* pictures in the library */
    int fd;        /* a new, empty file for the export */
} fixture;

#define assert_fine(call)                                                                          \
    do {                                                                                           \
        magpie_err err_ = (call);                                                                  \
        if (err_ != MAGPIE_OK)                                                                     \
            fail_msg("%s: %s: %s", #call, magpie_err_word(err_), outer.text);                      \
    } while (0)

static const char *const names[] = {"plain.jpg",
                                    "a\nb.jpg",
                                    "CON.jpg",
                                    "x.jpg",
                                    "X.JPG",
                                    "bad\xFF\xFEutf8.jpg",
                                    "Ünï ☃.jpg",
                                    "=cmd|calc!A1.jpg",
                                    NULL /* 255 bytes */,
                                    "no picture"};

static const char *name_of(size_t i, char room[256])
{
    if (names[i])
        return names[i];
    memset(room, 'n', 255);
    strcpy(room + 251, ".jpg");
    return room;
}

static void copy_sample(const fixture *f, size_t number, const char *name)
{
    char from[512], to[512];
    uint8_t *data;
    size_t n;
    mp_why why;
    snprintf(from, sizeof from, MAGPIE_SOURCE_DIR "/samples/photo-%04zu.jpg", number);
    snprintf(to, sizeof to, "%s/pictures/%s", f->dir, name);
    assert_ok(mp_file_read(from, 1 << 24, &data, &n, &why));
    int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_ok(mp_write_all(fd, data, n, to, &why));
    close(fd);
    free(data);
}

static void add_words(fixture *f)
{
    static const char *const tags[] = {"red dress", "=evil", "Grün"};
    magpie_why outer;
    magpie_item **items;
    size_t n;
    assert_fine(magpie_list(f->m, NULL, 0, 100, &items, &n, &outer));
    assert_int_equal(n, f->n);
    f->first = items[0]->id;
    assert_fine(magpie_tag(f->m, &items[0]->id, 1, tags, 3, NULL, 0, &outer));
    assert_fine(magpie_tag(f->m, &items[1]->id, 1, tags, 1, NULL, 0, &outer));
    assert_fine(
        magpie_describe(f->m, items[0]->id, "=HYPERLINK(\"x\")", "two\nlines, \"quoted\"", &outer));
    magpie_items_free(items, n);
}

static int set_up(void **state)
{
    magpie_why outer;
    mp_why why;
    fixture *f = mp_xcalloc(1, sizeof *f);
    char path[128], room[256];
    snprintf(f->dir, sizeof f->dir, "/tmp/magpie-export-XXXXXX");
    *state = f;
    if (!mkdtemp(f->dir))
        return -1;
    snprintf(f->scratch, sizeof f->scratch, "%s/scratch", f->dir);
    assert_ok(mp_mkdirs(f->scratch, &why));
    snprintf(path, sizeof path, "%s/pictures", f->dir);
    assert_ok(mp_mkdirs(path, &why));
    f->n = MP_COUNT(names);
    for (size_t i = 0; i < f->n; i++)
        copy_sample(f, i + 1, name_of(i, room));
    snprintf(path, sizeof path, "%s/library", f->dir);
    magpie_options opt = {.library = path, .create = true, .model = "builtin", .threads = 2};
    assert_fine(magpie_open(&f->m, &opt, &outer));
    snprintf(path, sizeof path, "%s/pictures", f->dir);
    const char *paths[] = {path};
    assert_fine(magpie_add(f->m, paths, 1, NULL, NULL, &outer));
    add_words(f);
    snprintf(path, sizeof path, "%s/export.zip", f->dir);
    f->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return f->fd < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    char command[96];
    close(f->fd);
    magpie_close(f->m);
    snprintf(command, sizeof command, "rm -rf %s", f->dir);
    int code = system(command);
    free(f);
    return code;
}

static mp_export_options everything(const fixture *f)
{
    return (mp_export_options){.originals = true,
                               .thumbnails = true,
                               .vectors = true,
                               .manifests = MP_EXPORT_JSON | MP_EXPORT_CSV | MP_EXPORT_COCO,
                               .title = "Rome \"2024\" \xFF",
                               .scratch = f->scratch};
}

static void assert_scratch_is_empty(const fixture *f)
{
    assert_int_equal(rmdir(f->scratch), 0);
    assert_int_equal(mkdir(f->scratch, 0700), 0);
}

static void export_to(fixture *f, const mp_export_options *opt, unzip *out,
                      mp_export_report *report)
{
    mp_why why;
    struct stat st;
    assert_int_equal(ftruncate(f->fd, 0), 0);
    assert_int_equal(lseek(f->fd, 0, SEEK_SET), 0);
    assert_ok(mp_export_write(f->m, opt, f->fd, report, &why));
    assert_true(unzip_read(out, f->fd));
    assert_int_equal(fstat(f->fd, &st), 0);
    assert_int_equal(st.st_size, report->bytes);
    assert_scratch_is_empty(f);
}

static json_t *json_of(const unzip *u, const char *name)
{
    const unzipped *entry = unzip_find(u, name);
    json_error_t error;
    assert_non_null(entry);
    assert_false(entry->stored);
    json_t *json = json_loads(entry->data, 0, &error);
    if (!json)
        fail_msg("%s: line %d: %s", name, error.line, error.text);
    return json;
}

static const char *text_at(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    assert_non_null(text);
    return text;
}

static json_int_t number_at(const json_t *o, const char *key)
{
    assert_true(json_is_integer(json_object_get(o, key)));
    return json_integer_value(json_object_get(o, key));
}

/* ---- what is in it ---- */

static void assert_original(fixture *f, const unzip *u, const json_t *image)
{
    magpie_why outer;
    uint8_t *data;
    size_t n;
    const unzipped *entry = unzip_find(u, text_at(image, "file"));
    assert_non_null(entry);
    assert_true(entry->stored);
    assert_fine(magpie_content(f->m, number_at(image, "id"), &data, &n, &outer));
    assert_int_equal(entry->n, n);
    assert_memory_equal(entry->data, data, n);
    assert_int_equal(number_at(image, "bytes"), n);
    magpie_free(data);
    entry = unzip_find(u, text_at(image, "thumbnail"));
    assert_non_null(entry);
    assert_memory_equal(entry->data, "RIFF", 4);
}

static void assert_first_image(const json_t *image)
{
    double sharpness =
        json_real_value(json_object_get(json_object_get(image, "quality"), "sharpness"));
    assert_string_equal(text_at(image, "title"), "=HYPERLINK(\"x\")"); /* CSV alone is guarded */
    assert_string_equal(text_at(image, "description"), "two\nlines, \"quoted\"");
    assert_int_equal(json_array_size(json_object_get(image, "tags")), 3);
    assert_string_equal(text_at(image, "format"), "jpeg");
    assert_int_equal(strlen(text_at(image, "sha256")), 64);
    assert_int_equal(strlen(text_at(image, "phash")), 16);
    assert_int_equal(strlen(text_at(image, "added_at")), 20);
    assert_true(json_is_null(json_object_get(image, "taken_at")));
    assert_true(sharpness > 0);
    assert_true(number_at(image, "width") > 0 && number_at(image, "height") > 0);
    assert_true(json_is_array(json_object_get(image, "issues")));
}

static void json_tells_all(void **state)
{
    fixture *f = *state;
    mp_export_options opt = everything(f);
    mp_export_report report;
    static unzip u;
    export_to(f, &opt, &u, &report);
    assert_int_equal(report.images, f->n);
    assert_int_equal(report.originals, f->n);
    assert_int_equal(report.thumbnails, f->n);
    assert_int_equal(report.vectors, f->n);
    assert_int_equal(report.skipped, 0);
    assert_int_equal(u.n, 2 * f->n + 5);
    json_t *o = json_of(&u, "manifest.json"), *images = json_object_get(o, "images"), *image;
    assert_string_equal(text_at(o, "format"), "magpie-export");
    assert_int_equal(number_at(o, "version"), 1);
    assert_string_equal(text_at(o, "title"), "Rome \"2024\" \xEF\xBF\xBD");
    assert_string_equal(text_at(o, "model"), "builtin");
    assert_int_equal(strlen(text_at(o, "exported_at")), 20);
    assert_int_equal(number_at(o, "count"), f->n);
    assert_int_equal(json_array_size(images), f->n);
    assert_int_equal(json_array_size(json_object_get(o, "skipped")), 0);
    size_t i;
    json_array_foreach(images, i, image) assert_original(f, &u, image);
    assert_first_image(json_array_get(images, 0));
    json_decref(o);
    unzip_free(&u);
}

static void names_are_safe_and_unlike(void **state)
{
    static const char *const expected[] = {"images/plain.jpg",       "images/a_b.jpg",
                                           "images/_CON.jpg",        "images/bad__utf8.jpg",
                                           "images/Ünï ☃.jpg",       "images/no picture.jpg",
                                           "images/=cmd_calc!A1.jpg"};
    fixture *f = *state;
    mp_export_options opt = {.originals = true, .scratch = f->scratch};
    mp_export_report report;
    static unzip u;
    export_to(f, &opt, &u, &report);
    assert_int_equal(u.n, f->n);
    for (size_t i = 0; i < MP_COUNT(expected); i++)
        assert_non_null(unzip_find(&u, expected[i]));
    for (size_t i = 0; i < u.n; i++) {
        assert_int_equal(strncmp(u.entry[i].name, "images/", 7), 0);
        assert_null(strchr(u.entry[i].name + 7, '/'));
        assert_true(strlen(u.entry[i].name) < 200);
    }
    /* Of x.jpg and X.JPG, whichever came first. */
    assert_true((unzip_find(&u, "images/x.jpg") && unzip_find(&u, "images/X (2).JPG")) ||
                (unzip_find(&u, "images/X.JPG") && unzip_find(&u, "images/x (2).jpg")));
    unzip_free(&u);
}

/* The bytes themselves: the flag that says UTF-8 (bit 11) stands at a name that is not ASCII. */
static void names_are_flagged_as_utf8(void **state)
{
    static const char name[] = "images/Ünï ☃.jpg";
    fixture *f = *state;
    mp_export_options opt = {.originals = true, .scratch = f->scratch};
    mp_export_report report;
    static unzip u;
    struct stat st;
    export_to(f, &opt, &u, &report);
    unzip_free(&u);
    assert_int_equal(fstat(f->fd, &st), 0);
    char *all = mp_xmalloc((size_t)st.st_size);
    assert_int_equal(pread(f->fd, all, (size_t)st.st_size, 0), st.st_size);
    int seen = 0;
    for (char *at = all; (at = memmem(at, (size_t)(all + st.st_size - at), name, sizeof name - 1));
         at++) {
        bool local = at - all >= 30 && memcmp(at - 30, "PK\3\4", 4) == 0;
        bool central = at - all >= 46 && memcmp(at - 46, "PK\1\2", 4) == 0;
        assert_true(local || central);
        assert_true(at[local ? -23 : -37] & 8);
        seen++;
    }
    free(all);
    assert_int_equal(seen, 2);
}

static void csv_is_quoted_and_guarded(void **state)
{
    fixture *f = *state;
    mp_export_options opt = {.manifests = MP_EXPORT_CSV, .scratch = f->scratch};
    mp_export_report report;
    static unzip u;
    export_to(f, &opt, &u, &report);
    const unzipped *csv = unzip_find(&u, "manifest.csv");
    assert_non_null(csv);
    assert_int_equal(u.n, 1);
    assert_int_equal(strncmp(csv->data, "id,file,name,sha256,", 20), 0);
    assert_non_null(
        strstr(csv->data, ",\"'=HYPERLINK(\"\"x\"\")\",\"two\nlines, \"\"quoted\"\"\","));
    assert_non_null(strstr(csv->data, ",\"'=cmd|calc!A1.jpg\","));
    assert_non_null(strstr(csv->data, "\"'=evil,Grün,red dress\""));
    size_t ends = 0;
    for (const char *p = csv->data; (p = strstr(p, "\r\n")); p += 2)
        ends++;
    assert_int_equal(ends, f->n + 1);
    unzip_free(&u);
}

static void coco_has_tags_as_categories(void **state)
{
    fixture *f = *state;
    mp_export_options opt = everything(f);
    mp_export_report report;
    static unzip u;
    export_to(f, &opt, &u, &report);
    json_t *o = json_of(&u, "coco.json"), *images = json_object_get(o, "images");
    json_t *annotations = json_object_get(o, "annotations"), *a;
    json_t *categories = json_object_get(o, "categories");
    assert_int_equal(json_array_size(images), f->n);
    assert_int_equal(json_array_size(annotations), 4);
    assert_int_equal(json_array_size(categories), 3);
    assert_true(json_is_array(json_object_get(o, "licenses")));
    assert_non_null(text_at(json_object_get(o, "info"), "description"));
    json_t *first = json_array_get(images, 0);
    assert_non_null(unzip_find(&u, text_at(first, "file_name")));
    size_t i;
    json_array_foreach(categories, i, a) assert_int_equal(number_at(a, "id"), i + 1);
    json_array_foreach(annotations, i, a)
    {
        json_t *box = json_object_get(a, "bbox");
        assert_int_equal(number_at(a, "id"), i + 1);
        assert_in_range(number_at(a, "category_id"), 1, 3);
        assert_int_equal(number_at(a, "iscrowd"), 0);
        assert_int_equal(number_at(a, "area"), json_integer_value(json_array_get(box, 2)) *
                                                   json_integer_value(json_array_get(box, 3)));
    }
    a = json_array_get(annotations, 0);
    assert_int_equal(number_at(a, "image_id"), number_at(first, "id"));
    assert_int_equal(json_integer_value(json_array_get(json_object_get(a, "bbox"), 2)),
                     number_at(first, "width"));
    json_decref(o);
    unzip_free(&u);
}

/* The format by hand: magic, version 1.0, header length, dictionary, aligned data. */
static const char *npy_data(const unzipped *npy, const char *dictionary)
{
    assert_non_null(npy);
    assert_true(npy->stored);
    assert_memory_equal(npy->data, "\x93NUMPY\x01\x00", 8);
    size_t header = (unsigned char)npy->data[8] + 256u * (unsigned char)npy->data[9];
    assert_int_equal((10 + header) % 64, 0);
    assert_int_equal(npy->data[10 + header - 1], '\n');
    assert_memory_equal(npy->data + 10, dictionary, strlen(dictionary));
    return npy->data + 10 + header;
}

static void vectors_are_numpy_files(void **state)
{
    fixture *f = *state;
    magpie_why outer;
    mp_export_options opt = {.vectors = true, .scratch = f->scratch};
    mp_export_report report;
    static unzip u;
    char dictionary[128];
    float *v;
    int dims;
    export_to(f, &opt, &u, &report);
    int64_t *ids = mp_xcalloc(f->n, sizeof *ids);
    const unzipped *npy = unzip_find(&u, "vectors_ids.npy");
    snprintf(dictionary, sizeof dictionary,
             "{'descr': '<i8', 'fortran_order': False, 'shape': (%zu,), }", f->n);
    memcpy(ids, npy_data(npy, dictionary), f->n * sizeof *ids);
    assert_int_equal(ids[0], f->first);
    assert_fine(magpie_vectors(f->m, ids, f->n, &v, &dims, &outer));
    npy = unzip_find(&u, "vectors.npy");
    snprintf(dictionary, sizeof dictionary,
             "{'descr': '<f4', 'fortran_order': False, 'shape': (%zu, %d), }", f->n, dims);
    const char *data = npy_data(npy, dictionary);
    size_t bytes = f->n * (size_t)dims * sizeof *v;
    assert_int_equal(npy->data + npy->n - data, bytes);
    assert_memory_equal(data, v, bytes);
    double norm = 0;
    for (int i = 0; i < dims; i++)
        norm += (double)v[i] * (double)v[i];
    assert_true(fabs(norm - 1) < 1e-3);
    magpie_free(v);
    free(ids);
    unzip_free(&u);
}

/* ---- what is left out ---- */

static void gone_and_changed_files_are_skipped(void **state)
{
    fixture *f = *state;
    char path[128];
    mp_why why;
    mp_export_options opt = everything(f);
    mp_export_report report;
    static unzip u;
    snprintf(path, sizeof path, "%s/pictures/plain.jpg", f->dir);
    assert_int_equal(unlink(path), 0);
    uint8_t *data;
    size_t n;
    snprintf(path, sizeof path, "%s/pictures/CON.jpg", f->dir);
    assert_ok(mp_file_read(path, 1 << 24, &data, &n, &why));
    data[n / 2] ^= 1; /* the size stays */
    assert_ok(mp_file_replace(path, data, n, &why));
    free(data);
    export_to(f, &opt, &u, &report);
    assert_int_equal(report.skipped, 2);
    assert_int_equal(report.images, f->n - 2);
    assert_int_equal(unzip_count(&u, "images/"), f->n - 2);
    json_t *o = json_of(&u, "manifest.json"), *skipped = json_object_get(o, "skipped");
    assert_int_equal(number_at(o, "count"), f->n - 2);
    assert_int_equal(json_array_size(skipped), 2);
    for (size_t i = 0; i < 2; i++) {
        assert_true(number_at(json_array_get(skipped, i), "id") > 0);
        assert_null(strstr(text_at(json_array_get(skipped, i), "reason"), f->dir));
    }
    json_decref(o);
    unzip_free(&u);
    opt.originals = false; /* what is known of them can still be had */
    export_to(f, &opt, &u, &report);
    assert_int_equal(report.images, f->n);
    o = json_of(&u, "manifest.json");
    assert_true(
        json_is_null(json_object_get(json_array_get(json_object_get(o, "images"), 0), "file")));
    json_decref(o);
    unzip_free(&u);
}

static void ids_and_filters_choose(void **state)
{
    fixture *f = *state;
    const int64_t ids[] = {f->first + 2, 9999, f->first, f->first + 2};
    mp_export_options opt = {.ids = ids, .n_ids = 4, .scratch = f->scratch};
    mp_export_report report;
    static unzip u;
    opt.manifests = MP_EXPORT_JSON;
    export_to(f, &opt, &u, &report);
    assert_int_equal(report.images, 2);
    assert_int_equal(report.skipped, 1);
    json_t *o = json_of(&u, "manifest.json"), *images = json_object_get(o, "images");
    assert_int_equal(number_at(json_array_get(images, 0), "id"), f->first);
    assert_int_equal(number_at(json_array_get(images, 1), "id"), f->first + 2);
    assert_int_equal(number_at(json_array_get(json_object_get(o, "skipped"), 0), "id"), 9999);
    json_decref(o);
    unzip_free(&u);
    opt = everything(f);
    opt.where = "tag:\"red dress\"";
    export_to(f, &opt, &u, &report);
    assert_int_equal(report.images, 2);
    unzip_free(&u);
    opt.where = "tag:nothing";
    export_to(f, &opt, &u, &report); /* whole, with nothing in it */
    assert_int_equal(report.images, 0);
    assert_int_equal(u.n, 5);
    json_decref(json_of(&u, "manifest.json"));
    json_decref(json_of(&u, "coco.json"));
    unzip_free(&u);
    opt = (mp_export_options){.originals = true, .ids = ids, .n_ids = 0, .scratch = f->scratch};
    export_to(f, &opt, &u, &report);
    assert_int_equal(u.n, 0);
    unzip_free(&u);
}

/* ---- failures ---- */

static mp_err export_fails(fixture *f, const mp_export_options *opt, int fd)
{
    mp_why why = {""};
    mp_export_report report;
    mp_err err = mp_export_write(f->m, opt, fd, &report, &why);
    assert_true(err == MP_OK || *why.text);
    assert_scratch_is_empty(f);
    return err;
}

static void senseless_options_are_refused(void **state)
{
    fixture *f = *state;
    int64_t id = 1;
    mp_export_options opt = {.scratch = f->scratch};
    assert_int_equal(export_fails(f, &opt, f->fd), MP_INVALID); /* nothing to export */
    opt.manifests = 64;
    assert_int_equal(export_fails(f, &opt, f->fd), MP_INVALID);
    opt.manifests = MP_EXPORT_JSON;
    opt.where = "nonsense:";
    assert_int_equal(export_fails(f, &opt, f->fd), MP_INVALID);
    opt.where = "tag:a";
    opt.ids = &id;
    opt.n_ids = 1;
    assert_int_equal(export_fails(f, &opt, f->fd), MP_INVALID);
    opt.ids = NULL;
    opt.scratch = "/tmp/magpie-no-such-folder";
    assert_int_equal(mp_export_write(f->m, &opt, f->fd, NULL, NULL), MP_NOT_FOUND);
    assert_int_equal(lseek(f->fd, 0, SEEK_END), 0); /* not a byte was written */
}

typedef struct stopper {
    uint64_t calls, stop_at;
    magpie_progress last;
} stopper;

static bool stop_at(void *context, const magpie_progress *p)
{
    stopper *s = context;
    assert_true(p->done >= s->last.done && p->bytes >= s->last.bytes);
    s->last = *p;
    return ++s->calls == s->stop_at;
}

/* Every call may be the one that stops it. */
static void an_export_can_be_stopped(void **state)
{
    fixture *f = *state;
    mp_export_options opt = everything(f);
    mp_err err = MP_CANCELLED;
    uint64_t calls = 0;
    static unzip u;
    opt.on_progress = stop_at;
    while (err == MP_CANCELLED) {
        stopper s = {.stop_at = ++calls};
        opt.context = &s;
        assert_int_equal(ftruncate(f->fd, 0), 0);
        assert_int_equal(lseek(f->fd, 0, SEEK_SET), 0);
        err = export_fails(f, &opt, f->fd);
        assert_string_equal(s.last.stage, "export");
        bool whole = unzip_read(&u, f->fd);
        assert_true(whole == (err == MP_OK));
        unzip_free(&u);
        if (err == MP_OK)
            assert_int_equal(s.last.done, f->n);
    }
    assert_int_equal(err, MP_OK);
    assert_true(calls > f->n + 3);
}

static void a_full_disk_is_told(void **state)
{
    fixture *f = *state;
    mp_export_options opt = everything(f);
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_true(full >= 0);
    assert_int_equal(export_fails(f, &opt, full), MP_FULL);
    close(full);
    int closed = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(export_fails(f, &opt, closed), MP_IO);
    close(closed);
}

/* At each size the file may reach: an error, never a crash, and then the whole. */
static void a_file_that_may_not_grow(void **state)
{
    fixture *f = *state;
    mp_export_options opt = {.vectors = true,
                             .thumbnails = true,
                             .manifests = MP_EXPORT_JSON | MP_EXPORT_COCO,
                             .scratch = f->scratch};
    struct rlimit before, now;
    mp_err err = MP_FULL;
    int failed = 0;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(export_fails(f, &opt, f->fd), MP_OK); /* the thumbnails are kept by now */
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    for (rlim_t limit = 0; err != MP_OK; limit += 9973) {
        assert_int_equal(ftruncate(f->fd, 0), 0);
        assert_int_equal(lseek(f->fd, 0, SEEK_SET), 0);
        now = before;
        now.rlim_cur = limit;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
        mp_why why = {""};
        err = mp_export_write(f->m, &opt, f->fd, NULL, &why);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        if (err && err != MP_FULL)
            fail_msg("at %llu: %s", (unsigned long long)limit, why.text);
        failed += err != MP_OK;
    }
    signal(SIGXFSZ, SIG_DFL);
    assert_true(failed > 3);
}

/* ---- beside others ---- */

static void *drain(void *context)
{
    char chunk[4096];
    size_t *bytes = context;
    ssize_t got;
    int fd = (int)*bytes;
    *bytes = 0;
    while ((got = read(fd, chunk, sizeof chunk)) > 0)
        *bytes += (size_t)got;
    return NULL;
}

static void a_pipe_will_do(void **state)
{
    fixture *f = *state;
    mp_export_options opt = everything(f);
    mp_export_report report;
    mp_why why;
    int ends[2];
    pthread_t reader;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    size_t bytes = (size_t)ends[0];
    assert_int_equal(pthread_create(&reader, NULL, drain, &bytes), 0);
    assert_ok(mp_export_write(f->m, &opt, ends[1], &report, &why));
    close(ends[1]);
    pthread_join(reader, NULL);
    close(ends[0]);
    assert_int_equal(bytes, report.bytes);
}

static void *export_again(void *context)
{
    fixture *f = context;
    mp_export_options opt = everything(f);
    mp_export_report report;
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    for (int i = 0; i < 5; i++)
        if (mp_export_write(f->m, &opt, null, &report, NULL) || report.images + report.skipped < 4)
            return f;
    close(null);
    return NULL;
}

static void exports_run_beside_each_other_and_writers(void **state)
{
    fixture *f = *state;
    magpie_why outer;
    pthread_t thread[3];
    static const char *const tag = "added";
    void *failed;
    for (size_t i = 0; i < MP_COUNT(thread); i++)
        assert_int_equal(pthread_create(&thread[i], NULL, export_again, f), 0);
    for (int64_t id = f->first; id < f->first + 6; id++) {
        assert_fine(magpie_tag(f->m, &id, 1, &tag, 1, NULL, 0, &outer));
        assert_fine(magpie_remove(f->m, &id, 1, NULL, &outer));
    }
    for (size_t i = 0; i < MP_COUNT(thread); i++) {
        pthread_join(thread[i], &failed);
        assert_null(failed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(json_tells_all, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_are_safe_and_unlike, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_are_flagged_as_utf8, set_up, tear_down),
        cmocka_unit_test_setup_teardown(csv_is_quoted_and_guarded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(coco_has_tags_as_categories, set_up, tear_down),
        cmocka_unit_test_setup_teardown(vectors_are_numpy_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gone_and_changed_files_are_skipped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ids_and_filters_choose, set_up, tear_down),
        cmocka_unit_test_setup_teardown(senseless_options_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_export_can_be_stopped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_may_not_grow, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_pipe_will_do, set_up, tear_down),
        cmocka_unit_test_setup_teardown(exports_run_beside_each_other_and_writers, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
