/* fuzz_image_load.c - whole decodes of small pictures, without the sandbox: what comes out must be
 * what the limits allow. Start it on a folder of real files of each format. */
#include "image/load.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const mp_load_limits limits = {100000, 1000};
    mp_loaded l;
    mp_why why = {""};
    mp_err err = mp_load((mp_span){data, n}, &limits, 32, 32, &l, &why);
    if (err ? l.image.px != NULL || !why.text[0]
            : l.width < 1 || l.height < 1 || l.width > limits.max_side ||
                  l.height > limits.max_side || (int64_t)l.width * l.height > limits.max_pixels ||
                  l.image.w > l.width || l.image.h > l.height || l.frames < 1)
        abort();
    mp_image_free(&l.image);
    mp_exif exif;
    if (mp_load_header((mp_span){data, n}, &limits, &l, &exif, &why) == MP_OK)
        mp_exif_clean(&exif);
    return 0;
}
