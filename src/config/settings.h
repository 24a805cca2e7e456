/* settings.h - what holds for every command: where the library is, limits, colours; and the options
 * of the commands that are services.
 *
 * A value comes from the first of: its flag, its environment variable (MAGPIE_NAME), for a service
 * the names that others use for it (DATABASE_URL), the configuration file, its default. The file is
 * the one that --config or MAGPIE_CONFIG names, else $XDG_CONFIG_HOME/magpie/magpie.toml
 * (~/.config/magpie/magpie.toml). It is TOML: settings stand at its top, a service's options in the
 * table of its name, [serve]. Everything in it must be known and right, also what another source
 * overrides. Loaded once; read-only afterwards.
 *
 *   settings_rows.c  the table
 *   settings_env.c   the environment
 *   settings_file.c  the file
 *   settings.c       which source wins */
#ifndef MP_SETTINGS_H
#define MP_SETTINGS_H

#include "config/args.h"

typedef enum mp_setting {
    MP_SET_LIBRARY,
    MP_SET_MODELS,
    MP_SET_MODELS_HUB,
    MP_SET_MODEL,
    MP_SET_DECODER,
    MP_SET_THREADS,
    MP_SET_DECODERS,
    MP_SET_LOCK_WAIT,
    MP_SET_DECODE_TIMEOUT,
    MP_SET_MAX_PIXELS,
    MP_SET_MAX_SIDE,
    MP_SET_MAX_BYTES,
    MP_SET_PRECISION,
    MP_SET_INDEX_VECTORS,
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
    MP_SET_DATABASE_URL,
    MP_SET_VECTORS_URL,
    MP_SET_BLOBS_URL,
    MP_SET_CACHE_URL,
    MP_SET_EMBED_URL,
    MP_SETTINGS
} mp_setting;

extern const mp_option mp_setting_rows[MP_SETTINGS];

typedef struct mp_settings {
    mp_value value[MP_SETTINGS]; /* text NULL where there is no value and no default */
    mp_value_source source[MP_SETTINGS];
    char file[4096]; /* of the configuration; "" if there is no home folder */
    bool file_read;  /* false: there is none */
    mp_why warning;  /* others can read a secret in the file; else empty */
    mp_arena *arena; /* of the texts that are in none of the sources as they are */
} mp_settings;

struct mp_program;
struct mp_command;

typedef struct mp_settings_sources {
    /* The flags, of mp_setting_rows and of --config; or NULL. A service's other options are added
     * to them from the other sources, the defaults among them. */
    mp_args *args;
    const struct mp_program *program; /* whose services have tables in the file; NULL: none has */
    const struct mp_command *command; /* that runs; NULL: none in particular */
    const char *(*env)(const char *name); /* NULL: the process's environment */
} mp_settings_sources;

/* Caller frees, also after a failure; defaults are there then, too. Errors: INVALID (with the
 * place: "--threads", "MAGPIE_THREADS" or "magpie.toml:3"), NOT_FOUND (a file that was named), IO,
 * TOO_BIG (over 1 MiB). */
MP_CHECK mp_err mp_settings_load(mp_settings *out, const mp_settings_sources *from, mp_why *why);
void mp_settings_free(mp_settings *s);

const char *mp_settings_text(const mp_settings *s, mp_setting which); /* NULL: not set */
int64_t mp_settings_int(const mp_settings *s, mp_setting which);
/* "flag", "MAGPIE_THREADS", "DATABASE_URL", "magpie.toml:3", "default". Writes at most cap bytes.
 */
void mp_settings_source(const mp_settings *s, const mp_option *o, mp_value_source from, char *out,
                        size_t cap);
void mp_settings_origin(const mp_settings *s, mp_setting which, char *out, size_t cap);
/* What may be shown: the text, "(hidden)" for a secret, "" if unset. */
const char *mp_settings_shown(const mp_settings *s, mp_setting which);

#endif
