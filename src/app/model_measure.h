/* model_measure.h - `magpie model quantize` and `magpie model bench`. */
#ifndef MP_APP_MODEL_MEASURE_H
#define MP_APP_MODEL_MEASURE_H

#include "app/app.h"

struct mp_qualification;

/* Measures how far 8-bit products move an installed model's vectors and keeps the result, without a
 * word; folder as below. Errors: NOT_FOUND (no model, no pictures), those of opening it, IO. */
MP_CHECK mp_err model_qualify(const mp_app *app, const char *id, const char *folder,
                              struct mp_qualification *out, mp_why *why);
/* What that found, in a line. */
void model_qualified_text(const struct mp_qualification *q, mp_buf *out);
/* Measures how far 8-bit products move an installed model's vectors on pictures from `folder`
 * (NULL: the samples that come with magpie), and keeps the result beside it. Returns the exit code.
 */
int model_quantize(mp_app *app, const char *id, const char *folder);
/* Milliseconds per picture and per query, in f32 and with 8-bit products, in turns. */
int model_bench(mp_app *app, const char *id);

#endif
