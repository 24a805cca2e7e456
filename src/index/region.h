/* region.h - memory that grows without moving, so that it is read while it grows.
 *
 * Addresses are reserved once and cost nothing; pages come to them as the region grows. A region on
 * a file has its pages in there, and the kernel may take them from memory and bring them back. One
 * thread grows a region at a time; what is below its size may be used by any. */
#ifndef MP_REGION_H
#define MP_REGION_H

#include "base/base.h"

typedef struct mp_region {
    uint8_t *at;
    size_t reserved;
    size_t size; /* bytes that may be used: whole pages, zero at first */
    int fd;      /* -1: memory of the process */
} mp_region;

/* Reserves addresses; fd (owned from here on, also after a failure) holds the pages, -1: none. */
MP_CHECK bool mp_region_reserve(mp_region *r, size_t bytes, int fd);
/* Makes the first `bytes` usable. MP_FULL: the disk; MP_NOMEM: memory, or more than was reserved.
 */
MP_CHECK mp_err mp_region_grow(mp_region *r, size_t bytes, mp_why *why);
/* Memory that the first `bytes` take: whole pages. */
size_t mp_region_memory(const mp_region *r, size_t bytes);
/* Gives all pages back; the addresses stay. */
void mp_region_empty(mp_region *r);
void mp_region_release(mp_region *r); /* a zeroed or released one: nothing */

#endif
