/* child.h - one decode worker as its parent sees it: start, one exchange of messages, end.
 * A child belongs to one thread at a time. */
#ifndef MP_CHILD_H
#define MP_CHILD_H

#include "image/wire.h"

#include <sys/types.h>

typedef struct mp_child {
    pid_t pid;
    int sock;
    const uint8_t *shared; /* WIRE_SHARED bytes that the child may change at any time */
    uint64_t served;       /* pictures answered */
    struct mp_child *next; /* the pool's */
} mp_child;

/* Starts `path` as a decode worker and waits until it stands in its sandbox.
 * *out: mp_child_end. Errors: INTERNAL (cannot be started, or is no magpie of this version), IO,
 * FULL. */
MP_CHECK mp_err mp_child_start(const char *path, int64_t memory_bytes, mp_child **out, mp_why *why);
/* Kills, reaps and frees. */
void mp_child_end(mp_child *c);

typedef enum mp_answer {
    MP_ANSWERED,
    MP_LATE, /* nothing until the deadline; the child is still busy */
    MP_DIED  /* it ended, or said something that is no reply */
} mp_answer;
/* One picture. After anything but MP_ANSWERED the child is good for mp_child_end only. When it
 * died, *err and why say of what: CORRUPT, or TIMEOUT when it used up its processor time. */
mp_answer mp_child_ask(mp_child *c, const wire_request *q, int fd, wire_reply *reply, mp_err *err,
                       mp_why *why);

#endif
