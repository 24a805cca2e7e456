/* snapshot.c - an index as a file. All numbers little-endian, sections one after the other:
 *
 *   header      struct header, with a checksum of itself
 *   vectors     n_nodes x dims f32 or f16, as the index keeps them
 *   labels      n_labels x { int64 label, uint64 node }
 *   links       per node: u32 level, then for each level 0..level: u32 count, count x u32
 *   trailer     u64 checksum of everything behind the header
 *
 * Nodes are written in an order in which linked ones lie beside each other (graph_order.c), so that
 * what is loaded again is searched with fewer waits for memory, and numbered in that order.
 *
 * A reader checks the header, the file's length against what the header says, the checksum of the
 * whole, and every node number, before anything is used. */
#include "index/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SNAPSHOT_VERSION = 2, BUFFER = 1 << 20 };
static const char MAGIC[8] = "MAGPIDX";

typedef struct header {
    char magic[8];
    uint32_t version, dims, row_bytes, m, ef_construction, graph, entry;
    int32_t top_level;
    uint32_t n_nodes, unused;
    uint64_t n_labels, link_bytes, tag, stamp, checksum;
} header;

static uint64_t header_sum(const header *h)
{
    header copy = *h;
    copy.checksum = 0;
    return mp_checksum64(&copy, sizeof copy, 1);
}

/* ---- writing ---- */

/* node[i] is written as number i, and so place[node[i]] is i. */
typedef struct numbering {
    uint32_t *node, *place;
} numbering;

static mp_err number_nodes(numbering *by, const mp_index *ix, mp_why *why)
{
    size_t n = atomic_load(&ix->n_nodes);
    by->node = mp_try_array(n, sizeof *by->node);
    by->place = mp_graph_order(ix, n);
    if (!by->node || !by->place)
        return mp_fail(why, MP_NOMEM, "no memory to save an index");
    for (uint32_t i = 0; i < n; i++)
        by->node[by->place[i]] = i;
    return MP_OK;
}

typedef struct writer {
    int fd;
    const char *path;
    uint8_t *buffer;
    size_t n;
    uint64_t sum;
    mp_err err;
    mp_why *why;
} writer;

static void flush(writer *w)
{
    w->sum = mp_checksum64(w->buffer, w->n, w->sum);
    if (!w->err)
        w->err = mp_write_all(w->fd, w->buffer, w->n, w->path, w->why);
    w->n = 0;
}

static void emit(writer *w, const void *data, size_t n)
{
    const uint8_t *p = data;
    while (n) {
        size_t part = MP_MIN(n, BUFFER - w->n);
        memcpy(w->buffer + w->n, p, part);
        w->n += part;
        p += part;
        n -= part;
        if (w->n == BUFFER)
            flush(w);
    }
}

static void emit_links(writer *w, const mp_index *ix, uint32_t node, const uint32_t *place)
{
    uint32_t level = (uint32_t)level_of(ix, node), words[1 + MAX_LINKS];
    emit(w, &level, sizeof level);
    for (uint32_t l = 0; l <= level; l++) {
        words[0] = (uint32_t)links_read(ix, node, (int)l, words + 1);
        for (uint32_t i = 1; i <= words[0]; i++)
            words[i] = place[words[i]];
        emit(w, words, (1 + words[0]) * sizeof(uint32_t));
    }
}

static size_t link_bytes(const mp_index *ix, uint32_t node)
{
    uint32_t near[MAX_LINKS];
    size_t bytes = sizeof(uint32_t);
    for (int l = 0; l <= level_of(ix, node); l++)
        bytes += (1 + links_read(ix, node, l, near)) * sizeof(uint32_t);
    return bytes;
}

