/* nfc.h - Unicode's normalisation form C.
 *
 * By glib's tables, but not by its g_utf8_normalize, which ends at a NUL and takes quadratic time
 * for long runs of combining marks: a text of 100 kB would hold a thread for seconds. */
#ifndef MP_NFC_H
#define MP_NFC_H

#include "base/base.h"

/* Appends `text` (valid UTF-8, any length, NUL allowed) in form C. Linear. */
void mp_nfc(mp_buf *out, mp_str text);

#endif
