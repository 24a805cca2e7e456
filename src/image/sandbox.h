/* sandbox.h - what a decode worker gives up before it sees a picture. */
#ifndef MP_SANDBOX_H
#define MP_SANDBOX_H

#include "base/base.h"

/* Limits memory (beyond what is in use now), CPU time per process, files and core dumps; then a
 * seccomp allow-list: memory, locks, clocks, threads of its own, and messages on the descriptors it
 * has. No file can be opened, no process started, no socket made. One way. */
MP_CHECK mp_err mp_sandbox_enter(int64_t memory_bytes, mp_why *why);

#endif
