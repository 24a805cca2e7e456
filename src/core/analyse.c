/* analyse.c - see analyse.h. */
#include "core/analyse.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static mp_err read_head(int fd, analysis *out)
{
    uint8_t head[MP_SNIFF_BYTES];
    ssize_t got = pread(fd, head, sizeof head, 0);
    if (got < 0)
        return mp_fail_errno(&out->why, errno, "cannot read it");
    if (got == 0) {
        out->no_picture = true;
        return mp_fail(&out->why, MP_UNSUPPORTED, "the file is empty");
    }
    if (mp_sniff((mp_span){head, (size_t)got}) == MP_FORMAT_NONE) {
        out->no_picture = true;
        return mp_fail(&out->why, MP_UNSUPPORTED, "not a picture");
    }
    return MP_OK;
}

static mp_err check_file(const analysis_plan *plan, int fd, analysis *out)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return mp_fail_errno(&out->why, errno, "cannot stat it");
    if (!S_ISREG(st.st_mode)) {
        out->no_picture = true;
        return mp_fail(&out->why, MP_UNSUPPORTED, "not a regular file");
    }
    out->bytes = st.st_size;
    out->mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    mp_err err = read_head(fd, out);
    if (!err && st.st_size > plan->m->max_bytes)
        err = mp_fail(&out->why, MP_TOO_BIG, "%lld bytes are over the limit of %lld",
                      (long long)st.st_size, (long long)plan->m->max_bytes);
    return err;
}

/* Nothing more to do when the bytes are known, unless a copy is wanted and there is none. */
static mp_err find_twin(const analysis_plan *plan, analysis *out)
{
    int64_t id;
    mp_err err = mp_meta_find_sha256(plan->m->meta, plan->project_id, out->sha256, &id, &out->why);
    if (err || !id || !plan->copy) {
        out->twin = id;
        return err;
    }
    mp_arena *arena = mp_arena_new(0);
    mp_item item;
    err = mp_meta_get_item(plan->m->meta, id, arena, &item, &out->why);
    if (!err && item.copied)
        out->twin = id;
    mp_arena_free(arena);
    return err;
}

static mp_err keep_copy(const analysis_plan *plan, int fd, analysis *out)
{
    char key[96];
    uint64_t bytes;
    mp_core_original_key(out->sha256, key);
    mp_err err = mp_blob_stat(plan->m->blobs, key, &bytes, NULL);
    if (err || bytes != (uint64_t)out->bytes)
        err = plan->given ? mp_blob_give_fd(plan->m->blobs, key, fd, &bytes, &out->why)
                          : mp_blob_put_fd(plan->m->blobs, key, fd, &bytes, &out->why);
    out->copied = !err;
    return err;
}

/* A thumbnail can be made again, so that only a full disk is worth stopping for. */
static mp_err keep_thumbnail(const analysis_plan *plan, analysis *out)
{
    char key[96];
    mp_core_thumb_key(out->sha256, plan->spec.thumbnail, key);
    mp_span thumb = {out->decoded.thumbnail, out->decoded.thumbnail_n};
    if (!thumb.n)
        return MP_OK;
    mp_err err = mp_blob_put(plan->m->blobs, key, thumb, MP_DERIVABLE, &out->why);
    return err == MP_FULL ? err : MP_OK;
}

/* The file may have been written to while it was read: what is recorded must be what was seen. */
static mp_err check_unchanged(int fd, analysis *out)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return mp_fail_errno(&out->why, errno, "cannot stat it");
    int64_t mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    if (st.st_size != out->bytes || mtime_ns != out->mtime_ns)
        return mp_fail(&out->why, MP_BUSY, "it changed while it was read; add it again");
    return MP_OK;
}

void mp_analyse_fd(const analysis_plan *plan, int fd, analysis *out)
{
    uint64_t bytes = 0;
    mp_err err = check_file(plan, fd, out);
    if (!err)
        err = mp_core_hash_fd(fd, out->sha256, &bytes, &out->why);
    if (!err && bytes != (uint64_t)out->bytes)
        err = mp_fail(&out->why, MP_BUSY, "it changed while it was read; add it again");
    if (!err)
        err = find_twin(plan, out);
    if (!err && !out->twin) {
        err = mp_decode_fd(plan->decoder, fd, &plan->spec, &out->decoded, &out->why);
        if (!err && plan->gate)
            err = plan->gate(plan->gate_context, &out->decoded, &out->why);
        if (!err && plan->copy)
            err = keep_copy(plan, fd, out);
        if (!err)
            err = keep_thumbnail(plan, out);
        if (!err)
            err = check_unchanged(fd, out);
    }
    out->err = err;
    if (err)
        mp_decoded_free(&out->decoded);
}

void mp_analyse_path(const analysis_plan *plan, analysis *out)
{
    int fd = open(out->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        out->err = mp_fail_errno(&out->why, errno, "cannot open it");
        return;
    }
    mp_analyse_fd(plan, fd, out);
    close(fd);
}

void mp_analysis_free(analysis *a)
{
    mp_decoded_free(&a->decoded);
}
