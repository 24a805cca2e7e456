/* fuzz_snapshot.c - index snapshots: whatever the file says, loading it gives an index that can be
 * searched, or an error and an empty index.
 *
 * A checksum would stop nearly every mutation, so head and trailer are made to fit: the input is
 * n_nodes, entry, top level, count of labels (a byte each), and the body. See src/index/snapshot.c.
 */
#include "base/os.h"
#include "index/index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { DIMS = 4, M = 2, FIXED = 4, BUFFER = 1 << 20 };

typedef struct head {
    char magic[8];
    uint32_t version, dims, m, ef_construction, graph, entry;
    int32_t top_level;
    uint32_t n_nodes;
    uint64_t n_labels, link_bytes, tag, stamp, checksum;
} head;

static bool write_snapshot(int fd, const uint8_t *data, size_t n)
{
    size_t body = n - FIXED;
    head h = {.magic = "MAGPIDX",
              .version = 1,
              .dims = DIMS,
              .m = M,
              .ef_construction = 10,
              .graph = 1,
              .n_nodes = data[0] % 32,
              .entry = data[1] == 255 ? UINT32_MAX : data[1],
              .top_level = (int8_t)data[2],
              .n_labels = data[3] % 64};
    size_t before = h.n_nodes * DIMS * sizeof(float) + h.n_labels * 16;
    if (body < before || body > BUFFER)
        return false;
    h.link_bytes = body - before;
    h.checksum = mp_checksum64(&h, sizeof h, 1);
    uint64_t sum = mp_checksum64(data + FIXED, body, 0);
    return mp_write_all(fd, &h, sizeof h, "memory", NULL) == MP_OK &&
           mp_write_all(fd, data + FIXED, body, "memory", NULL) == MP_OK &&
           mp_write_all(fd, &sum, sizeof sum, "memory", NULL) == MP_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    mp_index *ix;
    mp_neighbour out[5];
    size_t found;
    uint64_t stamp;
    char path[64];
    mp_index_options opt = {.dims = DIMS, .m = M, .ef_construction = 10, .threads = 1};
    mp_search_options search = {.k = 5};
    int fd = n < FIXED ? -1 : memfd_create("snapshot", MFD_CLOEXEC);
    if (fd < 0)
        return 0;
    if (write_snapshot(fd, data, n) && mp_index_open(&ix, "hnsw", &opt, NULL) == MP_OK) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        mp_err err = mp_index_load(ix, path, &stamp, NULL);
        if (err && mp_index_count(ix) != 0)
            abort();
        if (mp_index_search(ix, (float[DIMS]){1, 2, 3, 4}, &search, out, &found, NULL) == MP_OK &&
            found > search.k)
            abort();
        mp_index_close(ix);
    }
    close(fd);
    return 0;
}
