/* loader.h - what settings.c, settings_env.c and settings_file.c share while values are read. */
#ifndef MP_LOADER_H
#define MP_LOADER_H

#include "config/command.h"

enum { MP_CONFIG_BYTES = 1 << 20 };

typedef struct mp_loader {
    mp_settings *s;
    const mp_settings_sources *from;
    const char *(*env)(const char *name);
    mp_why *why;
} mp_loader;

/* Does a stronger source have a value? Sources are read from the strongest on. */
bool mp_loader_has(const mp_loader *l, const mp_option *o);
/* Checks the texts (several: of an option that takes many), which live as long as the settings;
 * `wanted` false: only that. Why they are wrong goes to `why`, without the option's name. */
MP_CHECK mp_err mp_loader_take(mp_loader *l, const mp_option *o, const char *const *texts, size_t n,
                               mp_value_source source, bool wanted, mp_why *why);
/* The options of the service that runs; n 0: none runs. */
mp_option_table mp_loader_options(const mp_loader *l);

MP_CHECK mp_err mp_loader_env(mp_loader *l);  /* settings_env.c */
MP_CHECK mp_err mp_loader_file(mp_loader *l); /* settings_file.c */

#endif
