/* region.c - see region.h. */
#include "index/region.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096 };
#define HUGE_PAGE ((size_t)2 << 20)
/* Small regions stay on small pages: half a huge one would be wasted. */
#define HUGE_FROM (2 * HUGE_PAGE)
#define MOST_STEP ((size_t)64 << 20)

static size_t round_up(size_t n, size_t unit)
{
    return (n + unit - 1) / unit * unit;
}

bool mp_region_reserve(mp_region *r, size_t bytes, int fd)
{
    size_t n = round_up(bytes, HUGE_PAGE) + HUGE_PAGE;
    uint8_t *at = mmap(NULL, n, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    *r = (mp_region){.fd = -1};
    if (at == MAP_FAILED) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    uint8_t *first = (uint8_t *)round_up((uintptr_t)at, HUGE_PAGE);
    if (first > at)
        munmap(at, (size_t)(first - at));
    if (first + n - HUGE_PAGE < at + n)
        munmap(first + n - HUGE_PAGE, (size_t)(at + HUGE_PAGE - first));
    *r = (mp_region){.at = first, .reserved = n - HUGE_PAGE, .fd = fd};
    return true;
}

/* The blocks are there before the pages are touched: a full disk is an error here, not a SIGBUS in
 * whoever writes first. */
static mp_err grow_file(mp_region *r, size_t size, mp_why *why)
{
    int failed;
    do
        failed = posix_fallocate(r->fd, (off_t)r->size, (off_t)(size - r->size));
    while (failed == EINTR);
    if (failed) {
        (void)!ftruncate(r->fd, (off_t)r->size);
        if (failed == EFBIG) /* a limit on files is a full disk to this process */
            failed = ENOSPC;
        return mp_fail_errno(why, failed, "no room on the disk for an index's vectors");
    }
    uint8_t *at = r->at + r->size;
    if (mmap(at, size - r->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, r->fd,
             (off_t)r->size) == MAP_FAILED)
        return mp_fail_errno(why, errno, "cannot map an index's vectors");
    (void)madvise(at, size - r->size, MADV_RANDOM); /* rows are asked for one at a time */
    return MP_OK;
}

static mp_err grow_memory(mp_region *r, size_t size, mp_why *why)
{
    if (mprotect(r->at + r->size, size - r->size, PROT_READ | PROT_WRITE) != 0)
        return mp_fail(why, MP_NOMEM, "no memory for an index of %zu MB", size >> 20);
    /* A search touches rows all over the place: with small pages it waits for their addresses. */
    size_t from = MP_MAX(r->size, HUGE_FROM);
    if (size > from)
        (void)madvise(r->at + from, size - from, MADV_HUGEPAGE);
    return MP_OK;
}

mp_err mp_region_grow(mp_region *r, size_t bytes, mp_why *why)
{
    if (bytes <= r->size)
        return MP_OK;
    if (bytes > r->reserved)
        return mp_fail(why, MP_NOMEM, "an index has no room for more vectors");
    size_t step = MP_MIN(r->size / 4, MOST_STEP);
    size_t size = round_up(MP_MAX(bytes, r->size + step), PAGE);
    if (size > HUGE_FROM)
        size = round_up(size, HUGE_PAGE);
    size = MP_MIN(size, r->reserved);
    mp_err err = r->fd >= 0 ? grow_file(r, size, why) : grow_memory(r, size, why);
    if (!err)
        r->size = size;
    return err;
}

size_t mp_region_memory(const mp_region *r, size_t bytes)
{
    return MP_MIN(round_up(bytes, bytes > HUGE_FROM ? HUGE_PAGE : PAGE), r->size);
}

void mp_region_empty(mp_region *r)
{
    if (!r->at || !r->size)
        return;
    if (mmap(r->at, r->size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
             0) == MAP_FAILED)
        return;
    if (r->fd >= 0)
        (void)!ftruncate(r->fd, 0);
    r->size = 0;
}

void mp_region_release(mp_region *r)
{
    if (!r->at)
        return;
    munmap(r->at, r->reserved);
    if (r->fd >= 0)
        close(r->fd);
    *r = (mp_region){.fd = -1};
}
