/* dnnl_dense.c - see dnnl_dense.h. */
#include "model/dnnl_dense.h"

#include "model/dnnl_version.h"

#include <stdlib.h>
#include <string.h>

/* Below FEW_ROWS oneDNN's sgemm spends its time on packing the weights; up to AT_ONCE rows it
 * multiplies without. Measured with 2.6 on AVX-512, 384 x 1536: 24 G multiply-adds/s at 16 rows, 52
 * at 12, 54 at 512. */
enum { AT_ONCE = 12, FEW_ROWS = 128 };

static dnnl_status_t sgemm(const mp_product *p, int from, int rows)
{
    return dnnl_sgemm('N', p->transposed ? 'T' : 'N', rows, p->n, p->k, p->alpha,
                      p->a + (size_t)from * (size_t)p->a_stride, p->a_stride, p->b, p->b_stride,
                      p->beta, p->c + (size_t)from * (size_t)p->c_stride, p->c_stride);
}

mp_err mp_multiply(const mp_product *p, mp_why *why)
{
    int step = p->m < FEW_ROWS ? AT_ONCE : p->m;
    dnnl_status_t s = dnnl_success;
    for (int i = 0; i < p->m && s == dnnl_success; i += step)
        s = sgemm(p, i, MP_MIN(step, p->m - i));
    return dnnl_check(s, "multiply", why);
}

mp_err mp_dense(int m, int n, int k, const float *a, const float *w, const float *bias, float *c,
                mp_why *why)
{
    mp_product p = {a, w, c, m, n, k, k, k, n, true, 1, bias ? 1 : 0};
    for (int i = 0; i < m && bias; i++)
        memcpy(c + (size_t)i * (size_t)n, bias, (size_t)n * sizeof *c);
    return mp_multiply(&p, why);
}

/* ---- GELU ---- */

struct mp_gelu {
    dnnl_engine_t engine;
    dnnl_primitive_t primitive;
    md_t desc;
    int row;
};

static dnnl_status_t make_gelu_desc(dnnl_engine_t engine, md_view row, dnnl_primitive_desc_t *out)
{
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_eltwise_forward_primitive_desc_create(out, engine, dnnl_forward_inference,
                                                      dnnl_eltwise_gelu_erf, row, row, 0, 0, NULL);
#else
    dnnl_eltwise_desc_t desc;
    dnnl_status_t s = dnnl_eltwise_forward_desc_init(&desc, dnnl_forward_inference,
                                                     dnnl_eltwise_gelu_erf, row, 0, 0);
    return s == dnnl_success ? dnnl_primitive_desc_create(out, &desc, NULL, engine, NULL) : s;
#endif
}

mp_err mp_gelu_open(mp_gelu **out, int row, mp_why *why)
{
    mp_gelu *g = mp_xcalloc(1, sizeof *g);
    dnnl_dims_t dims = {row};
    dnnl_primitive_desc_t pd = NULL;
    g->row = row;
    dnnl_status_t s = dnnl_engine_create(&g->engine, dnnl_cpu, 0);
    if (s == dnnl_success)
        s = md_make(&g->desc, 1, dims, dnnl_a);
    if (s == dnnl_success)
        s = make_gelu_desc(g->engine, MD_REF(g->desc), &pd);
    if (s == dnnl_success)
        s = dnnl_primitive_create(&g->primitive, pd);
    if (pd)
        dnnl_primitive_desc_destroy(pd);
    if (s != dnnl_success) {
        mp_gelu_close(g);
        g = NULL;
    }
    *out = g;
    return dnnl_check(s, "build GELU", why);
}

void mp_gelu_close(mp_gelu *g)
{
    if (!g)
        return;
    if (g->primitive)
        dnnl_primitive_destroy(g->primitive);
    md_free(g->desc);
    if (g->engine)
        dnnl_engine_destroy(g->engine);
    free(g);
}

mp_err mp_gelu_run(const mp_gelu *g, float *x, int rows, mp_why *why)
{
    dnnl_stream_t stream = NULL;
    dnnl_memory_t memory = NULL;
    dnnl_status_t s = dnnl_stream_create(&stream, g->engine, dnnl_stream_default_flags);
    if (s == dnnl_success)
        s = dnnl_memory_create(&memory, MD_REF(g->desc), g->engine, x);
    dnnl_exec_arg_t args[2] = {{DNNL_ARG_SRC, memory}, {DNNL_ARG_DST, memory}};
    for (int i = 0; i < rows && s == dnnl_success; i++) {
        s = dnnl_memory_set_data_handle(memory, x + (size_t)i * (size_t)g->row);
        if (s == dnnl_success)
            s = dnnl_primitive_execute(g->primitive, stream, 2, args);
    }
    if (s == dnnl_success)
        s = dnnl_stream_wait(stream);
    if (memory)
        dnnl_memory_destroy(memory);
    if (stream)
        dnnl_stream_destroy(stream);
    return dnnl_check(s, "compute GELU", why);
}
