/* safetensors.h - reading a safetensors file: mapped and validated; f32 is never copied.
 *
 * Layout: u64 little-endian length of a JSON header, the header, then the data; every tensor has
 * dtype, shape and [begin, end) within the data. Values are F32, or F16 and BF16, which are
 * widened to f32 when they are asked for and then take memory until the file is closed.
 *
 * The file stays mapped: whoever replaces it does so by renaming another over it, as pull does.
 * Cut short in place, it ends the process (SIGBUS) like every mapped file. */
#ifndef MP_SAFETENSORS_H
#define MP_SAFETENSORS_H

#include "base/base.h"

typedef struct mp_tensor {
    const float *data;
    int64_t shape[4];
    int rank;
    size_t n;
} mp_tensor;

typedef struct mp_tensors mp_tensors; /* opaque; safe from any thread once open */
/* Errors: NOT_FOUND, IO, CORRUPT (header, overlapping or unaligned ranges, sizes that differ). */
MP_CHECK mp_err mp_tensors_open(mp_tensors **out, const char *path, mp_why *why);
void mp_tensors_close(mp_tensors *t); /* NULL allowed */
/* Reads every tensor of those types: CORRUPT where a value is NaN, as no trained weight is. */
MP_CHECK mp_err mp_tensors_check(const mp_tensors *t, mp_why *why);
bool mp_tensors_has(const mp_tensors *t, const char *name);
/* The tensor of that name with exactly this many values; CORRUPT when absent or different,
 * NOMEM. */
MP_CHECK mp_err mp_tensors_get(mp_tensors *t, const char *name, size_t n, mp_tensor *out,
                               mp_why *why);

#endif
