/* sandbox.h - what a decode worker gives up before it sees a picture. */
#ifndef MP_SANDBOX_H
#define MP_SANDBOX_H

#include "base/base.h"

/* Limits memory (beyond what is in use now), files and core dumps; then a seccomp allow-list, for
 * all threads that exist: memory, locks, clocks, threads of its own, and messages on descriptors it
 * has. No file can be opened, none written, no process started, no socket made. One way.
 * `socket`: the one descriptor whose O_ASYNC flag may still be changed. */
MP_CHECK mp_err mp_sandbox_enter(int64_t memory_bytes, int socket, mp_why *why);

#endif
