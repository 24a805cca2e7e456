/* model_files.h - the actions of `magpie model` that concern files, and the list that ends them. */
#ifndef MP_APP_MODEL_FILES_H
#define MP_APP_MODEL_FILES_H

#include "app/app.h"

int model_pull(mp_app *app);
int model_verify(mp_app *app);
int model_remove(mp_app *app);
int model_list(mp_app *app, const char *action); /* cmd_model.c */

#endif
