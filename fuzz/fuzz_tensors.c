/* fuzz_tensors.c - safetensors files: the input is the JSON head; sixty-four bytes of data follow.
 * Tensors of several names and sizes are asked for: what one is told must not serve another. */
#include "model/safetensors.h"

#include "base/os.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static volatile float seen;

static float ask_all(mp_tensors *t)
{
    static const char *const names[] = {"a", "b", "c"};
    float sum = 0; /* each value is read */
    if (mp_tensors_check(t, NULL) != MP_OK)
        return 0;
    for (size_t n = 1; n <= 32; n *= 2)
        for (size_t i = 0; i < MP_COUNT(names); i++) {
            mp_tensor one;
            if (mp_tensors_get(t, names[i], n, &one, NULL) == MP_OK)
                for (size_t k = 0; k < n; k++)
                    sum += one.data[k];
        }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char zeros[64];
    char path[64];
    uint64_t length = n;
    mp_tensors *t;
    int fd = memfd_create("tensors", MFD_CLOEXEC);
    if (fd < 0)
        return 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (mp_write_all(fd, &length, sizeof length, path, NULL) == MP_OK &&
        mp_write_all(fd, data, n, path, NULL) == MP_OK &&
        mp_write_all(fd, zeros, sizeof zeros, path, NULL) == MP_OK &&
        mp_tensors_open(&t, path, NULL) == MP_OK) {
        seen = ask_all(t);
        mp_tensors_close(t);
    }
    close(fd);
    return 0;
}
