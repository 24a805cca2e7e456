/* import_reading.c - see import_reading.h. */
#include "import_reading.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int file_of(const void *data, size_t n)
{
    int fd = memfd_create("import", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, n), n);
    lseek(fd, 0, SEEK_SET);
    return fd;
}

mp_err open_mapped(reading *r, mp_import_kind kind, const void *data, size_t n,
                   const mp_import_column *mapping, size_t n_mapping)
{
    *r = (reading){.fd = file_of(data, n)};
    mp_import_options opt = {kind, r->fd, mapping, n_mapping};
    mp_err err = mp_import_open(&r->in, &opt, &r->why);
    if (err) {
        close(r->fd);
        assert_null(r->in);
    } else {
        r->arena = mp_arena_new(0);
    }
    return err;
}

void begin(reading *r, mp_import_kind kind, const char *text)
{
    mp_err err = open_mapped(r, kind, text, strlen(text), NULL, 0);
    if (err)
        fail_msg("%s", r->why.text);
}

mp_err next(reading *r)
{
    return mp_import_next(r->in, r->arena, &r->row, &r->line, &r->why);
}

const mp_product *good(reading *r, uint64_t line)
{
    mp_err err = next(r);
    if (err)
        fail_msg("line %d: %s", (int)r->line, r->why.text);
    assert_int_equal(r->line, line);
    return &r->row.product;
}

void bad(reading *r, uint64_t line, const char *words)
{
    assert_int_equal(next(r), MP_INVALID);
    assert_int_equal(r->line, line);
    if (!strstr(r->why.text, words))
        fail_msg("\"%s\" does not say \"%s\"", r->why.text, words);
    assert_null(r->row.product.external_id);
}

void end(reading *r)
{
    for (int again = 0; again < 2; again++)
        assert_int_equal(next(r), MP_NOT_FOUND);
    assert_int_equal(mp_import_bytes(r->in), lseek(r->fd, 0, SEEK_END));
    mp_import_close(r->in);
    mp_arena_free(r->arena);
    close(r->fd);
}

void refused(mp_import_kind kind, const char *text, mp_err want, const char *words)
{
    reading r;
    assert_int_equal(open_mapped(&r, kind, text, strlen(text), NULL, 0), want);
    if (!strstr(r.why.text, words))
        fail_msg("\"%s\" does not say \"%s\"", r.why.text, words);
}
