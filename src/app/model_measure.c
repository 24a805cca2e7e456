/* model_measure.c - see model_measure.h. */
#include "app/model_measure.h"

#include "app/fetch.h"
#include "app/model_try.h"
#include "app/stop.h"

#include "base/os.h"
#include "core/walk.h"
#include "image/decode.h"
#include "model/model.h"
#include "model/qualify.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_PICTURES = 32, LEAST_PICTURES = 8 };

/* ---- pictures to measure on ---- */

typedef struct sight { /* owns what it shows */
    mp_decoded decoded[MOST_PICTURES];
    const uint8_t *px[MOST_PICTURES];
    size_t n;
} sight;

static void free_sight(sight *s)
{
    for (size_t i = 0; i < s->n; i++)
        mp_decoded_free(&s->decoded[i]);
}

static bool is_folder(char *out, size_t cap, const char *folder, const char *below)
{
    return snprintf(out, cap, "%s%s/samples", folder, below) < (int)cap && access(out, R_OK) == 0;
}

/* In --share, else beside the installed binary, else in the source tree that this was built from.
 */
static mp_err find_samples(const mp_app *app, char *out, size_t cap, mp_why *why)
{
    const char *share = mp_settings_text(&app->settings, MP_SET_SHARE);
    char self[PATH_MAX];
    if (share && is_folder(out, cap, share, ""))
        return MP_OK;
    if (!share && app_self(self, sizeof self)) {
        *strrchr(self, '/') = '\0';
        if (is_folder(out, cap, self, "/../share/magpie"))
            return MP_OK;
    }
    if (!share && is_folder(out, cap, MAGPIE_TOOLS_DIR, "/.."))
        return MP_OK;
    return mp_fail(why, MP_NOT_FOUND,
                   "the sample pictures were not installed; name a folder with --pictures");
}

/* What cannot be decoded is left out: other files may lie in the folder. */
static void see(sight *s, mp_decoder *decoder, const mp_view_spec *view, const char *path)
{
    mp_decode_spec spec = {.view = {*view}, .n_views = 1};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return;
    if (!mp_decode_fd(decoder, fd, &spec, &s->decoded[s->n], NULL)) {
        s->px[s->n] = s->decoded[s->n].view[0].px;
        s->n++;
    }
    close(fd);
}

/* As many parts of the list as pictures are wanted, and one of each in turns: where a part has no
 * picture, others give more. */
static mp_err see_some(sight *s, mp_decoder *decoder, const mp_view_spec *view,
                       const mp_walk_list *list, mp_why *why)
{
    for (size_t turn = 0; turn <= list->n / MOST_PICTURES; turn++)
        for (size_t i = 0; i < MOST_PICTURES && s->n < MOST_PICTURES; i++) {
            size_t at = i * list->n / MOST_PICTURES + turn;
            if (stop_asked())
                return mp_fail(why, MP_CANCELLED, "stopped");
            if (at < (i + 1) * list->n / MOST_PICTURES)
                see(s, decoder, view, list->path[at]);
        }
    return MP_OK;
}

static bool asked_to_stop(void *context, size_t found)
{
    (void)context, (void)found;
    return stop_asked();
}

static mp_err list_folder(const char *folder, mp_walk_list *list, mp_why *why)
{
    static const mp_walk_options walk = {.poll = asked_to_stop};
    struct stat st;
    if (stat(folder, &st) != 0)
        return mp_fail_errno(why, errno, "cannot read the folder %.300s", folder);
    if (!S_ISDIR(st.st_mode))
        return mp_fail(why, MP_INVALID, "%.300s is not a folder", folder);
    mp_err err = mp_walk_folder(folder, &walk, list, why);
    mp_walk_sort(list);
    return err;
}

/* Up to MOST_PICTURES of a folder, from all over it. */
static mp_err see_folder(const mp_app *app, const char *folder, const mp_view_spec *view, sight *s,
                         mp_why *why)
{
    char self[PATH_MAX];
    magpie_options o = app_options(app, self, sizeof self);
    mp_decoder_options opt = {.decoder = o.decoder,
                              .workers = 1,
                              .timeout_ms = 10000,
                              .max_pixels = 50000000,
                              .max_side = 16384};
    mp_walk_list list = {0};
    mp_decoder *decoder = NULL;
    mp_err err = list_folder(folder, &list, why);
    if (!err)
        err = mp_decoder_open(&decoder, &opt, why);
    if (!err)
        err = see_some(s, decoder, view, &list, why);
    mp_decoder_close(decoder);
    mp_walk_free(&list);
    return err;
}

/* ---- quantize ---- */

static const char *precision_word(float worst)
{
    return worst >= MP_QUALIFIED_FROM ? "int8" : "f32";
}

