/* library.c - see library.h. */
#include "library.h"

#include "base/os.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

int set_up(void **state)
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

int tear_down(void **state)
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

mp_export_options everything(const fixture *f)
{
    return (mp_export_options){.originals = true,
                               .thumbnails = true,
                               .vectors = true,
                               .manifests = MP_EXPORT_JSON | MP_EXPORT_CSV | MP_EXPORT_COCO,
                               .title = "Rome \"2024\" \xFF",
                               .scratch = f->scratch};
}

void assert_scratch_is_empty(const fixture *f)
{
    assert_int_equal(rmdir(f->scratch), 0);
    assert_int_equal(mkdir(f->scratch, 0700), 0);
}

void export_to(fixture *f, const mp_export_options *opt, unzip *out, mp_export_report *report)
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

json_t *json_of(const unzip *u, const char *name)
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

const char *text_at(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    assert_non_null(text);
    return text;
}

json_int_t number_at(const json_t *o, const char *key)
{
    assert_true(json_is_integer(json_object_get(o, key)));
    return json_integer_value(json_object_get(o, key));
}
