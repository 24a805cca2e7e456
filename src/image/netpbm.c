/* netpbm.c - the size that a PBM, PGM or PPM header states. libvips silently takes sizes that it
 * cannot hold for 1 x 1, so that this header is looked at first.
 * "P", a digit, then width and height in decimal, each after white space and comments ("#" to the
 * end of the line). */
#include "image/load.h"

static size_t skip_blank(mp_span s, size_t i)
{
    bool comment = false;
    for (; i < s.n; i++) {
        uint8_t c = s.p[i];
        if (c == '#')
            comment = true;
        else if (c == '\n' || c == '\r')
            comment = false;
        else if (!comment && c != ' ' && c != '\t' && c != '\v' && c != '\f')
            break;
    }
    return i;
}

bool mp_netpbm_size(mp_span s, int64_t *w, int64_t *h)
{
    int64_t value[2] = {0, 0};
    size_t i = 2;
    for (int k = 0; k < 2; k++) {
        i = skip_blank(s, i);
        for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
            value[k] = MP_MIN(value[k] * 10 + (s.p[i] - '0'), (int64_t)INT32_MAX);
    }
    *w = value[0];
    *h = value[1];
    return *w > 0 && *h > 0;
}
