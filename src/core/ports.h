/* ports.h - what the rooms above core may know of an open library: its ports. They are the
 * library's; they live as long as it does. */
#ifndef MP_PORTS_H
#define MP_PORTS_H

#include "magpie.h"

#include "meta/meta.h"

mp_meta *mp_core_meta(magpie *m);

#endif
