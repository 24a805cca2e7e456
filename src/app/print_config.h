/* print_config.h - what --print-config of a service says: every setting and option that holds. */
#ifndef MP_APP_PRINT_CONFIG_H
#define MP_APP_PRINT_CONFIG_H

#include "app/app.h"

/* As TOML, or with --json as an object. Secrets are not in it. */
int print_config(mp_app *app);

#endif
