/* ZIP files from strangers: what is taken, what is passed over, and what is refused. */
#include "../test.h"
#include "base/os.h"
#include "pack/zip_read.h"
#include "pack/zip_write.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- making them ---- */

static int new_file(void)
{
    int fd = memfd_create("zip", MFD_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void put(mp_zip_writer *z, const char *name, const void *data, size_t n, bool deflate)
{
    mp_why why;
    mp_zip_entry entry = {.name = name, .bytes = n, .deflate = deflate};
    assert_ok(mp_zip_begin(z, &entry, &why));
    assert_ok(mp_zip_data(z, data, n, &why));
}

static void put_zeros(mp_zip_writer *z, const char *name, size_t n)
{
    char *zeros = mp_xcalloc(n, 1);
    put(z, name, zeros, n, true);
    free(zeros);
}

static mp_zip_writer *begin(int fd)
{
    mp_why why;
    mp_zip_writer *z;
    assert_ok(mp_zip_open(&z, fd, &why));
    return z;
}

static void end(mp_zip_writer *z)
{
    mp_why why;
    assert_ok(mp_zip_finish(z, &why));
    mp_zip_free(z);
}

/* Three files, one of them deflated. */
static int make_small(void)
{
    int fd = new_file();
    char noise[700];
    mp_rng rng = {1};
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (char)mp_rng_u64(&rng);
    mp_zip_writer *z = begin(fd);
    put(z, "one.jpg", noise, sizeof noise, false);
    put(z, "folder/two.png", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 56, true);
    put(z, "folder/Ünï.gif", "", 0, false);
    end(z);
    return fd;
}

/* ---- reading them ---- */

typedef struct seen {
    char names[64][256];
    uint64_t bytes[64];
    size_t n;
    uint64_t sum;  /* of all bytes, by value: what came out */
    mp_err answer; /* of the last call */
} seen;

static mp_err see(void *context, const mp_zip_file *file, mp_why *why)
{
    seen *s = context;
    uint8_t chunk[4096];
    uint64_t n = 0;
    ssize_t got;
    while ((got = read(file->fd, chunk, sizeof chunk)) > 0) {
        for (ssize_t i = 0; i < got; i++)
            s->sum += chunk[i];
        n += (uint64_t)got;
    }
    assert_int_equal(n, file->bytes);
    if (s->n < MP_COUNT(s->names)) {
        snprintf(s->names[s->n], sizeof s->names[0], "%s", file->name);
        s->bytes[s->n] = n;
    }
    s->n++;
    return s->answer ? mp_fail(why, s->answer, "enough") : MP_OK;
}

static mp_err each(int fd, const mp_zip_limits *limits, seen *s, mp_why *why)
{
    mp_err err;
    *s = (seen){0};
    *why = (mp_why){""};
    err = mp_zip_each(fd, limits, see, s, why);
    assert_true(err == MP_OK || *why->text);
    return err;
}

static void refused(int fd, const mp_zip_limits *limits, mp_err expected, const char *words)
{
    seen s;
    mp_why why;
    mp_err err = each(fd, limits, &s, &why);
    if (err != expected || !strstr(why.text, words))
        fail_msg("%s: %s; expected %s: ...%s...", mp_err_word(err), why.text, mp_err_word(expected),
                 words);
    assert_int_equal(s.n, 0); /* before anything came out */
    close(fd);
}

static void files_come_out(void **state)
{
    seen s;
    mp_why why;
    int fd = make_small();
    (void)state;
    off_t at = lseek(fd, 5, SEEK_SET);
    assert_ok(each(fd, NULL, &s, &why));
    assert_int_equal(s.n, 3);
    assert_string_equal(s.names[0], "one.jpg");
    assert_int_equal(s.bytes[0], 700);
    assert_string_equal(s.names[1], "two.png");
    assert_int_equal(s.bytes[1], 56);
    assert_string_equal(s.names[2], "Ünï.gif");
    assert_int_equal(s.bytes[2], 0);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), at);
    close(fd);
}

static void the_caller_can_stop(void **state)
{
    mp_why why = {""};
    seen s = {.answer = MP_CANCELLED};
    int fd = make_small();
    (void)state;
    assert_int_equal(mp_zip_each(fd, NULL, see, &s, &why), MP_CANCELLED);
    assert_string_equal(why.text, "enough");
    assert_int_equal(s.n, 1);
    close(fd);
}

