/* mail.h - one plain-text mail through the operator's mail server.
 *
 * Sent: EHLO, STARTTLS where offered (always with require_tls), AUTH with a user, MAIL FROM, one
 * RCPT TO, and DATA with these lines (RFC 5322, all ASCII, CRLF, none over 78 bytes but for long
 * addresses):
 *
 *   Date: Tue, 14 Nov 2023 22:13:20 +0000
 *   From: "Magpie" <magpie@example.org>      a name that is not ASCII as RFC 2047 words
 *   To: <ada@example.org>
 *   Message-ID: <32 hexadecimal digits@domain of From>
 *   Subject: ...                             RFC 2047 words unless short ASCII
 *   Auto-Submitted: auto-generated           so that no holiday notice answers
 *   MIME-Version: 1.0
 *   Content-Type: text/plain; charset=utf-8
 *   Content-Transfer-Encoding: quoted-printable
 *
 * The server is the operator's choice: the address policy of net.h does not hold for it, and
 * proxies are not used. Its certificate is verified whenever TLS is spoken. */
#ifndef MP_NET_MAIL_H
#define MP_NET_MAIL_H

#include "net/net.h"

typedef struct mp_mail_server {
    const char *url;             /* "smtp://host:587", "smtps://host:465"; no credentials in it */
    const char *user, *password; /* NULL or "": no AUTH */
    const char *from;            /* "a@example.org" or "Name <a@example.org>" */
    bool require_tls;            /* nothing is sent, the password least of all, without TLS */
    int timeout_ms;              /* of the whole dialogue; 0: 15 s */
} mp_mail_server;

typedef struct mp_mail {
    const char *to;      /* one bare address, ASCII */
    const char *subject; /* UTF-8, one line, at most 400 bytes */
    const char *text;    /* UTF-8, lines end with \n or \r\n; at most 1 MiB */
} mp_mail;

/* MP_OK: the server has taken the mail over. One try: after BUSY, TIMEOUT, IO and NOT_FOUND another
 * one may do better; after a crash in between, a mail may go out twice, never not at all.
 * Errors: INVALID (an address, a control character in a header, text that is not UTF-8),
 * UNSUPPORTED (the server refuses this mail or this login for good), BUSY (it says: later),
 * IO, TIMEOUT, NOT_FOUND (no such server). No error text holds the password. */
MP_CHECK mp_err mp_mail_send(const mp_mail_server *server, const mp_mail *mail, mp_why *why);

/* The address in "a@example.org" or "Name <a@example.org>": the view of it, and of the name before
 * it (n 0: none). INVALID. For settings and for whom to write to. */
MP_CHECK mp_err mp_mail_address(const char *text, mp_str *name, mp_str *address, mp_why *why);

#endif