static json_t *tower_json(float worst, const char *what, size_t n)
{
    json_t *o = json_object();
    json_object_set_new(o, "worst_cosine", json_float((double)worst));
    json_object_set_new(o, "precision", json_string(precision_word(worst)));
    json_object_set_new(o, what, json_integer((json_int_t)n));
    return o;
}

static void say(const term *out, const char *what, float worst, size_t n)
{
    term_printf(out, PAINT_NONE, "  %-9s worst cosine %.5f over %zu: %s\n", what, (double)worst, n,
                worst >= MP_QUALIFIED_FROM ? "8-bit products are used"
                                           : "too far off, so f32 is used");
}

static void show_qualification(mp_app *app, const char *id, const mp_qualification *q)
{
    if (app->json) {
        json_t *o = app_json(app);
        json_object_set_new(o, "action", json_string("quantize"));
        json_object_set_new(o, "model", json_text(id));
        json_object_set_new(o, "kernels", json_string(q->kernels));
        json_object_set_new(o, "image", tower_json(q->image, "pictures", q->pictures));
        if (q->texts)
            json_object_set_new(o, "text", tower_json(q->text, "texts", (size_t)q->texts));
        app_json_print(o);
        return;
    }
    term_printf(&app->out, PAINT_BOLD, "%s with 8-bit products (%s), beside f32:\n", id,
                q->kernels);
    say(&app->out, "pictures", q->image, q->pictures);
    if (q->texts)
        say(&app->out, "texts", q->text, (size_t)q->texts);
}

/* What the model is measured on: of the user's folder, or (NULL) of the samples. */
static mp_err find_sight(const mp_app *app, const char *folder, const mp_view_spec *view, sight *s,
                         mp_why *why)
{
    char samples[PATH_MAX];
    mp_err err = folder ? MP_OK : find_samples(app, samples, sizeof samples, why);
    if (!err)
        err = see_folder(app, folder ? folder : samples, view, s, why);
    if (!err && folder && s->n < LEAST_PICTURES)
        return mp_fail(why, MP_INVALID,
                       "%zu pictures could be read in %.300s; at least %d are needed", s->n, folder,
                       LEAST_PICTURES);
    if (!err && s->n == 0)
        return mp_fail(why, MP_NOT_FOUND, "no pictures in %.300s; name a folder with --pictures",
                       samples);
    return err;
}

static mp_err qualify(const mp_app *app, const char *id, const char *folder, mp_qualification *out,
                      mp_why *why)
{
    char dir[PATH_MAX];
    mp_model_info info;
    sight s = {0};
    *out = (mp_qualification){0};
    mp_err err = fetch_models_dir(app, dir, sizeof dir, why);
    if (!err && !mp_model_installed(id, dir, &info))
        err = mp_model_absent(id, dir, why);
    if (!err)
        err = find_sight(app, folder, &info.space[MP_SPACE_LOOK].view, &s, why);
    mp_model_options opt = {.models_dir = dir};
    if (!err)
        err = mp_model_qualify(id, &opt, s.px, s.n, out, why);
    free_sight(&s);
    return err;
}

mp_err model_measure_new(const mp_app *app, const char *id, mp_buf *line, mp_why *why)
{
    mp_qualification q;
    mp_why inner = {0};
    if (qualify(app, id, NULL, &q, &inner)) { /* for want of samples, or does the model not work? */
        mp_err err = model_try(app, id, why);
        mp_buf_printf(line, "8-bit products were not measured (%s), so f32 is used", inner.text);
        return model_is_unusable(err) ? err : MP_OK;
    }
    mp_buf_printf(line,
                  "8-bit products (%s): pictures keep a cosine of %.4f, so they are computed in %s",
                  q.kernels, (double)q.image, precision_word(q.image));
    if (q.texts)
        mp_buf_printf(line, "; texts %.4f, %s", (double)q.text, precision_word(q.text));
    return MP_OK;
}

int model_quantize(mp_app *app, const char *id, const char *folder)
{
    mp_qualification q;
    mp_why why = {0};
    mp_err err = qualify(app, id, folder, &q, &why);
    if (err)
        return app_fail_inner(app, err, &why);
    show_qualification(app, id, &q);
    return EXIT_DONE;
}

/* ---- bench ---- */

enum { ROUNDS = 9, LARGE_BATCH = 16 };
static const char *const ways[] = {"f32", "int8"};
static const mp_precision_choice choices[] = {MP_PRECISION_F32, MP_PRECISION_INT8};
enum { ONE, MANY, QUERY, MEASURES };
static const char *const measures[MEASURES] = {"picture", "picture_in_16", "query"};

typedef struct trial {
    int ways; /* builtin knows the first alone */
    mp_model *model[MP_COUNT(ways)];
    uint8_t *px;
    float *out;
    double ms[MP_COUNT(ways)][MEASURES][ROUNDS];
} trial;

