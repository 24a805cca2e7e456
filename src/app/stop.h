/* stop.h - Ctrl-C. The first SIGINT or SIGTERM asks the running command to stop; it does so at its
 * next progress callback and keeps what is finished. The second ends the process at once. */
#ifndef MP_APP_STOP_H
#define MP_APP_STOP_H

#include <stdbool.h>

void stop_install(void);
bool stop_asked(void); /* any thread */

#endif
