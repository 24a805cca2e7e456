/* settings.h - what holds for every command: where the library is, limits, colours.
 *
 * A setting's value comes from the first of: its flag, its environment variable (MAGPIE_NAME), the
 * configuration file, its default. The file is the one that --config or MAGPIE_CONFIG names, else
 * $XDG_CONFIG_HOME/magpie/magpie.conf (~/.config/magpie/magpie.conf); lines are `key = value`, `#`
 * begins a comment, a value may stand in double quotes. Loaded once; read-only afterwards. */
#ifndef MP_SETTINGS_H
#define MP_SETTINGS_H

#include "config/args.h"

typedef enum mp_setting {
    MP_SET_LIBRARY,
    MP_SET_MODELS,
    MP_SET_MODEL,
    MP_SET_DECODER,
    MP_SET_THREADS,
    MP_SET_DECODERS,
    MP_SET_LOCK_WAIT,
    MP_SET_DECODE_TIMEOUT,
    MP_SET_MAX_PIXELS,
    MP_SET_MAX_SIDE,
    MP_SET_MAX_BYTES,
    MP_SET_COLOR,
    MP_SET_SHARE,
    MP_SET_JWT_SECRET,
    MP_SET_SMTP_URL,
    MP_SET_SMTP_USER,
    MP_SET_SMTP_PASSWORD,
    MP_SET_SMTP_FROM,
    MP_SET_WEB,
    MP_SET_EMBED_TOKEN,
    MP_SET_SERVER,
    MP_SET_TOKEN,
    MP_SETTINGS
} mp_setting;

extern const mp_option mp_setting_rows[MP_SETTINGS];

typedef enum mp_origin { MP_FROM_DEFAULT, MP_FROM_FILE, MP_FROM_ENV, MP_FROM_FLAG } mp_origin;

typedef struct mp_settings {
    mp_value value[MP_SETTINGS]; /* text NULL where there is no value and no default */
    mp_origin origin[MP_SETTINGS];
    int line[MP_SETTINGS]; /* FROM_FILE: where in the file */
    char file[4096];       /* of the configuration; "" if there is no home folder */
    bool file_read;        /* false: there is none */
    mp_arena *arena;       /* of the texts from the file */
} mp_settings;

typedef struct mp_settings_sources {
    const mp_args *args; /* with rows of mp_setting_rows and of --config; or NULL */
    const char *(*env)(const char *name); /* NULL: the process's environment */
} mp_settings_sources;

/* Caller frees, also after a failure. Errors: INVALID (with the place: "--threads",
 * "MAGPIE_THREADS" or "magpie.conf:3"), NOT_FOUND (a file that was named), IO, TOO_BIG (over 1
 * MiB). */
MP_CHECK mp_err mp_settings_load(mp_settings *out, const mp_settings_sources *from, mp_why *why);
void mp_settings_free(mp_settings *s);

const char *mp_settings_text(const mp_settings *s, mp_setting which); /* NULL: not set */
int64_t mp_settings_int(const mp_settings *s, mp_setting which);
/* "flag", "MAGPIE_THREADS", "magpie.conf:3", "default". Writes at most cap bytes. */
void mp_settings_origin(const mp_settings *s, mp_setting which, char *out, size_t cap);
/* What may be shown: the text, "(hidden)" for a secret, "" if unset. */
const char *mp_settings_shown(const mp_settings *s, mp_setting which);

#endif
