/* exits.h - the one table of exit codes. */
#ifndef MP_APP_EXITS_H
#define MP_APP_EXITS_H

#include "config/command.h"
#include "magpie.h"

enum {
    EXIT_DONE = 0,
    EXIT_NOTHING = 1,
    EXIT_USAGE = 2,
    EXIT_NOT_FOUND = 3,
    EXIT_PARTLY = 4,
    EXIT_UNUSABLE = 5,
    EXIT_SYSTEM = 6,
    EXIT_BUSY = 7,
    EXIT_BUG = 70,
    EXIT_INTERRUPTED = 130
};

enum { EXIT_ROWS = 10 };
extern const mp_exit_row exit_rows[EXIT_ROWS];
int exit_of(magpie_err err);

#endif
