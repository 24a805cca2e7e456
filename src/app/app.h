/* app.h - what a command has at hand while it runs. One thread: progress and file callbacks come
 * on the thread that called the library.
 *
 * Results go to standard output, everything else (progress, refusals, errors) to standard error.
 * With --json standard output holds JSON alone, one object per line. */
#ifndef MP_APP_APP_H
#define MP_APP_APP_H

#include "app/exits.h"
#include "app/term.h"
#include "app/text.h"
#include "config/command.h"
#include "magpie.h"

#include <jansson.h>

typedef struct mp_app {
    const mp_program *program;
    const mp_command *command;
    mp_args args;
    mp_settings settings;
    mp_why settings_why; /* doctor only: why the settings could not be read; else empty */
    bool json, quiet, verbose;
    term out, err;
    magpie *library; /* app_open; closed by cli.c */
} mp_app;

/* ---- failures; each returns the exit code ---- */
/* "magpie: what happened" on standard error; with --json also an error object on standard output.
 */
int app_fail(mp_app *app, magpie_err err, const magpie_why *why);
/* The same for the rooms' own type. */
int app_fail_inner(mp_app *app, mp_err err, const mp_why *why);
/* The command line is wrong: EXIT_USAGE, with a hint at the command's help. */
int app_usage(mp_app *app, const char *format, ...) MP_PRINTF(2, 3);
/* A line on standard error, unless --quiet. %s arguments are escaped by the caller. */
void app_note(mp_app *app, paint p, const char *format, ...) MP_PRINTF(3, 4);

/* ---- the library ---- */
typedef enum app_mode {
    APP_READ,  /* must be there; goes on read-only where it cannot be written */
    APP_WRITE, /* must be there */
    APP_CREATE /* is made when absent, which is told */
} app_mode;
/* EXIT_DONE, or the exit code of a failure that has been reported. */
int app_open(mp_app *app, app_mode mode);
/* The options that the settings say, without library, create and read_only. `self` keeps the
 * decoder's path. */
magpie_options app_options(const mp_app *app, char *self, size_t cap);
/* Absolute path of the running binary; false when unknown. */
bool app_self(char *out, size_t cap);

/* ---- operands ---- */
bool app_parse_id(const char *text, int64_t *id); /* "12" or "#12" */
/* Operands from position `from` on as ids; caller frees *ids. EXIT_USAGE when one is none. */
int app_ids(mp_app *app, size_t from, int64_t **ids, size_t *n);
/* Ids of all items that match the filter; caller frees. */
int app_ids_where(mp_app *app, const char *where, int64_t **ids, size_t *n);
/* The i-th operand, NULL when there are fewer. */
const char *app_operand(const mp_app *app, size_t i);

/* What to call an item: its path, or its name if it came as bytes. */
const char *app_label(const char *path, const char *name);
/* The same as a CSV field of a file that goes to `to`; also fit for a terminal if that is one. */
void app_csv_label(const mp_app *app, FILE *to, mp_buf *out, const char *path, const char *name);
/* A string of mp_buf's making, never NULL; caller frees. */
char *app_escaped(const char *s); /* text_for_terminal */

/* ---- JSON ---- */
json_t *app_json(const mp_app *app); /* {"command": ..., "format": 1} */
void app_json_print(json_t *object); /* one line; takes the reference */
json_t *json_text(const char *s);    /* valid UTF-8 */
json_t *json_float(double x);        /* null where x is not finite */
json_t *json_item(const magpie_item *item);

#endif
