/* names.h - file names that every system can unpack, and no two alike.
 *
 * What comes in is hostile: "../../x", "a\nb", "CON", "invoice.jpg.exe", bytes that are no UTF-8.
 * A set of names belongs to one thread at a time. */
#ifndef MP_PACK_NAMES_H
#define MP_PACK_NAMES_H

#include "base/base.h"

enum {
    MP_PACK_NAME_LONGEST = 160, /* bytes; every file system takes it, with room for a suffix */
    MP_PACK_NAME = 256          /* room for a name with its suffix and NUL */
};

/* The base name of `name` (after the last / or \) as valid UTF-8 without control characters,
 * characters that Windows forbids, reserved names (CON, LPT1, ...), a leading dot, and blanks or
 * dots at its end; at most MP_PACK_NAME_LONGEST bytes, cut before the extension; "picture" if
 * nothing is left. format ("jpeg", ...; NULL: none): a name without a picture's extension gets that
 * of the format. */
void mp_pack_safe_name(char out[MP_PACK_NAME], const char *name, const char *format);

typedef struct mp_pack_names mp_pack_names; /* opaque; 8 to 16 bytes for each name taken */

mp_pack_names *mp_pack_names_new(void);
void mp_pack_names_free(mp_pack_names *s); /* NULL allowed */
/* The safe name, told apart from all that were taken before, whatever the case of their letters:
 * "a (2).jpg" to "a (9).jpg", then "a-<id>.jpg". Errors: NOMEM. */
MP_CHECK mp_err mp_pack_names_take(mp_pack_names *s, const char *name, const char *format,
                                   int64_t id, char out[MP_PACK_NAME], mp_why *why);

#endif
