/* pairs8_neon.c - which of the sums of sums8_neon.c pass. See pairs8.h.
 *
 * Nearly all pairs fail, and what is done to see that must cost little beside the products: the
 * greatest of a row's sums is held against one number, the least that any column of the panel asks
 * for; only where it passes are the columns asked one by one. */
#include "simd/neon.h"
#include "simd/pairs8.h"

#if defined(__aarch64__)

enum { GROUP = MP_PAIRS8_GROUP, HALF = MP_SUMS8_WIDTH, LANES = 8, TOP = 127 };

/* A panel of columns. */
typedef struct panel {
    size_t at; /* its first column */
    const int32_t *slack, *least;
    int32_t easiest; /* the least of `least` */
} panel;

static panel panel_of(const mp_pairs8 *t, size_t at)
{
    int32x4_t least = vld1q_s32(t->column_least + at);
    for (size_t c = 4; c < MP_PANEL; c += 4)
        least = vminq_s32(least, vld1q_s32(t->column_least + at + c));
    return (panel){at, t->column_slack + at, t->column_least + at, vminvq_s32(least)};
}

/* Adds the columns' slack to the sums and returns the greatest. */
static int32_t add_slack(int32_t *sum, const int32_t *slack)
{
    int32x4_t most = vdupq_n_s32(INT32_MIN);
    for (size_t c = 0; c < HALF; c += 4) {
        int32x4_t score = vaddq_s32(vld1q_s32(sum + c), vld1q_s32(slack + c));
        vst1q_s32(sum + c, score);
        most = vmaxq_s32(most, score);
    }
    return vmaxvq_s32(most);
}

/* Half a panel's columns. Writes a pair and moves on only where it passes. */
static uint32_t *push(const mp_pairs8 *t, size_t row, size_t at, const int32_t *score,
                      uint32_t *out)
{
    for (size_t c = 0; c < HALF; c++) {
        int32_t least = MP_MIN(t->row_least[row], t->column_least[at + c]);
        *out = mp_pair8(row, at + c);
        out += score[c] >= least - t->row_slack[row];
    }
    return out;
}

static uint32_t *find_rows(const mp_pairs8 *t, const mp_sums8_kernels *k, const panel *p,
                           size_t row, size_t rows, uint32_t *out)
{
    int32_t low[MP_SUMS8_MOST][MP_SUMS8_WIDTH], high[MP_SUMS8_MOST][MP_SUMS8_WIDTH];
    mp_sums8 s = {t->row + row * t->depth, t->depth, t->column + p->at * t->depth, t->depth};
    k->sums(&s, rows, low);
    s.codes += HALF * GROUP;
    k->sums(&s, rows, high);
    for (size_t i = 0; i < rows; i++) {
        int32_t least = MP_MIN(t->row_least[row + i], p->easiest) - t->row_slack[row + i];
        bool first = add_slack(low[i], p->slack) >= least;
        if (add_slack(high[i], p->slack + HALF) < least && !first)
            continue;
        out = push(t, row + i, p->at, low[i], out);
        out = push(t, row + i, p->at + HALF, high[i], out);
    }
    return out;
}

static size_t find_by(const mp_sums8_kernels *k, const mp_pairs8 *t, uint32_t *out)
{
    uint32_t *to = out;
    size_t tiles = (t->n_rows + k->most - 1) / k->most;
    for (size_t at = 0; at < t->width; at += MP_PANEL) {
        panel p = panel_of(t, at);
        for (size_t i = 0, r = 0; i < tiles; i++) { /* tiles of nearly the same height */
            size_t next = t->n_rows * (i + 1) / tiles;
            to = find_rows(t, k, &p, r, next - r, to);
            r = next;
        }
    }
    return (size_t)(to - out);
}

static size_t find(const mp_pairs8 *t, uint32_t *out)
{
    return find_by(&mp_sums8_neon, t, out);
}

static size_t find_dotprod(const mp_pairs8 *t, uint32_t *out)
{
    return find_by(&mp_sums8_dotprod, t, out);
}

/* Four codes; *missed gets the squares of what they are off. */
static int16x4_t code_four(const float *v, float scale, float32x4_t *missed)
{
    float32x4_t x = vmulq_n_f32(vld1q_f32(v), scale);
    float32x4_t cut = vminq_f32(vmaxq_f32(x, vdupq_n_f32(-TOP)), vdupq_n_f32(TOP));
    int32x4_t c = vcvtnq_s32_f32(cut);
    float32x4_t off = vsubq_f32(x, vcvtq_f32_s32(c));
    *missed = vfmaq_f32(*missed, off, off);
    return vmovn_s32(c);
}

static float code_numbers(const float *v, size_t n, float scale, int8_t *code)
{
    float32x4_t a = vdupq_n_f32(0), b = a;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        int16x4_t low = code_four(v + i, scale, &a), high = code_four(v + i + 4, scale, &b);
        vst1_s8(code + i, vmovn_s16(vcombine_s16(low, high)));
    }
    return vaddvq_f32(vaddq_f32(a, b)) + mp_pairs8_scalar.code(v + i, n - i, scale, code + i);
}

const mp_pairs8_kernels mp_pairs8_neon = {"neon", find, code_numbers};
const mp_pairs8_kernels mp_pairs8_dotprod = {"neon-dotprod", find_dotprod, code_numbers};
#endif
