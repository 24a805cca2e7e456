/* model_try.c - see model_try.h. */
#include "app/model_try.h"

#include "app/fetch.h"

#include "model/model.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

bool model_is_unusable(mp_err err)
{
    return err == MP_CORRUPT || err == MP_INVALID || err == MP_UNSUPPORTED || err == MP_NOT_FOUND;
}

static mp_err try_picture(mp_model *m, mp_why *why)
{
    const mp_space_info *look = &mp_model_get_info(m)->space[MP_SPACE_LOOK];
    size_t bytes = (size_t)look->view.width * (size_t)look->view.height * 3;
    uint8_t *px = mp_try_array(bytes, 1);
    float *v = mp_try_array((size_t)look->dims, sizeof *v), *out[MP_SPACES] = {[MP_SPACE_LOOK] = v};
    mp_views views = {.px = {[MP_SPACE_LOOK] = px}};
    if (px)
        memset(px, 128, bytes);
    mp_err err = px && v ? mp_model_encode_images(m, &views, 1, 1u << MP_SPACE_LOOK, out, why)
                         : mp_fail(why, MP_NOMEM, "no memory for a picture");
    free(px);
    free(v);
    return err;
}

static mp_err try_text(mp_model *m, mp_why *why)
{
    int dims = mp_model_get_info(m)->space[MP_SPACE_SENTENCE].dims;
    mp_str text = mp_str_of("a red boat");
    float *v = dims ? mp_try_array((size_t)dims, sizeof *v) : NULL;
    if (!dims)
        return MP_OK;
    mp_err err = v ? mp_model_encode_sentences(m, &text, 1, v, why)
                   : mp_fail(why, MP_NOMEM, "no memory for a text");
    free(v);
    return err;
}

mp_err model_try(const mp_app *app, const char *id, mp_why *why)
{
    char dir[PATH_MAX];
    mp_model *m = NULL;
    mp_why inner = {0};
    mp_model_options opt = {.models_dir = dir, .precision = MP_PRECISION_F32};
    mp_err err = fetch_models_dir(app, dir, sizeof dir, why);
    if (err)
        return err;
    err = mp_model_open(&m, id, &opt, &inner);
    if (!err)
        err = try_picture(m, &inner);
    if (!err)
        err = try_text(m, &inner);
    mp_model_close(m);
    if (!err)
        return MP_OK;
    return mp_fail(why, err, "%s%s%s", id,
                   model_is_unusable(err) ? " is here but cannot be used: " : ": ", inner.text);
}