static header make_header(const mp_index *ix, const numbering *by, uint64_t stamp)
{
    uint32_t entry = atomic_load(&ix->entry);
    header h = {.version = SNAPSHOT_VERSION,
                .dims = (uint32_t)ix->opt.dims,
                .row_bytes = (uint32_t)ix->row_bytes,
                .m = (uint32_t)ix->opt.m,
                .ef_construction = (uint32_t)ix->opt.ef_construction,
                .graph = ix->graph,
                .entry = entry == NO_NODE ? entry : by->place[entry],
                .top_level = atomic_load(&ix->top_level),
                .n_nodes = atomic_load(&ix->n_nodes),
                .n_labels = ix->n_labels,
                .tag = ix->opt.tag,
                .stamp = stamp};
    memcpy(h.magic, MAGIC, sizeof h.magic);
    for (uint32_t i = 0; ix->graph && i < h.n_nodes; i++)
        h.link_bytes += link_bytes(ix, i);
    h.checksum = header_sum(&h);
    return h;
}

static void emit_all(writer *w, const mp_index *ix, const header *h, const numbering *by)
{
    for (uint32_t i = 0; i < h->n_nodes; i++)
        emit(w, ix->vectors.at + (size_t)by->node[i] * ix->row_bytes, ix->row_bytes);
    for (uint32_t i = 0; i < h->n_nodes; i++) {
        label_list l = labels_of(ix, by->node[i]);
        for (uint32_t k = 0; k < l.n; k++) {
            uint64_t pair[2] = {(uint64_t)l.at[k], i};
            emit(w, pair, sizeof pair);
        }
    }
    for (uint32_t i = 0; ix->graph && i < h->n_nodes; i++)
        emit_links(w, ix, by->node[i], by->place);
    flush(w);
    uint64_t sum = w->sum;
    if (!w->err)
        w->err = mp_write_all(w->fd, &sum, sizeof sum, w->path, w->why);
}

static mp_err write_temp(const mp_index *ix, const char *temp, uint64_t stamp, mp_why *why)
{
    int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return mp_fail_errno(why, errno, "cannot create %s", temp);
    writer w = {.fd = fd, .path = temp, .buffer = mp_xmalloc(BUFFER), .why = why};
    numbering by = {0};
    w.err = number_nodes(&by, ix, why);
    if (!w.err) {
        header h = make_header(ix, &by, stamp);
        w.err = mp_write_all(fd, &h, sizeof h, temp, why);
        emit_all(&w, ix, &h, &by);
    }
    if (!w.err && fsync(fd) != 0)
        w.err = mp_fail_errno(why, errno, "cannot sync %s", temp);
    if (close(fd) != 0 && !w.err)
        w.err = mp_fail_errno(why, errno, "cannot close %s", temp);
    free(by.node);
    free(by.place);
    free(w.buffer);
    return w.err;
}

mp_err mp_index_save(const mp_index *ix, const char *path, uint64_t stamp, mp_why *why)
{
    char temp[PATH_MAX], dir[PATH_MAX];
    mp_index *locks = (mp_index *)(uintptr_t)ix; /* locks are not part of what const promises */
    if (snprintf(temp, sizeof temp, "%s.%ld.tmp", path, (long)getpid()) >= (int)sizeof temp)
        return mp_fail(why, MP_INVALID, "path too long: %.200s", path);
    pthread_rwlock_wrlock(&locks->change); /* no insert may be half-way; searches go on */
    pthread_rwlock_rdlock(&locks->shape);
    mp_err err = write_temp(ix, temp, stamp, why);
    pthread_rwlock_unlock(&locks->shape);
    pthread_rwlock_unlock(&locks->change);
    if (!err && rename(temp, path) != 0)
        err = mp_fail_errno(why, errno, "cannot rename to %s", path);
    if (err) {
        unlink(temp);
        return err;
    }
    snprintf(dir, sizeof dir, "%s", path);
    char *slash = strrchr(dir, '/');
    if (slash)
        *slash = '\0';
    return mp_dir_sync(slash ? dir : ".", why);
}

/* ---- reading ---- */

#define DAMAGED(why, what) mp_fail(why, MP_CORRUPT, "%s", what)

