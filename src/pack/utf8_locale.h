/* utf8_locale.h - libarchive reads and writes names in the character set of the thread's locale,
 * whatever the program was started with. Names are UTF-8 here: uselocale() around the calls that
 * touch them, and back. */
#ifndef MP_PACK_UTF8_LOCALE_H
#define MP_PACK_UTF8_LOCALE_H

#include "base/base.h"

#include <locale.h>

/* *out: freelocale; (locale_t)0 on failure. Errors: UNSUPPORTED (the system lacks it). */
MP_CHECK static inline mp_err mp_utf8_locale(locale_t *out, mp_why *why)
{
    *out = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    return *out ? MP_OK : mp_fail(why, MP_UNSUPPORTED, "the system lacks the locale C.UTF-8");
}

#endif
