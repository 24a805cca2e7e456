/* line_log.h - lines to a descriptor, written by a thread of their own. Inside the http room.
 *
 * Who logs never waits: not for the disk behind standard error, and not for a reader of the pipe
 * who has stopped reading. Lines gather for some milliseconds and go out in few writes; when more
 * gather than there is room for, they are left out, and a line says how many were. */
#ifndef MP_HTTP_LINE_LOG_H
#define MP_HTTP_LINE_LOG_H

#include "base/base.h"

typedef struct mp_line_log mp_line_log;

/* `fd` stays the caller's. `most`: bytes that may wait. */
mp_line_log *mp_line_log_new(int fd, size_t most);
/* `line` with its line end; any thread. */
void mp_line_log_put(mp_line_log *l, mp_str line);
/* Writes what waits; gives up on a reader who does not read for a second. NULL allowed. */
void mp_line_log_free(mp_line_log *l);

#endif