static void put_other(struct archive *a, const char *name, mode_t type, const char *link)
{
    struct archive_entry *e = archive_entry_new();
    archive_entry_set_pathname(e, name);
    archive_entry_set_filetype(e, type);
    archive_entry_set_perm(e, 0777);
    archive_entry_set_size(e, type == AE_IFREG ? 3 : 0);
    if (link)
        archive_entry_set_symlink(e, link);
    assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
    if (type == AE_IFREG)
        assert_int_equal(archive_write_data(a, "abc", 3), 3);
    archive_entry_free(e);
}

/* Names that want to leave the folder come out as base names; what is no file stays inside. */
static void hostile_entries_do_no_harm(void **state)
{
    seen s;
    mp_why why;
    int fd = new_file();
    struct archive *a = archive_write_new();
    (void)state;
    archive_write_set_format_zip(a);
    assert_int_equal(archive_write_open_fd(a, fd), ARCHIVE_OK);
    put_other(a, "pictures/", AE_IFDIR, NULL);
    put_other(a, "link.jpg", AE_IFLNK, "/etc/passwd");
    put_other(a, "../../../etc/cron.d/x.jpg", AE_IFREG, NULL);
    put_other(a, "/abs.jpg", AE_IFREG, NULL);
    put_other(a, "..\\..\\win.jpg", AE_IFREG, NULL);
    put_other(a, "a\nb\x1b.jpg", AE_IFREG, NULL);
    put_other(a, "pictures/.DS_Store", AE_IFREG, NULL);
    put_other(a, "__MACOSX/pictures/x.jpg", AE_IFREG, NULL);
    put_other(a, "CON", AE_IFREG, NULL);
    put_other(a, "latin\xE9.jpg", AE_IFREG, NULL);
    assert_int_equal(archive_write_free(a), ARCHIVE_OK);
    assert_ok(each(fd, NULL, &s, &why));
    static const char *const expected[] = {"x.jpg",    "abs.jpg", "win.jpg",
                                           "a_b_.jpg", "_CON",    "latin_.jpg"};
    assert_int_equal(s.n, MP_COUNT(expected));
    for (size_t i = 0; i < s.n; i++)
        assert_string_equal(s.names[i], expected[i]);
    close(fd);
}

/* ---- what is no ZIP file ---- */

static void what_is_no_zip_is_refused(void **state)
{
    int fd = new_file(), ends[2];
    mp_why why;
    seen s;
    (void)state;
    refused(fd, NULL, MP_INVALID, "no ZIP file"); /* empty */
    fd = new_file();
    assert_ok(mp_write_all(fd, "\xFF\xD8\xFF\xE0 a picture, perhaps", 22, "it", &why));
    refused(fd, NULL, MP_INVALID, "no ZIP file");
    fd = open(MAGPIE_SOURCE_DIR "/samples", O_RDONLY | O_CLOEXEC);
    refused(fd, NULL, MP_INVALID, "no ZIP file");
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    close(ends[1]);
    refused(ends[0], NULL, MP_INVALID, "no ZIP file");
    refused(open("/dev/null", O_RDWR | O_CLOEXEC), NULL, MP_INVALID, "no ZIP file");
    fd = new_file();
    end(begin(fd)); /* a ZIP file of nothing is one */
    assert_ok(each(fd, NULL, &s, &why));
    assert_int_equal(s.n, 0);
    close(fd);
    assert_int_equal(mp_zip_each(-1, NULL, see, &s, NULL), MP_IO);
}

static uint8_t *bytes_of(int fd, size_t *n)
{
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    *n = (size_t)st.st_size;
    uint8_t *all = mp_xmalloc(*n + 1);
    assert_int_equal(pread(fd, all, *n, 0), st.st_size);
    return all;
}

static int file_of(const uint8_t *bytes, size_t n)
{
    mp_why why;
    int fd = new_file();
    assert_ok(mp_write_all(fd, bytes, n, "it", &why));
    return fd;
}

static void a_cut_off_zip_gives_nothing(void **state)
{
    int fd = make_small();
    size_t n;
    uint8_t *all = bytes_of(fd, &n);
    (void)state;
    for (size_t cut = 4; cut < n; cut += cut + 100 < n ? 100 : 1)
        refused(file_of(all, cut), NULL, MP_CORRUPT, "cut off");
    for (size_t cut = 0; cut < 4; cut++)
        refused(file_of(all, cut), NULL, MP_INVALID, "no ZIP file");
    free(all);
    close(fd);
}

/* Any one byte wrong: whatever is answered, it is answered, and what is accepted is what was put
 * in. */
