/* static.h - the files of one folder over HTTP: a web app, documents. Inside the http room.
 *
 * Nothing outside the folder can be reached: a path is taken segment by segment, none may begin
 * with a dot, and no symbolic link is followed (the folder itself may be one). Where name.br or
 * name.gz lies beside a file and the client takes it, that is sent. Any thread. */
#ifndef MP_HTTP_STATIC_H
#define MP_HTTP_STATIC_H

#include "http/message.h"

typedef struct mp_static mp_static; /* opaque */

/* NOT_FOUND, IO, INVALID (not a folder). */
MP_CHECK mp_err mp_static_open(mp_static **out, const char *folder, mp_why *why);
void mp_static_close(mp_static *s); /* NULL allowed */

/* Answers with the file at `path` ("", "a/" stand for index.html in it; no leading slash, decoded):
 * 200, 206, 304 or 416. False, and no reply made: there is no such file. Names that carry a hash of
 * their content ("index-BX2yz1a4.js") may be kept for ever; others are asked for anew. Pages get a
 * policy that lets them load from here alone, unless the reply has one already. */
bool mp_reply_static(mp_request *r, const mp_static *s, const char *path);
/* "text/css; charset=utf-8" for "a.css"; application/octet-stream for what is not known. Static. */
const char *mp_static_type(const char *name);
/* Does the name carry a hash: eight letters, digits, _ or - behind a dash or a dot, before the last
 * extension; a letter among them, which dates lack, and a digit or a capital, which words lack? */
bool mp_static_is_hashed(const char *name);

#endif
