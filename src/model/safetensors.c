/* safetensors.c - see safetensors.h. */
#include "model/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_HEADER = 16 * 1024 * 1024 };

struct mp_tensors {
    void *map;
    size_t bytes;
    const uint8_t *data;
    size_t data_bytes;
    json_t *header;
    char name[64]; /* of the file, for messages */
};

static mp_err map_file(mp_tensors *t, const char *path, mp_why *why)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return mp_fail_errno(why, errno, "cannot open %s", path);
    mp_err err = MP_OK;
    if (fstat(fd, &st) != 0)
        err = mp_fail_errno(why, errno, "cannot stat %s", path);
    else if (st.st_size < 16)
        err = mp_fail(why, MP_CORRUPT, "%s is too short", path);
    if (!err) {
        t->bytes = (size_t)st.st_size;
        t->map = mmap(NULL, t->bytes, PROT_READ, MAP_PRIVATE, fd, 0);
        if (t->map == MAP_FAILED) {
            t->map = NULL;
            err = mp_fail_errno(why, errno, "cannot map %s", path);
        }
    }
    close(fd);
    return err;
}

static mp_err parse_header(mp_tensors *t, mp_why *why)
{
    const uint8_t *p = t->map;
    uint64_t n = 0;
    json_error_t at;
    for (int i = 7; i >= 0; i--)
        n = n << 8 | p[i];
    if (n > MAX_HEADER || n > t->bytes - 8 || n % 4 != 0)
        return mp_fail(why, MP_CORRUPT, "%s: the header's length is wrong", t->name);
    t->data = p + 8 + n;
    t->data_bytes = t->bytes - 8 - n;
    t->header = json_loadb((const char *)p + 8, n, JSON_REJECT_DUPLICATES, &at);
    if (!json_is_object(t->header))
        return mp_fail(why, MP_CORRUPT, "%s: the header is not JSON", t->name);
    return MP_OK;
}

mp_err mp_tensors_open(mp_tensors **out, const char *path, mp_why *why)
{
    const char *slash = strrchr(path, '/');
    mp_tensors *t = mp_xcalloc(1, sizeof *t);
    *out = NULL;
    snprintf(t->name, sizeof t->name, "%.60s", slash ? slash + 1 : path);
    mp_err err = map_file(t, path, why);
    if (!err)
        err = parse_header(t, why);
    if (err) {
        mp_tensors_close(t);
        return err;
    }
    *out = t;
    return MP_OK;
}

void mp_tensors_close(mp_tensors *t)
{
    if (!t)
        return;
    json_decref(t->header);
    if (t->map)
        munmap(t->map, t->bytes);
    free(t);
}

/* By bits, a block at a time, which compilers turn into vectors. */
static bool has_nan(const uint32_t *bits, size_t n)
{
    enum { BLOCK = 4096 };
    for (size_t at = 0; at < n; at += BLOCK) {
        size_t end = MP_MIN(at + BLOCK, n);
        uint32_t any = 0;
        for (size_t i = at; i < end; i++)
            any |= (bits[i] & 0x7FFFFFFF) > 0x7F800000;
        if (any)
            return true;
    }
    return false;
}

mp_err mp_tensors_check(const mp_tensors *t, mp_why *why)
{
    const char *name;
    json_t *row;
    json_object_foreach(t->header, name, row)
    {
        const char *dtype = json_string_value(json_object_get(row, "dtype"));
        const json_t *range = json_object_get(row, "data_offsets");
        json_int_t begin = json_integer_value(json_array_get(range, 0));
        json_int_t end = json_integer_value(json_array_get(range, 1));
        bool inside = begin >= 0 && end >= begin && (uint64_t)end <= t->data_bytes &&
                      begin % 4 == 0; /* what is not is refused when it is asked for */
        if (dtype && strcmp(dtype, "F32") == 0 && inside &&
            has_nan((const uint32_t *)(const void *)(t->data + begin), (size_t)(end - begin) / 4))
            return mp_fail(why, MP_CORRUPT,
                           "%s: %.200s holds values that are no numbers: its weights are damaged",
                           t->name, name);
    }
    return MP_OK;
}

bool mp_tensors_has(const mp_tensors *t, const char *name)
{
    return json_object_get(t->header, name) != NULL;
}

mp_err mp_tensors_get(const mp_tensors *t, const char *name, size_t n, mp_tensor *out, mp_why *why)
{
    *out = (mp_tensor){0};
    const json_t *row = json_object_get(t->header, name);
    const char *dtype = json_string_value(json_object_get(row, "dtype"));
    const json_t *shape = json_object_get(row, "shape");
    const json_t *range = json_object_get(row, "data_offsets");
    json_int_t begin = json_integer_value(json_array_get(range, 0));
    json_int_t end = json_integer_value(json_array_get(range, 1));
    if (!dtype || strcmp(dtype, "F32") != 0 || json_array_size(shape) > 4)
        return mp_fail(why, MP_CORRUPT, "%s has no f32 tensor %s", t->name, name);
    size_t count = 1;
    out->rank = (int)json_array_size(shape);
    for (int i = 0; i < out->rank; i++) {
        json_int_t side = json_integer_value(json_array_get(shape, (size_t)i));
        if (side < 1 || side > 1 << 24 || (count *= (size_t)side) > (size_t)1 << 32)
            return mp_fail(why, MP_CORRUPT, "%s: the shape of %s is wrong", t->name, name);
        out->shape[i] = side;
    }
    if (begin < 0 || end < begin || (uint64_t)end > t->data_bytes || begin % 4 != 0 ||
        (uint64_t)(end - begin) != count * sizeof(float) || count != n)
        return mp_fail(why, MP_CORRUPT, "%s: %s has not the size that it should have", t->name,
                       name);
    out->data = (const float *)(const void *)(t->data + begin);
    out->n = count;
    return MP_OK;
}
