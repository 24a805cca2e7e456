/* A small library with awkward pictures, exported and read back by another reader. */
#include "library.h"

#include "base/os.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