static void damage_is_survived(void **state)
{
    static const mp_err expected[] = {MP_OK, MP_CORRUPT, MP_INVALID, MP_TOO_BIG, MP_UNSUPPORTED};
    int fd = make_small(), answers = 0;
    size_t n;
    mp_why why;
    seen whole, s;
    uint8_t *all = bytes_of(fd, &n);
    (void)state;
    assert_ok(each(fd, NULL, &whole, &why));
    close(fd);
    for (size_t i = 0; i < n; i++)
        for (int flip = 1; flip < 256; flip = flip * 4 - 1) { /* 1, 3, 11, 43, 171 */
            all[i] ^= (uint8_t)flip;
            fd = file_of(all, n);
            mp_err err = each(fd, NULL, &s, &why);
            bool known = false;
            for (size_t k = 0; k < MP_COUNT(expected); k++)
                known = known || err == expected[k];
            if (!known)
                fail_msg("byte %zu ^ %d: %s: %s", i, flip, mp_err_word(err), why.text);
            assert_true(err || s.n <= 3);
            if (err == MP_OK && s.n == 3)
                assert_int_equal(s.sum, whole.sum);
            answers |= 1 << err;
            close(fd);
            all[i] ^= (uint8_t)flip;
        }
    assert_true(answers & 1 << MP_OK && answers & 1 << MP_CORRUPT);
    free(all);
}

/* ---- too much ---- */

static void limits_hold(void **state)
{
    (void)state;
    mp_zip_limits limits = {.entries = 3, .entry_bytes = 700, .total_bytes = 756};
    seen s;
    mp_why why;
    int fd = make_small();
    assert_ok(each(fd, &limits, &s, &why)); /* exactly */
    close(fd);
    limits.entries = 2;
    refused(make_small(), &limits, MP_TOO_BIG, "more than 2 files");
    limits = (mp_zip_limits){.entry_bytes = 699};
    refused(make_small(), &limits, MP_TOO_BIG, "one.jpg in the ZIP file has more than 699 bytes");
    limits = (mp_zip_limits){.total_bytes = 755};
    refused(make_small(), &limits, MP_TOO_BIG, "more than 755 bytes");
}

static void many_entries(int fd, int n)
{
    mp_zip_writer *z = begin(fd);
    for (int i = 0; i < n; i++) {
        char name[32];
        snprintf(name, sizeof name, "%d.jpg", i);
        put(z, name, "x", 1, false);
    }
    end(z);
}

static void there_may_be_ten_thousand(void **state)
{
    (void)state;
    seen s;
    mp_why why;
    int fd = new_file();
    many_entries(fd, 10000);
    assert_ok(each(fd, NULL, &s, &why));
    assert_int_equal(s.n, 10000);
    close(fd);
    fd = new_file();
    many_entries(fd, 10001);
    refused(fd, NULL, MP_TOO_BIG, "more than 10000 files");
    /* So many that the directory itself is not read to its end; they need ZIP64, too. */
    mp_zip_limits limits = {.entries = 10};
    fd = new_file();
    many_entries(fd, 70000);
    refused(fd, &limits, MP_TOO_BIG, "directory of the ZIP file is too long");
}

static void a_bomb_is_refused(void **state)
{
    (void)state;
    int fd = new_file();
    mp_zip_writer *z = begin(fd);
    put_zeros(z, "bomb.jpg", 20 << 20);
    end(z);
    refused(fd, NULL, MP_TOO_BIG, "more than 100 times its size");
    fd = new_file();
    z = begin(fd);
    for (int i = 0; i < 4; i++)
        put_zeros(z, "bomb.jpg", 4 << 20);
    end(z);
    mp_zip_limits limits = {.ratio = 100000, .total_bytes = 12 << 20};
    refused(fd, &limits, MP_TOO_BIG, "more than 12582912 bytes");
    fd = new_file();
    z = begin(fd);
    put_zeros(z, "blank.png", 900 << 10); /* a small picture may well be all of one colour */
    end(z);
    seen s;
    mp_why why;
    assert_ok(each(fd, NULL, &s, &why));
    assert_int_equal(s.bytes[0], 900 << 10);
    close(fd);
}

static void set16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static void set32(uint8_t *p, uint32_t v)
{
    set16(p, v & 0xFFFF);
    set16(p + 2, v >> 16);
}

/* The record of the n-th entry in the directory. */
static uint8_t *central(uint8_t *all, size_t n, int entry)
{
    uint8_t *at = all;
    for (int i = 0; i <= entry; i++) {
        at = memmem(at + 1, n - (size_t)(at + 1 - all), "PK\1\2", 4);
        assert_non_null(at);
    }
    return at;
}

