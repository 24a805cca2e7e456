/* model_try.h - whether an installed model can be used at all. */
#ifndef MP_APP_MODEL_TRY_H
#define MP_APP_MODEL_TRY_H

#include "app/app.h"

/* Opens an installed model and encodes one grey picture and one text with it, in f32. Errors: those
 * of mp_model_open and the encoders; `why` says that the model is here but cannot be used, unless
 * this machine alone stood in the way. */
MP_CHECK mp_err model_try(const mp_app *app, const char *id, mp_why *why);
/* Does the error lie in the model's files, so that it would come again anywhere? */
bool model_is_unusable(mp_err err);

#endif
