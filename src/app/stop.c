/* stop.c - see stop.h. */
#include "app/stop.h"

#include "app/exits.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

/* Written by a handler on any thread, read by all. */
static atomic_bool asked;

static void on_signal(int number)
{
    static const char text[] = "\nstopping; once more to leave at once\n";
    int kept = errno; /* of whatever call was interrupted */
    (void)number;
    if (asked)
        _exit(EXIT_INTERRUPTED);
    asked = true;
    ssize_t told = isatty(STDERR_FILENO) ? write(STDERR_FILENO, text, sizeof text - 1) : 0;
    (void)told; /* where it cannot be written, nobody is there to read it */
    errno = kept;
}

void stop_install(void)
{
    struct sigaction act = {.sa_handler = on_signal}; /* no SA_RESTART: poll() must wake up */
    sigemptyset(&act.sa_mask);
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
}

bool stop_asked(void)
{
    return asked;
}
