/* model_measure.h - `magpie model quantize` and `magpie model bench`. */
#ifndef MP_APP_MODEL_MEASURE_H
#define MP_APP_MODEL_MEASURE_H

#include "app/app.h"

/* For a model that has just come: measures it and puts what was found into a line. That it cannot
 * be measured, say for want of samples, does no harm, f32 needs no measure; then the line says why.
 * Errors: as model_is_unusable (model_try.h) has them; the model is here but does not work. */
MP_CHECK mp_err model_measure_new(const mp_app *app, const char *id, mp_buf *line, mp_why *why);
/* Measures how far 8-bit products move an installed model's vectors on pictures from `folder`
 * (NULL: the samples that come with magpie), and keeps the result beside it. One picture says
 * nothing of others: a folder must have at least 8. Returns the exit code. */
int model_quantize(mp_app *app, const char *id, const char *folder);
/* Milliseconds per picture and per query, in f32 and with 8-bit products, in turns; of builtin,
 * which has no such products, in f32. */
int model_bench(mp_app *app, const char *id);

#endif
