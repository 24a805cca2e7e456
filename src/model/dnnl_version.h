/* dnnl_version.h - where the C APIs of oneDNN 2 and 3 differ on memory descriptors: structs there,
 * handles here. Only for dnnl_*.c. */
#ifndef MP_DNNL_VERSION_H
#define MP_DNNL_VERSION_H

#include "base/base.h"

#include <oneapi/dnnl/dnnl.h>

#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t md_t;
typedef const_dnnl_memory_desc_t md_view;
#define MD_REF(md) (md)
static inline void md_free(md_t md)
{
    if (md)
        dnnl_memory_desc_destroy(md);
}
static inline dnnl_status_t md_make(md_t *md, int rank, const dnnl_dims_t dims,
                                    dnnl_format_tag_t tag)
{
    return dnnl_memory_desc_create_with_tag(md, rank, dims, dnnl_f32, tag);
}
#else
typedef dnnl_memory_desc_t md_t;
typedef const dnnl_memory_desc_t *md_view;
#define MD_REF(md) (&(md))
static inline void md_free(md_t md)
{
    (void)md;
}
static inline dnnl_status_t md_make(md_t *md, int rank, const dnnl_dims_t dims,
                                    dnnl_format_tag_t tag)
{
    return dnnl_memory_desc_init_by_tag(md, rank, dims, dnnl_f32, tag);
}
#endif

static inline bool md_same(md_view a, md_view b)
{
    return dnnl_memory_desc_equal(a, b) != 0;
}

/* Translates a status; `what` completes "oneDNN cannot ...". */
static inline mp_err dnnl_check(dnnl_status_t s, const char *what, mp_why *why)
{
    if (s == dnnl_success)
        return MP_OK;
    if (s == dnnl_out_of_memory)
        return mp_fail(why, MP_NOMEM, "oneDNN: no memory to %s", what);
    return mp_fail(why, MP_INTERNAL, "oneDNN cannot %s (status %d)", what, (int)s);
}

#endif
