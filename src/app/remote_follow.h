/* remote_follow.h - a job's lines as they come. */
#ifndef MP_APP_REMOTE_FOLLOW_H
#define MP_APP_REMOTE_FOLLOW_H

#include "app/remote.h"

/* Prints until the job ends (EXIT_DONE; EXIT_NOTHING: it failed or was cancelled) or Ctrl-C
 * (EXIT_INTERRUPTED). A connection that breaks off is made again, from the last line on. */
int remote_follow(const remote *r, int64_t job);

#endif
