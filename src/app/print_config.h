/* print_config.h - every setting and option that holds, for --print-config and for the service. */
#ifndef MP_APP_PRINT_CONFIG_H
#define MP_APP_PRINT_CONFIG_H

#include "app/app.h"

/* As TOML, or with --json as an object. Secrets are not in it. */
int print_config(mp_app *app);
/* The same as the service tells it to administrators (GET /api/settings): JSON, secrets as ***.
 * Caller frees. settings_json.c */
char *settings_json(const mp_app *app);

#endif
