/* exits.c - see exits.h. */
#include "app/exits.h"

const mp_exit_row exit_rows[EXIT_ROWS] = {
    {EXIT_DONE, "done"},
    {EXIT_NOTHING, "search: no good match; verify, doctor: problems were found; jobs --follow: the "
                   "job failed or was cancelled"},
    {EXIT_USAGE,
     "the command line, a setting or a filter is malformed; a service refuses it, or the token"},
    {EXIT_NOT_FOUND, "no such library, item, file or model, here or at a service"},
    {EXIT_PARTLY,
     "some pictures were refused or skipped, or it was there already; the rest is done"},
    {EXIT_UNUSABLE,
     "a picture, model or library cannot be used: damaged, too large, too slow or of "
     "an unknown kind"},
    {EXIT_SYSTEM,
     "the system refused: reading, writing, space or memory; a service cannot be reached"},
    {EXIT_BUSY, "another process is writing to the library; a service is busy"},
    {EXIT_BUG, "a bug in magpie"},
    {EXIT_INTERRUPTED, "stopped by Ctrl-C; finished work is kept"},
};

int exit_of(magpie_err err)
{
    static const int codes[] = {
        [MAGPIE_OK] = EXIT_DONE,
        [MAGPIE_INVALID] = EXIT_USAGE,
        [MAGPIE_NOT_FOUND] = EXIT_NOT_FOUND,
        [MAGPIE_EXISTS] = EXIT_PARTLY,
        [MAGPIE_UNSUPPORTED] = EXIT_UNUSABLE,
        [MAGPIE_TOO_BIG] = EXIT_UNUSABLE,
        [MAGPIE_CORRUPT] = EXIT_UNUSABLE,
        [MAGPIE_IO] = EXIT_SYSTEM,
        [MAGPIE_FULL] = EXIT_SYSTEM,
        [MAGPIE_BUSY] = EXIT_BUSY,
        [MAGPIE_TIMEOUT] = EXIT_UNUSABLE,
        [MAGPIE_CANCELLED] = EXIT_INTERRUPTED,
        [MAGPIE_NOMEM] = EXIT_SYSTEM,
        [MAGPIE_INTERNAL] = EXIT_BUG,
    };
    return (size_t)err < MP_COUNT(codes) ? codes[err] : EXIT_BUG;
}
