/* clusters.c - see clusters.h. */
#include "service/clusters.h"

#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char MAGIC[8] = "MPCLUS2";

typedef struct head {
    char magic[8];
    uint64_t n;
    int64_t bytes_saved;
    int32_t kind;
    float threshold;
    double seconds;
    uint64_t not_compared;
    uint64_t bytes;    /* of everything */
    uint64_t checksum; /* of the head, this being 0, and the table */
} head;

typedef struct record {
    uint64_t n;
    int64_t weakest_a, weakest_b, bytes_saved;
    float weakest;
    uint32_t zero;
    uint64_t checksum; /* of the record, this being 0, and its members */
} record;

typedef struct member {
    int64_t id, bytes;
    int32_t width, height;
    float score;
    uint32_t reason; /* bytes of text that follow */
} member;

/* ---- writing ---- */

static uint64_t sum_of(const void *head_of, size_t n_head, const void *rest, size_t n_rest)
{
    return mp_checksum64(rest, n_rest, mp_checksum64(head_of, n_head, 0));
}

static void pack_group(const magpie_group *group, mp_buf *out, mp_buf *scratch)
{
    record r = {.n = group->n,
                .weakest_a = group->weakest_a,
                .weakest_b = group->weakest_b,
                .bytes_saved = group->bytes_saved,
                .weakest = group->weakest};
    scratch->n = 0;
    for (size_t i = 0; i < group->n; i++) {
        const magpie_member *m = &group->member[i];
        member row = {.id = m->id,
                      .bytes = m->bytes,
                      .width = m->width,
                      .height = m->height,
                      .score = m->score,
                      .reason = (uint32_t)strlen(m->reason)};
        mp_buf_add(scratch, &row, sizeof row);
        mp_buf_add(scratch, m->reason, row.reason);
    }
    r.checksum = sum_of(&r, sizeof r, scratch->p, scratch->n);
    mp_buf_add(out, &r, sizeof r);
    mp_buf_add(out, scratch->p, scratch->n);
}

void mp_clusters_pack(const magpie_groups *groups, double seconds, mp_buf *out)
{
    mp_buf table = {0}, records = {0}, scratch = {0};
    size_t table_bytes = (groups->n + 1) * sizeof(uint64_t);
    head h = {.n = groups->n,
              .kind = groups->kind,
              .threshold = groups->threshold,
              .seconds = seconds,
              .not_compared = groups->not_compared};
    memcpy(h.magic, MAGIC, sizeof h.magic);
    for (size_t g = 0; g <= groups->n; g++) {
        uint64_t at = sizeof h + table_bytes + records.n;
        mp_buf_add(&table, &at, sizeof at);
        if (g < groups->n) {
            h.bytes_saved += groups->group[g].bytes_saved;
            pack_group(&groups->group[g], &records, &scratch);
        }
    }
    h.bytes = sizeof h + table.n + records.n;
    h.checksum = sum_of(&h, sizeof h, table.p, table.n);
    mp_buf_add(out, &h, sizeof h);
    mp_buf_add(out, table.p, table.n);
    mp_buf_add(out, records.p, records.n);
    mp_buf_free(&scratch);
    mp_buf_free(&records);
    mp_buf_free(&table);
}

/* ---- reading ---- */

static mp_err damaged(mp_why *why)
{
    return mp_fail(why, MP_CORRUPT, "the clusters that were kept are damaged");
}

mp_err mp_clusters_view(mp_span bytes, mp_cluster_list *out, mp_why *why)
{
    head h;
    *out = (mp_cluster_list){0};
    if (bytes.n < sizeof h)
        return damaged(why);
    memcpy(&h, bytes.p, sizeof h);
    uint64_t sum = h.checksum, room = (bytes.n - sizeof h) / sizeof(uint64_t);
    h.checksum = 0;
    if (memcmp(h.magic, MAGIC, sizeof h.magic) != 0 || h.bytes != bytes.n || h.n >= room ||
        sum_of(&h, sizeof h, bytes.p + sizeof h, (h.n + 1) * sizeof(uint64_t)) != sum)
        return damaged(why);
    *out = (mp_cluster_list){.bytes = bytes,
                             .n = h.n,
                             .bytes_saved = h.bytes_saved,
                             .kind = (magpie_dupe_kind)h.kind,
                             .threshold = h.threshold,
                             .seconds = h.seconds,
                             .not_compared = h.not_compared};
    return MP_OK;
}