static mp_err check_header(const mp_index *ix, const header *h, size_t file_bytes, mp_why *why)
{
    if (memcmp(h->magic, MAGIC, sizeof h->magic) != 0 || h->checksum != header_sum(h))
        return DAMAGED(why, "not an index snapshot, or its head is damaged");
    if (h->version != SNAPSHOT_VERSION)
        return DAMAGED(why, "written by another version");
    if (h->dims != (uint32_t)ix->opt.dims || h->m != (uint32_t)ix->opt.m ||
        h->ef_construction != (uint32_t)ix->opt.ef_construction || h->graph != ix->graph ||
        h->tag != ix->opt.tag)
        return DAMAGED(why, "made with other parameters or another model");
    if (h->row_bytes != (uint32_t)ix->row_bytes)
        return DAMAGED(why, "its vectors are kept in another form than index-vectors says now");
    uint64_t vectors = (uint64_t)h->n_nodes * h->row_bytes;
    if (h->n_labels > UINT32_MAX || h->link_bytes > file_bytes ||
        sizeof *h + vectors + h->n_labels * 16 + h->link_bytes + 8 != file_bytes)
        return DAMAGED(why, "its length is not what its head says");
    return MP_OK;
}

typedef struct reader {
    const uint8_t *at, *end;
} reader;

static bool take(reader *r, void *out, size_t n)
{
    if ((size_t)(r->end - r->at) < n)
        return false;
    memcpy(out, r->at, n);
    r->at += n;
    return true;
}

static bool read_list(reader *r, link_t *links, size_t max, uint32_t n_nodes)
{
    uint32_t n, node;
    if (!take(r, &n, sizeof n) || n > max)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        if (!take(r, &node, sizeof node) || node >= n_nodes)
            return false;
        atomic_store_explicit(&links[i], node + 1, memory_order_relaxed);
    }
    return true;
}

/* Levels come with the links, but nodes are made first: a first pass reads them. */
static bool read_levels(reader r, uint32_t n_nodes, uint8_t *levels)
{
    for (uint32_t i = 0; i < n_nodes; i++) {
        uint32_t level, n;
        if (!take(&r, &level, sizeof level) || level > MAX_LEVEL)
            return false;
        levels[i] = (uint8_t)level;
        for (uint32_t l = 0; l <= level; l++) {
            if (!take(&r, &n, sizeof n) || n > (size_t)(r.end - r.at) / sizeof n)
                return false;
            r.at += n * sizeof n;
        }
    }
    return r.at == r.end;
}

/* A link on a level that its target does not have would be followed out of bounds. */
static bool links_are_sound(const mp_index *ix, const header *h)
{
    uint32_t near[MAX_LINKS];
    if (h->n_nodes == 0)
        return h->entry == NO_NODE && h->top_level == -1;
    if (h->entry >= h->n_nodes || h->top_level != level_of(ix, h->entry))
        return false;
    for (uint32_t i = 0; i < h->n_nodes; i++)
        for (int l = 1; l <= level_of(ix, i); l++) {
            size_t n = links_read(ix, i, l, near);
            for (size_t k = 0; k < n; k++)
                if (level_of(ix, near[k]) < l)
                    return false;
        }
    return true;
}

static bool read_links(mp_index *ix, const header *h, reader *r, const uint8_t *levels)
{
    for (uint32_t i = 0; i < h->n_nodes; i++) {
        uint32_t level;
        if (!take(r, &level, sizeof level))
            return false;
        for (int l = 0; l <= levels[i]; l++)
            if (!read_list(r, links_of(ix, i, l), links_at(ix, l), h->n_nodes))
                return false;
    }
    return links_are_sound(ix, h);
}

/* Rows are f16 or f32; both become the same floats again, and so the same row. */
static mp_err read_nodes(mp_index *ix, const header *h, const uint8_t *rows, const uint8_t *levels,
                         mp_why *why)
{
    const size_t dims = h->dims;
    float *unit = mp_try_array(dims, sizeof *unit);
    uint8_t *room = mp_try_array(1, mp_store_row_room(ix));
    mp_err err = unit && room ? MP_OK : mp_fail(why, MP_NOMEM, "no memory for the snapshot");
    for (uint32_t i = 0; !err && i < h->n_nodes; i++) {
        uint32_t node;
        memcpy(room, rows + (size_t)i * h->row_bytes, h->row_bytes);
        if (ix->half)
            mp_from_half((const uint16_t *)(const void *)room, dims, unit);
        else
            memcpy(unit, room, h->row_bytes);
        row r = mp_store_make_row(ix, unit, room);
        err = mp_store_new_node(ix, &r, levels[i], &node, why);
        if (!err && !mp_store_note_vector(ix, &r, node))
            err = mp_fail(why, MP_NOMEM, "no memory for the snapshot");
    }
    free(room);
    free(unit);
    return err;
}

