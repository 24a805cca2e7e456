/* defects.h - damage drawn on pictures, the same for a seed on every machine: what the quality
 * program asks the odd-one-out scores to find. Sizes are relative to the picture's short side. */
#ifndef MP_DEFECTS_H
#define MP_DEFECTS_H

#include "image/image.h"

typedef enum mp_defect { MP_SCRATCH, MP_STAIN, MP_MISSING_CORNER, MP_DEFECTS } mp_defect;
const char *mp_defect_word(mp_defect kind);
/* Damages an RGB picture in place. */
void mp_defect_draw(mp_image *im, mp_defect kind, uint64_t seed);

#endif
