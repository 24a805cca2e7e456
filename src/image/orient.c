/* orient.c - turning and mirroring pixels as EXIF orientation says (EXIF 2.32, tag 0x0112). */
#include "image/load.h"

#include <string.h>

/* Where the first pixel, the step to the right and the step down of the upright picture lie in the
 * stored one. x0, y0: 0 or 1 times the last column or row. */
static const struct walk {
    int x0, y0, right_x, right_y, down_x, down_y;
} walks[9] = {
    [2] = {1, 0, -1, 0, 0, 1},  /* mirrored */
    [3] = {1, 1, -1, 0, 0, -1}, /* half a turn */
    [4] = {0, 1, 1, 0, 0, -1},  /* upside down, mirrored */
    [5] = {0, 0, 0, 1, 1, 0},   /* transposed */
    [6] = {0, 1, 0, -1, 1, 0},  /* to be turned clockwise */
    [7] = {1, 1, 0, -1, -1, 0}, /* transposed the other way */
    [8] = {1, 0, 0, 1, -1, 0},  /* to be turned the other way */
};

mp_err mp_image_orient(mp_image *im, int orientation, mp_why *why)
{
    if (orientation < 2 || orientation > 8)
        return MP_OK;
    const struct walk *k = &walks[orientation];
    bool swap = orientation >= 5;
    mp_image up;
    mp_err err = mp_image_new(&up, swap ? im->h : im->w, swap ? im->w : im->h, im->channels, why);
    if (err)
        return err;
    ptrdiff_t c = im->channels, row = c * im->w;
    ptrdiff_t right = k->right_x * c + k->right_y * row, down = k->down_x * c + k->down_y * row;
    const uint8_t *start = im->px + k->x0 * (im->w - 1) * c + k->y0 * (im->h - 1) * row;
    uint8_t *to = up.px;
    for (int y = 0; y < up.h; y++) {
        const uint8_t *from = start + y * down;
        for (int x = 0; x < up.w; x++, to += c)
            memcpy(to, from + x * right, (size_t)c);
    }
    mp_image_free(im);
    *im = up;
    return MP_OK;
}
