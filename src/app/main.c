/* main.c - one binary: the command line and the roles that Magpie starts itself in. */
#include "app/cli.h"
#include "image/decode.h"
#include "meta/meta.h"

#include <signal.h>
#include <string.h>

/* The decode worker is told apart before anything else runs: it must be small and quick to start,
 * and open nothing. Ctrl-C reaches every process of the terminal; the parent decides when its
 * workers end, so that pictures in flight are finished. */
static int decode_worker(void)
{
    signal(SIGINT, SIG_IGN);
    return mp_decode_worker_main();
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "decode-worker") == 0)
        return decode_worker();
    mp_meta_own_process();
    return mp_cli_main(argc, argv);
}
