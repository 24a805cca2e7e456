/* mail_text.h - composing a mail's bytes. Inside the room only. */
#ifndef MP_NET_MAIL_TEXT_H
#define MP_NET_MAIL_TEXT_H

#include "net/mail.h"

/* Appends the whole message, headers and text, as it goes into DATA before dots are stuffed.
 * `now_s`: seconds since 1970. INVALID; then *out is as it was or begun, and of no use. */
MP_CHECK mp_err mp_mail_compose(const char *from, const mp_mail *mail, int64_t now_s, mp_buf *out,
                                mp_why *why);

#endif