/* Says that it has 10 bytes, and has 20 MiB. */
static void a_bomb_that_lies_is_refused(void **state)
{
    (void)state;
    int fd = new_file();
    size_t n;
    seen s;
    mp_why why;
    mp_zip_writer *z = begin(fd);
    put_zeros(z, "bomb.jpg", 20 << 20);
    end(z);
    uint8_t *all = bytes_of(fd, &n);
    close(fd);
    set32(central(all, n, 0) + 24, 10);
    set32(all + 22, 10);
    fd = file_of(all, n);
    mp_zip_limits limits = {.entry_bytes = 1 << 20};
    mp_err err = each(fd, &limits, &s, &why);
    assert_true(err == MP_CORRUPT || err == MP_TOO_BIG);
    assert_int_equal(s.n, 0);
    close(fd);
    free(all);
}

/* Each entry's bytes are the headers and bytes of all that follow: little on disk, much unpacked.
 */
static void overlapping_entries_are_counted_each(void **state)
{
    enum { N = 40, KERNEL = 100 << 10, LOCAL = 31, CENTRAL = 47, END_MARK = 22 };
    (void)state;
    size_t data = N * LOCAL + KERNEL, n = data + N * CENTRAL + END_MARK;
    uint8_t *all = mp_xcalloc(n, 1), *mark = all + n - END_MARK;
    for (unsigned i = 0; i < N; i++) {
        uint8_t *local = all + i * LOCAL, *record = all + data + i * CENTRAL;
        uint32_t bytes = (uint32_t)(data - (i + 1) * LOCAL);
        memcpy(local, "PK\3\4\24", 5);
        set32(local + 18, bytes);
        set32(local + 22, bytes);
        set16(local + 26, 1);
        memcpy(record, "PK\1\2\24\3\24", 7);
        memcpy(record + 8, local + 6, 22);
        set32(record + 38, UINT32_C(0100644) << 16);
        set32(record + 42, i * LOCAL);
        local[30] = record[46] = (uint8_t)('A' + i);
    }
    memcpy(mark, "PK\5\6", 4);
    set16(mark + 8, N);
    set16(mark + 10, N);
    set32(mark + 12, N * CENTRAL);
    set32(mark + 16, (uint32_t)data);
    mp_zip_limits limits = {.ratio = 20};
    refused(file_of(all, n), &limits, MP_TOO_BIG, "more than 20 times its size");
    limits = (mp_zip_limits){.total_bytes = 3 << 20};
    refused(file_of(all, n), &limits, MP_TOO_BIG, "more than 3145728 bytes");
    free(all);
}

/* ---- other ways of packing ---- */

static void unusual_packing_is_refused(void **state)
{
    static const unsigned methods[] = {1, 6, 9, 12, 14, 93, 95, 98, 77};
    (void)state;
    int fd = make_small();
    size_t n;
    uint8_t *all = bytes_of(fd, &n), *record = central(all, n, 0);
    close(fd);
    for (size_t i = 0; i < MP_COUNT(methods); i++) {
        set16(record + 10, methods[i]);
        set16(all + 8, methods[i]);
        refused(file_of(all, n), NULL, MP_UNSUPPORTED, "one.jpg in the ZIP file is packed");
    }
    set16(record + 10, 0);
    set16(all + 8, 0);
    record[8] |= 1; /* encrypted */
    all[6] |= 1;
    refused(file_of(all, n), NULL, MP_UNSUPPORTED, "password");
    free(all);
}

/* ---- no room for what comes out ---- */

static void a_full_disk_is_told(void **state)
{
    struct rlimit before, now;
    (void)state;
    mp_zip_limits limits = {.scratch = "/tmp/magpie-no-such-folder"};
    refused(make_small(), &limits, MP_NOT_FOUND, "temporary file");
    int fd = make_small();
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    now = before;
    now.rlim_cur = 300;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
    seen s;
    mp_why why;
    mp_err err = each(fd, NULL, &s, &why);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(err, MP_FULL);
    assert_int_equal(s.n, 0);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_come_out),
        cmocka_unit_test(the_caller_can_stop),
        cmocka_unit_test(hostile_entries_do_no_harm),
        cmocka_unit_test(what_is_no_zip_is_refused),
        cmocka_unit_test(a_cut_off_zip_gives_nothing),
        cmocka_unit_test(damage_is_survived),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(there_may_be_ten_thousand),
        cmocka_unit_test(a_bomb_is_refused),
        cmocka_unit_test(a_bomb_that_lies_is_refused),
        cmocka_unit_test(overlapping_entries_are_counted_each),
        cmocka_unit_test(unusual_packing_is_refused),
        cmocka_unit_test(a_full_disk_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
