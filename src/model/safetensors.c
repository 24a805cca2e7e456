/* safetensors.c - see safetensors.h. */
#include "model/safetensors.h"

#include "simd/distance.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_HEADER = 16 * 1024 * 1024 };

typedef struct wide { /* a tensor of 16 bits in f32 */
    struct wide *next;
    const uint8_t *from;
    float values[];
} wide;

struct mp_tensors {
    void *map;
    size_t bytes;
    const uint8_t *data;
    size_t data_bytes;
    json_t *header;
    char name[64];            /* of the file, for messages */
    pthread_mutex_t widening; /* guards: */
    wide *wide;
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

/* ---- lines of the header ---- */

typedef enum value_kind { F32, F16, BF16, OTHER } value_kind;

/* Bytes of a value; its bits without the sign, and those of infinity: more is no number. */
static const struct {
    const char *dtype;
    size_t bytes;
    uint32_t magnitude, infinite;
} kinds[OTHER] = {
    [F32] = {"F32", 4, 0x7FFFFFFF, 0x7F800000},
    [F16] = {"F16", 2, 0x7FFF, 0x7C00},
    [BF16] = {"BF16", 2, 0x7FFF, 0x7F80},
};

typedef struct entry { /* a line of the header */
    value_kind kind;
    json_t *shape;
    const uint8_t *at; /* aligned; NULL where the range is not inside the data */
    size_t bytes;
} entry;

static entry entry_of(const mp_tensors *t, const json_t *row)
{
    const char *dtype = json_string_value(json_object_get(row, "dtype"));
    const json_t *range = json_object_get(row, "data_offsets");
    json_int_t begin = json_integer_value(json_array_get(range, 0));
    json_int_t end = json_integer_value(json_array_get(range, 1));
    entry e = {.kind = F32, .shape = json_object_get(row, "shape")};
    while (e.kind < OTHER && (!dtype || strcmp(dtype, kinds[e.kind].dtype) != 0))
        e.kind++;
    size_t unit = e.kind < OTHER ? kinds[e.kind].bytes : 1;
    if (begin < 0 || end < begin || (uint64_t)end > t->data_bytes || (size_t)begin % unit != 0)
        return e;
    e.at = t->data + begin;
    e.bytes = (size_t)(end - begin);
    return e;
}

/* ---- opening ---- */

typedef struct range {
    const char *name;
    json_int_t begin, end;
} range;

static int by_begin(const void *a, const void *b)
{
    const range *x = a, *y = b;
    return (x->begin > y->begin) - (x->begin < y->begin);
}

/* The format allows no byte to two tensors, and a reader that took them would give one's values
 * for the other's. Empty tensors lie nowhere. */
static mp_err check_ranges(const mp_tensors *t, mp_why *why)
{
    range *all = mp_try_array(json_object_size(t->header) + 1, sizeof *all);
    size_t n = 0;
    const char *name;
    json_t *row;
    mp_err err = all ? MP_OK : mp_fail(why, MP_NOMEM, "no memory for the header of %s", t->name);
    if (!err)
        json_object_foreach(t->header, name, row)
        {
            const json_t *at = json_object_get(row, "data_offsets");
            range r = {name, json_integer_value(json_array_get(at, 0)),
                       json_integer_value(json_array_get(at, 1))};
            if (r.begin < r.end)
                all[n++] = r;
        }
    if (!err)
        qsort(all, n, sizeof *all, by_begin);
    for (size_t i = 1; !err && i < n; i++)
        if (all[i].begin < all[i - 1].end)
            err = mp_fail(why, MP_CORRUPT, "%s: %.100s and %.100s share bytes", t->name,
                          all[i - 1].name, all[i].name);
    free(all);
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
        return mp_fail(why, MP_CORRUPT, "%s: the header is no JSON object: %.100s", t->name,
                       t->header ? "it holds something else" : at.text);
    return check_ranges(t, why);
}

mp_err mp_tensors_open(mp_tensors **out, const char *path, mp_why *why)
{
    const char *slash = strrchr(path, '/');
    mp_tensors *t = mp_xcalloc(1, sizeof *t);
    *out = NULL;
    pthread_mutex_init(&t->widening, NULL);
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
    while (t->wide) {
        wide *next = t->wide->next;
        free(t->wide);
        t->wide = next;
    }
    pthread_mutex_destroy(&t->widening);
    free(t);
}

/* ---- values that are no numbers ---- */

/* By bits, a block at a time, which compilers turn into vectors. */
#define HAS_NAN(name, type)                                                                        \
    static bool name(const type *bits, size_t n, type magnitude, type infinite)                    \
    {                                                                                              \
        enum { BLOCK = 4096 };                                                                     \
        for (size_t at = 0; at < n; at += BLOCK) {                                                 \
            size_t end = MP_MIN(at + BLOCK, n);                                                    \
            type any = 0;                                                                          \
            for (size_t i = at; i < end; i++)                                                      \
                any |= (type)(bits[i] & magnitude) > infinite;                                     \
            if (any)                                                                               \
                return true;                                                                       \
        }                                                                                          \
        return false;                                                                              \
    }
HAS_NAN(has_nan_32, uint32_t)
HAS_NAN(has_nan_16, uint16_t)

static bool has_nan(const entry *e)
{
    uint32_t magnitude = kinds[e->kind].magnitude, infinite = kinds[e->kind].infinite;
    const void *bits = e->at;
    return e->kind == F32 ? has_nan_32(bits, e->bytes / 4, magnitude, infinite)
                          : has_nan_16(bits, e->bytes / 2, (uint16_t)magnitude, (uint16_t)infinite);
}

mp_err mp_tensors_check(const mp_tensors *t, mp_why *why)
{
    const char *name;
    json_t *row;
    json_object_foreach(t->header, name, row)
    {
        entry e = entry_of(t, row);
        if (e.at && e.kind < OTHER && has_nan(&e)) /* the rest is refused when it is asked for */
            return mp_fail(why, MP_CORRUPT,
                           "%s: %.200s holds values that are no numbers: its weights are damaged",
                           t->name, name);
    }
    return MP_OK;
}

/* ---- asking ---- */

bool mp_tensors_has(const mp_tensors *t, const char *name)
{
    return json_object_get(t->header, name) != NULL;
}

static mp_err read_shape(const mp_tensors *t, const char *name, const json_t *shape, mp_tensor *out,
                         mp_why *why)
{
    out->n = 1;
    out->rank = (int)json_array_size(shape);
    for (int i = 0; i < out->rank; i++) {
        json_int_t side = json_integer_value(json_array_get(shape, (size_t)i));
        if (side < 1 || side > 1 << 24 || (out->n *= (size_t)side) > (size_t)1 << 32)
            return mp_fail(why, MP_CORRUPT, "%s: the shape of %s is wrong", t->name, name);
        out->shape[i] = side;
    }
    return MP_OK;
}

/* ---- what is stored in 16 bits ---- */

static void widen(const entry *e, size_t n, float *to)
{
    const uint16_t *from = (const void *)e->at;
    if (e->kind == F16) {
        mp_from_half(from, n, to);
        return;
    }
    for (size_t i = 0; i < n; i++) { /* a bfloat16 is the upper half of an f32 */
        uint32_t bits = (uint32_t)from[i] << 16;
        memcpy(to + i, &bits, sizeof bits);
    }
}

/* The values in f32: once for all who ask, and gone with the file. NULL: no memory. */
static const float *widened(mp_tensors *t, const entry *e, size_t n)
{
    pthread_mutex_lock(&t->widening);
    wide *w = t->wide;
    while (w && w->from != e->at)
        w = w->next;
    if (!w && (w = malloc(sizeof *w + n * sizeof w->values[0]))) {
        w->from = e->at;
        w->next = t->wide;
        widen(e, n, w->values);
        t->wide = w;
    }
    pthread_mutex_unlock(&t->widening);
    return w ? w->values : NULL;
}

mp_err mp_tensors_get(mp_tensors *t, const char *name, size_t n, mp_tensor *out, mp_why *why)
{
    *out = (mp_tensor){0};
    entry e = entry_of(t, json_object_get(t->header, name));
    if (e.kind == OTHER || json_array_size(e.shape) > 4)
        return mp_fail(why, MP_CORRUPT, "%s has no f32, f16 or bf16 tensor %s", t->name, name);
    mp_err err = read_shape(t, name, e.shape, out, why);
    if (err)
        return err;
    if (!e.at || e.bytes != out->n * kinds[e.kind].bytes || out->n != n)
        return mp_fail(why, MP_CORRUPT, "%s: %s has not the size that it should have", t->name,
                       name);
    out->data = e.kind == F32 ? (const float *)(const void *)e.at : widened(t, &e, n);
    return out->data ? MP_OK : mp_fail(why, MP_NOMEM, "no memory for the weights of the model");
}