static mp_err read_labels(mp_index *ix, const header *h, const uint8_t *labels, mp_why *why)
{
    for (uint64_t i = 0; i < h->n_labels; i++) {
        uint64_t pair[2];
        memcpy(pair, labels + i * sizeof pair, sizeof pair);
        if (pair[1] >= h->n_nodes || (int64_t)pair[0] <= 0 ||
            mp_store_find_label(ix, (int64_t)pair[0]) != NO_NODE)
            return DAMAGED(why, "its labels are damaged");
        if (!mp_store_attach(ix, (int64_t)pair[0], (uint32_t)pair[1]))
            return mp_fail(why, MP_NOMEM, "no memory for the snapshot");
    }
    return MP_OK;
}

static mp_err fill(mp_index *ix, const header *h, const uint8_t *body, mp_why *why)
{
    const uint8_t *labels = body + (size_t)h->n_nodes * h->row_bytes;
    reader r = {labels + h->n_labels * 16, labels + h->n_labels * 16 + h->link_bytes};
    uint8_t *levels = mp_try_array(h->n_nodes, 1);
    mp_err err = levels ? MP_OK : mp_fail(why, MP_NOMEM, "no memory for the snapshot");
    if (!err && ix->graph && !read_levels(r, h->n_nodes, levels))
        err = DAMAGED(why, "its links are damaged");
    if (!err)
        err = read_nodes(ix, h, body, levels, why);
    if (!err)
        err = read_labels(ix, h, labels, why);
    if (!err && ix->graph && !read_links(ix, h, &r, levels))
        err = DAMAGED(why, "its links are damaged");
    if (!err && ix->graph) {
        atomic_store(&ix->entry, h->entry);
        atomic_store(&ix->top_level, h->top_level);
    }
    free(levels);
    return err;
}

static mp_err load_map(mp_index *ix, const uint8_t *map, size_t n, uint64_t *stamp, mp_why *why)
{
    header h;
    uint64_t sum;
    if (n < sizeof h + sizeof sum)
        return DAMAGED(why, "it is too short");
    memcpy(&h, map, sizeof h);
    mp_err err = check_header(ix, &h, n, why);
    if (err)
        return err;
    /* The writer sums in buffers of this size. */
    uint64_t have = 0;
    size_t end = n - sizeof sum;
    for (size_t at = sizeof h; at < end; at += BUFFER)
        have = mp_checksum64(map + at, MP_MIN(end - at, (size_t)BUFFER), have);
    if ((end - sizeof h) % BUFFER == 0)
        have = mp_checksum64(NULL, 0, have); /* its last, empty flush */
    memcpy(&sum, map + end, sizeof sum);
    if (sum != have)
        return DAMAGED(why, "its checksum is wrong");
    err = fill(ix, &h, map + sizeof h, why);
    if (!err)
        *stamp = h.stamp;
    return err;
}

mp_err mp_index_load(mp_index *ix, const char *path, uint64_t *stamp, mp_why *why)
{
    struct stat st;
    *stamp = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return mp_fail_errno(why, errno, "cannot open %s", path);
    void *map = MAP_FAILED;
    if (fstat(fd, &st) == 0 && st.st_size > 0)
        map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (map == MAP_FAILED)
        return mp_fail(why, MP_CORRUPT, "it cannot be mapped or is empty");
    pthread_rwlock_wrlock(&ix->change);
    pthread_rwlock_wrlock(&ix->shape);
    pthread_rwlock_wrlock(&ix->labels);
    mp_store_clear(ix);
    mp_err err = load_map(ix, map, (size_t)st.st_size, stamp, why);
    if (err)
        mp_store_clear(ix);
    else if (mp_sketch_is_due(ix))
        mp_sketch_fit(ix);
    pthread_rwlock_unlock(&ix->labels);
    pthread_rwlock_unlock(&ix->shape);
    pthread_rwlock_unlock(&ix->change);
    munmap(map, (size_t)st.st_size);
    return err;
}