/* Takes the next member from what is left of a record. */
static bool take_member(const uint8_t **at, const uint8_t *end, mp_arena *arena, magpie_member *out)
{
    member row;
    if ((size_t)(end - *at) < sizeof row)
        return false;
    memcpy(&row, *at, sizeof row);
    *at += sizeof row;
    if ((size_t)(end - *at) < row.reason)
        return false;
    const char *reason = mp_arena_strdup(arena, (mp_str){(const char *)*at, row.reason});
    *at += row.reason;
    *out = (magpie_member){.id = row.id,
                           .path = "",
                           .name = "",
                           .width = row.width,
                           .height = row.height,
                           .bytes = row.bytes,
                           .score = row.score,
                           .reason = reason};
    return reason != NULL;
}

mp_err mp_clusters_get(const mp_cluster_list *list, size_t i, mp_arena *arena, magpie_group *out,
                       mp_why *why)
{
    uint64_t place[2];
    record r;
    *out = (magpie_group){0};
    if (i >= list->n)
        return mp_fail(why, MP_NOT_FOUND, "there is no such cluster");
    memcpy(place, list->bytes.p + sizeof(head) + i * sizeof place[0], sizeof place);
    if (place[1] > list->bytes.n || place[0] > place[1] || place[1] - place[0] < sizeof r)
        return damaged(why);
    const uint8_t *at = list->bytes.p + place[0], *end = list->bytes.p + place[1];
    memcpy(&r, at, sizeof r);
    at += sizeof r;
    uint64_t sum = r.checksum;
    r.checksum = 0;
    if (sum_of(&r, sizeof r, at, (size_t)(end - at)) != sum ||
        r.n > (size_t)(end - at) / sizeof(member))
        return damaged(why);
    magpie_member *members = mp_arena_alloc(arena, (r.n + 1) * sizeof *members);
    if (!members)
        return mp_fail(why, MP_NOMEM, "no memory for a cluster of %llu", (unsigned long long)r.n);
    for (size_t k = 0; k < r.n; k++) {
        if (!take_member(&at, end, arena, &members[k]))
            return damaged(why);
        members[k].keep = k == 0;
    }
    *out = (magpie_group){.member = members,
                          .n = r.n,
                          .weakest = r.weakest,
                          .weakest_a = r.weakest_a,
                          .weakest_b = r.weakest_b,
                          .bytes_saved = r.bytes_saved};
    return MP_OK;
}

/* ---- files ---- */

mp_err mp_clusters_keep(magpie *library, int64_t job_id, mp_span bytes, mp_why *why)
{
    char folder[PATH_MAX], path[PATH_MAX + 64];
    snprintf(folder, sizeof folder, "%s/clusters", magpie_path(library));
    snprintf(path, sizeof path, "%s/%lld.groups", folder, (long long)job_id);
    mp_err err = mp_mkdirs(folder, why);
    return err ? err : mp_file_replace(path, bytes.p, bytes.n, why);
}

/* Whoever replaces or removes the file leaves the one that is mapped as it was. */
mp_err mp_clusters_open(magpie *library, int64_t job_id, mp_cluster_list *out, mp_why *why)
{
    char path[PATH_MAX];
    struct stat st;
    *out = (mp_cluster_list){0};
    snprintf(path, sizeof path, "%s/clusters/%lld.groups", magpie_path(library), (long long)job_id);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT)
        return mp_fail(why, MP_NOT_FOUND, "these clusters are not there any more");
    if (fd < 0 || fstat(fd, &st) != 0 || st.st_size <= 0) {
        mp_err err = fd < 0 ? mp_fail_errno(why, errno, "cannot open %s", path) : damaged(why);
        if (fd >= 0)
            close(fd);
        return err;
    }
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    mp_err err = p == MAP_FAILED ? mp_fail_errno(why, errno, "cannot map %s", path) : MP_OK;
    close(fd);
    if (err)
        return err;
    mp_span bytes = {p, (size_t)st.st_size};
    err = mp_clusters_view(bytes, out, why);
    if (err)
        (void)munmap(p, bytes.n);
    return err;
}

void mp_clusters_close(mp_cluster_list *list)
{
    if (list->bytes.n)
        (void)munmap((void *)(uintptr_t)list->bytes.p, list->bytes.n);
    *list = (mp_cluster_list){0};
}
