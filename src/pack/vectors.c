/* vectors.c - see vectors.h. NumPy's file format, version 1.0: a magic, the length of the header, a
 * Python dictionary padded so that the data are aligned, and the numbers in C order. */
#include "pack/vectors.h"

#include "base/os.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 1000, NPY_HEADER = 128 };

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ORDER "<"
#else
#define ORDER ">"
#endif

static void npy_header(char out[NPY_HEADER], const char *type, uint64_t n, int columns)
{
    enum { PREFIX = 10 };
    char text[NPY_HEADER], shape[64];
    snprintf(shape, sizeof shape, columns ? "(%llu, %d)" : "(%llu,)", (unsigned long long)n,
             columns);
    int length = snprintf(text, sizeof text,
                          "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", type, shape);
    memset(out, ' ', NPY_HEADER);
    memcpy(out, "\x93NUMPY\x01\x00", 8);
    out[8] = (char)(NPY_HEADER - PREFIX);
    out[9] = 0;
    memcpy(out + PREFIX, text, (size_t)length);
    out[NPY_HEADER - 1] = '\n';
}

mp_err mp_pack_model(magpie *library, const char **id, int *dims, mp_why *why)
{
    magpie_model_info *list;
    magpie_why outer = {0};
    size_t n;
    *id = "";
    *dims = 0;
    magpie_err err = magpie_models(library, &list, &n, &outer);
    if (err)
        return mp_fail(why, (mp_err)err, "%s", outer.text);
    for (size_t i = 0; i < n; i++)
        if (list[i].current) {
            *id = list[i].id;
            *dims = list[i].dims;
        }
    magpie_free(list);
    return MP_OK;
}

static mp_err page(magpie *library, int dims, const int64_t *ids, size_t n, mp_zip_writer *z,
                   mp_why *why)
{
    magpie_why outer = {0};
    float *v = NULL;
    int now = 0;
    mp_err err = (mp_err)magpie_vectors(library, ids, n, &v, &now, &outer);
    if (err)
        err = mp_fail(why, err, "%s", outer.text);
    else if (now != dims)
        err = mp_fail(why, MP_BUSY, "the library's model was switched during the export");
    else
        err = mp_zip_data(z, v, n * (size_t)dims * sizeof *v, why);
    magpie_free(v);
    return err;
}

static mp_err write_vectors(magpie *library, int dims, mp_pack_spool *ids, mp_zip_writer *z,
                            mp_pack_tick *tick, mp_why *why)
{
    int64_t *list = mp_xcalloc(PAGE, sizeof *list);
    uint64_t rows = mp_pack_spool_bytes(ids) / sizeof *list;
    char header[NPY_HEADER];
    mp_zip_entry entry = {.name = "vectors.npy",
                          .bytes = sizeof header + rows * (uint64_t)dims * sizeof(float),
                          .mtime_ms = mp_now_ms()};
    npy_header(header, ORDER "f4", rows, dims);
    mp_err err = mp_zip_begin(z, &entry, why);
    if (!err)
        err = mp_zip_data(z, header, sizeof header, why);
    for (uint64_t at = 0; !err && at < rows; at += PAGE) {
        size_t n = (size_t)MP_MIN(rows - at, PAGE);
        err = mp_pack_spool_read(ids, at * sizeof *list, list, n * sizeof *list, why);
        if (!err)
            err = page(library, dims, list, n, z, why);
        if (!err)
            err = mp_pack_tell(tick, why);
    }
    free(list);
    return err;
}

static mp_err write_ids(mp_pack_spool *ids, mp_zip_writer *z, mp_pack_tick *tick, mp_why *why)
{
    uint64_t bytes = mp_pack_spool_bytes(ids);
    char header[NPY_HEADER];
    mp_zip_entry entry = {
        .name = "vectors_ids.npy", .bytes = sizeof header + bytes, .mtime_ms = mp_now_ms()};
    npy_header(header, ORDER "i8", bytes / sizeof(int64_t), 0);
    mp_err err = mp_zip_begin(z, &entry, why);
    if (!err)
        err = mp_zip_data(z, header, sizeof header, why);
    return err ? err : mp_pack_spool_send(ids, z, tick, why);
}

mp_err mp_pack_vectors(magpie *library, const char *model, int dims, mp_pack_spool *ids,
                       mp_zip_writer *z, mp_pack_tick *tick, mp_why *why)
{
    const char *now;
    int unused;
    mp_err err = write_vectors(library, dims, ids, z, tick, why);
    if (!err)
        err = write_ids(ids, z, tick, why);
    if (!err)
        err = mp_pack_model(library, &now, &unused, why);
    if (!err && strcmp(model, now) != 0) /* two models may have as many dims */
        err = mp_fail(why, MP_BUSY, "the library's model was switched during the export");
    return err;
}
