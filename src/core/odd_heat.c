/* odd_heat.c - where a picture is odd: patch distances and the overlay. See odd.h. */
#include "core/odd.h"

#include "simd/distance.h"

#include <math.h>
#include <stdlib.h>

/* A patch may have moved by REACH cells at no cost; farther away it counts ELSEWHERE less alike. */
enum { REACH = 2 };
static const float ELSEWHERE = 0.08f;

static float best_match(const mp_patches *normal, const float *patch, int row, int col,
                        mp_dot_fn dot)
{
    float best = -1;
    for (int y = 0; y < normal->rows; y++)
        for (int x = 0; x < normal->cols; x++) {
            const float *v =
                normal->v + (size_t)(y * normal->cols + x) * (size_t)normal->dims;
            bool near = abs(y - row) <= REACH && abs(x - col) <= REACH;
            float alike = dot(patch, v, (size_t)normal->dims) - (near ? 0 : ELSEWHERE);
            best = MP_MAX(best, alike);
        }
    return best;
}

void mp_odd_patches(const mp_patches *test, const mp_patches *normals, size_t n, float *out)
{
    mp_dot_fn dot = mp_dot_for(mp_simd_isa());
    for (int row = 0; row < test->rows; row++)
        for (int col = 0; col < test->cols; col++) {
            int at = row * test->cols + col;
            const float *patch = test->v + (size_t)at * (size_t)test->dims;
            float best = -1;
            for (size_t i = 0; i < n; i++)
                best = MP_MAX(best, best_match(&normals[i], patch, row, col, dot));
            out[at] = 1 - best;
        }
}

/* From dark violet over red and orange to light yellow, lightness rising evenly. */
static void ramp(float t, float rgb[3])
{
    static const float stops[6][3] = {{24, 8, 52},   {92, 16, 110}, {168, 38, 92},
                                      {226, 84, 50}, {250, 158, 28}, {252, 244, 150}};
    float at = t * 5;
    int low = MP_MIN((int)at, 4);
    for (int c = 0; c < 3; c++)
        rgb[c] = stops[low][c] + (at - (float)low) * (stops[low + 1][c] - stops[low][c]);
}

/* Bilinear value of the grid at (x, y) in 0..1; edges are held. */
static float grid_at(const float *heat, int rows, int cols, float x, float y)
{
    float gx = fminf(fmaxf(x * (float)cols - 0.5f, 0), (float)(cols - 1));
    float gy = fminf(fmaxf(y * (float)rows - 0.5f, 0), (float)(rows - 1));
    int ix = MP_MIN((int)gx, MP_MAX(cols - 2, 0)), iy = MP_MIN((int)gy, MP_MAX(rows - 2, 0));
    int jx = MP_MIN(ix + 1, cols - 1), jy = MP_MIN(iy + 1, rows - 1);
    float fx = gx - (float)ix, fy = gy - (float)iy;
    float top = heat[iy * cols + ix] * (1 - fx) + heat[iy * cols + jx] * fx;
    float bottom = heat[jy * cols + ix] * (1 - fx) + heat[jy * cols + jx] * fx;
    return top * (1 - fy) + bottom * fy;
}

mp_err mp_odd_overlay(const mp_image *picture, const float *heat, int rows, int cols, float low,
                      float high, mp_image *out, mp_why *why)
{
    mp_err err = mp_image_new(out, picture->w, picture->h, 3, why);
    for (int y = 0; !err && y < picture->h; y++)
        for (int x = 0; x < picture->w; x++) {
            size_t at = (size_t)y * (size_t)picture->w + (size_t)x;
            const uint8_t *from = picture->px + at * (size_t)picture->channels;
            float value = grid_at(heat, rows, cols, ((float)x + 0.5f) / (float)picture->w,
                                  ((float)y + 0.5f) / (float)picture->h);
            float t = fminf(fmaxf((value - low) / (high - low), 0), 1), rgb[3];
            float cover = 0.78f * sqrtf(t); /* what is normal stays visible as it is */
            ramp(t, rgb);
            for (int c = 0; c < 3; c++) {
                float own = from[picture->channels == 3 ? c : 0];
                out->px[at * 3 + (size_t)c] = (uint8_t)(own + cover * (rgb[c] - own) + 0.5f);
            }
        }
    return err;
}
