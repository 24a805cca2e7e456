/* ports.h - what the rooms above core may know of an open library: its ports. They are the
 * library's; they live as long as it does. */
#ifndef MP_PORTS_H
#define MP_PORTS_H

#include "magpie.h"

#include "blob/blob.h"
#include "meta/meta.h"

mp_meta *mp_core_meta(magpie *m);
mp_blob *mp_core_blobs(magpie *m);
/* The public shape of an item; free it with magpie_item_free. */
magpie_item *mp_core_publish(const mp_item *item);
/* The most bytes that a picture may have. */
int64_t mp_core_max_bytes(const magpie *m);

#endif