static mp_err encode(trial *t, mp_model *m, size_t n, mp_why *why)
{
    const mp_view_spec *view = &mp_model_get_info(m)->space[MP_SPACE_LOOK].view;
    mp_views views[LARGE_BATCH];
    float *out[MP_SPACES] = {[MP_SPACE_LOOK] = t->out};
    for (size_t i = 0; i < n; i++)
        views[i] = (mp_views){
            .px = {[MP_SPACE_LOOK] = t->px + i * (size_t)view->width * (size_t)view->height * 3}};
    return mp_model_encode_images(m, views, n, 1u << MP_SPACE_LOOK, out, why);
}

static mp_err measure(trial *t, int way, int what, double *ms, mp_why *why)
{
    mp_model *m = t->model[way];
    double start = mp_monotonic_s();
    mp_err err = what == QUERY
                     ? mp_model_encode_text(m, mp_str_of("a small red boat on a calm lake"), t->out,
                                            NULL, NULL, why)
                     : encode(t, m, what == MANY ? LARGE_BATCH : 1, why);
    *ms = (mp_monotonic_s() - start) * 1e3 / (what == MANY ? LARGE_BATCH : 1);
    return err;
}

/* Everything in turns, so that a busy moment falls on all; the first round only warms up. */
static mp_err run_trial(trial *t, bool words, mp_why *why)
{
    mp_err err = MP_OK;
    double ms;
    for (int round = -1; !err && round < ROUNDS; round++)
        for (int way = 0; !err && way < t->ways; way++)
            for (int what = 0; !err && what < (words ? MEASURES : QUERY); what++) {
                err = measure(t, way, what, &ms, why);
                if (round >= 0)
                    t->ms[way][what][round] = ms;
            }
    return err;
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void show_trial(mp_app *app, const char *id, trial *t, bool words)
{
    static const column columns[] = {
        {"", false, false}, {"f32", true, false}, {"int8", true, false}};
    json_t *o = app_json(app);
    table *rows = table_new(columns, 1 + (size_t)t->ways);
    json_object_set_new(o, "action", json_string("bench"));
    json_object_set_new(o, "model", json_text(id));
    for (int what = 0; what < (words ? MEASURES : QUERY); what++) {
        json_t *both = json_object();
        table_cellf(rows, PAINT_NONE, "%s, ms", measures[what]);
        for (int way = 0; way < t->ways; way++) {
            double *all = t->ms[way][what];
            qsort(all, ROUNDS, sizeof *all, by_value);
            json_object_set_new(both, ways[way], json_float(all[ROUNDS / 2]));
            table_cellf(rows, PAINT_NONE, "%.2f", all[ROUNDS / 2]);
        }
        json_object_set_new(o, measures[what], both);
    }
    if (app->json)
        app_json_print(o);
    else {
        json_decref(o);
        table_print(rows, &app->out, 0);
    }
    table_free(rows);
}

static mp_err open_trial(trial *t, const mp_app *app, const char *id, mp_why *why)
{
    char dir[PATH_MAX];
    mp_err err = fetch_models_dir(app, dir, sizeof dir, why);
    t->ways = strcmp(id, "builtin") == 0 ? 1 : MP_COUNT(ways);
    for (int i = 0; !err && i < t->ways; i++) {
        mp_model_options opt = {.models_dir = dir, .precision = choices[i]};
        err = mp_model_open(&t->model[i], id, &opt, why);
    }
    if (err)
        return err;
    const mp_space_info *space = mp_model_get_info(t->model[0])->space;
    const mp_space_info *look = &space[MP_SPACE_LOOK];
    size_t bytes = LARGE_BATCH * (size_t)look->view.width * (size_t)look->view.height * 3;
    size_t floats = (size_t)MP_MAX(LARGE_BATCH * look->dims, space[MP_SPACE_WORD].dims);
    t->px = mp_try_array(bytes, 1);
    t->out = mp_try_array(floats, sizeof *t->out);
    if (!t->px || !t->out)
        return mp_fail(why, MP_NOMEM, "no memory for %d pictures", LARGE_BATCH);
    mp_rng rng = {1};
    for (size_t i = 0; i < bytes; i++)
        t->px[i] = (uint8_t)mp_rng_u64(&rng);
    return MP_OK;
}

int model_bench(mp_app *app, const char *id)
{
    mp_why why = {0};
    trial *t = mp_xcalloc(1, sizeof *t);
    mp_err err = open_trial(t, app, id, &why);
    bool words = !err && mp_model_get_info(t->model[0])->space[MP_SPACE_WORD].dims > 0;
    if (!err)
        err = run_trial(t, words, &why);
    if (!err)
        show_trial(app, id, t, words);
    for (size_t i = 0; i < MP_COUNT(ways); i++)
        mp_model_close(t->model[i]);
    free(t->px);
    free(t->out);
    free(t);
    return err ? app_fail_inner(app, err, &why) : EXIT_DONE;
}
