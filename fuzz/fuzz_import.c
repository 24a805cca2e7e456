/* fuzz_import.c - the readers of import files: CSV and JSON lines, each with a mapping too.
 * Whatever the bytes are, a row that is handed out keeps the limits, and the reading comes to the
 * end of the file. */
#include "service/import.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void read_all(const mp_import_options *opt, size_t n)
{
    mp_import *in;
    mp_product_row row;
    uint64_t line, before = 0;
    mp_why why;
    if (mp_import_open(&in, opt, &why) != MP_OK)
        return;
    mp_arena *arena = mp_arena_new(0);
    mp_err err = MP_OK;
    while (err == MP_OK || err == MP_INVALID) {
        mp_arena_reset(arena);
        err = mp_import_next(in, arena, &row, &line, &why);
        if (err == MP_OK && mp_product_check(&row.product, row.fields, NULL) != MP_OK)
            abort();
        if (err != MP_NOT_FOUND && (line <= before || line > n + 1))
            abort();
        before = line;
    }
    if (err != MP_NOT_FOUND || mp_import_bytes(in) != n)
        abort();
    mp_arena_free(arena);
    mp_import_close(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const mp_import_column mapping[] = {{"a", "external_id"}, {"b", "title"}, {"c", ""}};
    static int fd = -1;
    if (fd < 0)
        fd = memfd_create("import", MFD_CLOEXEC);
    for (int i = 0; i < 4; i++) {
        mp_import_options opt = {.kind = i % 2 ? MP_IMPORT_CSV : MP_IMPORT_LINES, .fd = fd};
        if (i >= 2) {
            opt.mapping = mapping;
            opt.n_mapping = MP_COUNT(mapping);
        }
        if (ftruncate(fd, 0) != 0 || pwrite(fd, data, n, 0) != (ssize_t)n)
            abort();
        lseek(fd, 0, SEEK_SET);
        read_all(&opt, n);
    }
    return 0;
}
