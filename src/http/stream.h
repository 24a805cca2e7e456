/* stream.h - answers that never end: server-sent events (the WHATWG's, over HTTP/1.1). Inside the
 * http room.
 *
 * A stream's connection is suspended while there is nothing to say. One thread asks every stream in
 * turn what is new, several times a second, and wakes those that have something; after 15 s of
 * silence a comment keeps the connection open. */
#ifndef MP_HTTP_STREAM_H
#define MP_HTTP_STREAM_H

#include "http/message.h"

typedef struct mp_streams mp_streams; /* opaque: all of a service */
typedef struct mp_stream mp_stream;   /* opaque: one connection's */

/* Appends what is new since the last call, in the format of server-sent events. False: there will
 * be nothing more. Called from the streams' thread alone. */
typedef bool (*mp_stream_fn)(void *context, mp_buf *out);

mp_streams *mp_streams_new(void);
/* Ends every stream: their connections finish. No new one is taken. */
void mp_streams_end(mp_streams *all);
void mp_streams_free(mp_streams *all); /* after the connections are gone. NULL allowed */
size_t mp_streams_count(mp_streams *all);

/* Makes the reply a stream; context is freed by free_fn when it is over. False with the reply made:
 * too many streams (503). */
bool mp_reply_stream(mp_request *r, mp_stream_fn next, void *context, void (*free_fn)(void *));
/* One event of the format: id (0: none), type, data (JSON, one line). */
void mp_stream_event(mp_buf *out, int64_t id, const char *type, const char *data);
/* No event, but an id: a client that comes back goes on after it. */
void mp_stream_mark(mp_buf *out, int64_t id);
/* libmicrohttpd's response for it; the stream is freed with the response. */
void *mp_stream_response(mp_stream *s);
void mp_stream_drop(mp_stream *s); /* of a reply that was never sent. NULL allowed */

#endif
