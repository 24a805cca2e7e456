/* fuzz_tensors.c - safetensors files: the input is the JSON head; sixty-four bytes of data follow.
 */
#include "model/safetensors.h"

#include "base/os.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char zeros[64];
    char path[64];
    uint64_t length = n;
    mp_tensors *t;
    mp_tensor one;
    int fd = memfd_create("tensors", MFD_CLOEXEC);
    if (fd < 0)
        return 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (mp_write_all(fd, &length, sizeof length, path, NULL) == MP_OK &&
        mp_write_all(fd, data, n, path, NULL) == MP_OK &&
        mp_write_all(fd, zeros, sizeof zeros, path, NULL) == MP_OK &&
        mp_tensors_open(&t, path, NULL) == MP_OK) {
        float sum = 0;
        if (mp_tensors_get(t, "a", 4, &one, NULL) == MP_OK)
            for (int i = 0; i < 4; i++)
                sum += one.data[i];
        (void)sum;
        mp_tensors_close(t);
    }
    close(fd);
    return 0;
}
