/* cmd_doctor.c - is everything there that magpie needs, and which settings hold? Each check is a
 * function that adds one row or several; none stops the others. */
#include "app/commands.h"
#include "app/doctor_pictures.h"
#include "app/fetch.h"

#include "image/decode.h"
#include "model/manifest.h"
#include "model/qualify.h"
#include "simd/cpu.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

typedef enum state { OK, WARN, FAIL } state;

static const char *const words[] = {"ok", "warn", "fail"};

typedef struct doctor {
    mp_app *app;
    table *rows;
    json_t *checks;
    bool failed;
} doctor;

static void report(doctor *d, state s, const char *name, const char *format, ...) MP_PRINTF(4, 5);

static void report(doctor *d, state s, const char *name, const char *format, ...)
{
    static const paint paints[] = {PAINT_GOOD, PAINT_WARN, PAINT_BAD};
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    d->failed = d->failed || s == FAIL;
    table_cell(d->rows, paints[s], words[s]);
    table_cell(d->rows, PAINT_NONE, name);
    table_cell(d->rows, PAINT_NONE, text);
    json_t *o = json_object();
    json_object_set_new(o, "name", json_string(name));
    json_object_set_new(o, "state", json_string(words[s]));
    json_object_set_new(o, "detail", json_text(text));
    json_array_append_new(d->checks, o);
}

/* ---- checks ---- */

static void check_version(doctor *d)
{
    bool same = strcmp(MAGPIE_VERSION, magpie_version()) == 0;
    report(d, same ? OK : WARN, "version", "magpie %s with libmagpie %s", MAGPIE_VERSION,
           magpie_version());
    mp_isa isa = mp_simd_isa();
    report(d, isa == MP_ISA_SCALAR ? WARN : OK, "processor", "%s instructions%s", mp_isa_word(isa),
           isa == MP_ISA_SCALAR ? ": comparing will be slow" : "");
    const char *wanted = getenv("MAGPIE_SIMD");
    if (wanted && *wanted && strcmp(wanted, mp_isa_word(isa)) != 0)
        report(d, WARN, "processor", "MAGPIE_SIMD=%.40s is not to be had here, and counts not",
               wanted);
}

static void check_settings(doctor *d)
{
    const mp_settings *s = &d->app->settings;
    if (*d->app->settings_why.text)
        report(d, FAIL, "settings", "%s", d->app->settings_why.text);
    else if (*s->warning.text)
        report(d, WARN, "settings", "%s", s->warning.text);
    else
        report(d, OK, "settings", "%s%s", *s->file ? s->file : "no home folder",
               s->file_read ? "" : " (none; not needed)");
}

static void check_lock(doctor *d)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/lock", magpie_path(d->app->library));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return; /* nobody has written yet */
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        report(d, WARN, "lock", "another process is writing to the library now");
    else
        report(d, OK, "lock", "free");
    close(fd);
}

static void check_space(doctor *d, const char *path)
{
    struct statvfs fs;
    char a[TEXT_SMALL];
    if (statvfs(path, &fs) != 0)
        return;
    double room = (double)fs.f_bavail * (double)fs.f_frsize;
    report(d,
           room < 50e6  ? FAIL
           : room < 1e9 ? WARN
                        : OK,
           "disk space", "%s free where the library is", text_size(a, room));
    if (access(path, W_OK) != 0)
        report(d, WARN, "writing", "the library's folder cannot be written: %s", strerror(errno));
}

static void check_contents(doctor *d)
{
    magpie_stats s;
    magpie_why why = {0};
    char a[TEXT_SMALL];
    if (magpie_get_stats(d->app->library, &s, &why) != MAGPIE_OK) {
        report(d, FAIL, "library", "%s", why.text);
        return;
    }
    report(d, OK, "library", "%s: %s pictures, model %s, index %s", magpie_path(d->app->library),
           text_count(a, s.items), s.model, s.index);
    if (s.vectors + s.missing < s.items)
        report(d, WARN, "vectors", "%llu pictures have none: magpie reindex",
               (unsigned long long)(s.items - s.vectors));
    if (s.missing)
        report(d, WARN, "files", "%llu are missing: magpie list --where state:missing",
               (unsigned long long)s.missing);
}

static void check_library(doctor *d)
{
    char self[PATH_MAX];
    magpie_why why = {0};
    magpie_options o = app_options(d->app, self, sizeof self);
    magpie_err err = magpie_open(&d->app->library, &o, &why);
    if (err == MAGPIE_IO) {
        o.read_only = true;
        err = magpie_open(&d->app->library, &o, NULL);
    }
    if (err) {
        report(d, err == MAGPIE_NOT_FOUND ? WARN : FAIL, "library", "%s", why.text);
        return;
    }
    check_contents(d);
    check_space(d, magpie_path(d->app->library));
    check_lock(d);
}

static const char *bits(mp_precision p)
{
    return p == MP_INT8 ? "8-bit products" : "f32";
}

static void check_installed(doctor *d, const magpie_model_info *m)
{
    char dir[PATH_MAX], folder[PATH_MAX + MP_MANIFEST_NAME] = "";
    mp_precision_choice wanted = MP_PRECISION_AUTO;
    const char *used = m->current ? ", in use" : "";
    if (fetch_models_dir(d->app, dir, sizeof dir, NULL) == MP_OK)
        snprintf(folder, sizeof folder, "%s/%s", dir, m->id);
    if (strcmp(m->id, "builtin") == 0 || !*folder ||
        mp_precision_of(mp_settings_text(&d->app->settings, MP_SET_PRECISION), &wanted, NULL)) {
        report(d, OK, "model", "%s: installed%s", m->id, used);
        return;
    }
    mp_qualified how = mp_precision_for(folder, m->sha256, wanted);
    report(d, OK, "model", "%s: installed%s; pictures by %s, texts by %s", m->id, used,
           bits(how.image), bits(how.text));
}

static void check_models(doctor *d)
{
    magpie_model_info *list;
    size_t n;
    magpie_why why = {0};
    if (!d->app->library)
        return;
    if (magpie_models(d->app->library, &list, &n, &why) != MAGPIE_OK) {
        report(d, FAIL, "models", "%s", why.text);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const magpie_model_info *m = &list[i];
        if (m->installed)
            check_installed(d, m);
        else if (m->current || strcmp(m->id, "lite") == 0) /* the others are offers */
            report(d, m->current ? FAIL : WARN, "model",
                   "%s: not installed; to fetch it: magpie model pull %s%s", m->id, m->id,
                   m->current ? ", in use" : "");
    }
    magpie_free(list);
}

/* The sandbox is tried with the real binary on a real picture of each kind. */
static void check_decoder(doctor *d)
{
    char self[PATH_MAX];
    mp_why why = {0};
    mp_decoder *decoder = NULL;
    mp_buf good = {0}, bad = {0};
    magpie_options m = app_options(d->app, self, sizeof self);
    mp_decoder_options o = {.decoder = m.decoder,
                            .workers = 1,
                            .timeout_ms = m.decode_timeout_ms ? m.decode_timeout_ms : 10000,
                            .max_pixels = 1000000,
                            .max_side = 4096};
    mp_err err = mp_decoder_open(&decoder, &o, &why);
    for (size_t i = 0; !err && i < DOCTOR_PICTURES; i++) {
        const doctor_picture *p = &doctor_pictures[i];
        mp_decode_spec spec = {.fit_long_side = 8};
        mp_decoded decoded = {0};
        mp_err one = mp_decode_bytes(decoder, p->bytes, &spec, &decoded, &why);
        mp_buf_printf(one ? &bad : &good, " %s", p->format);
        mp_decoded_free(&decoded);
    }
    mp_decoder_close(decoder);
    if (!good.n)
        report(d, FAIL, "decoder", "%s: %s", m.decoder ? m.decoder : "none", why.text);
    else
        report(d, OK, "decoder", "reads%s", good.p);
    if (good.n && bad.n)
        report(d, WARN, "decoder", "does not read%s on this system", bad.p);
    mp_buf_free(&good);
    mp_buf_free(&bad);
}

static void check_fetch(doctor *d)
{
    char script[PATH_MAX];
    mp_why why = {0};
    mp_err err = fetch_script(d->app, script, sizeof script, &why);
    report(d, err ? WARN : OK, "model pull", "%s", err ? why.text : script);
}

/* ---- the report ---- */

/* What holds where nothing was set. */
static const char *effective(const mp_app *app, int which, char out[PATH_MAX])
{
    const char *shown = mp_settings_shown(&app->settings, (mp_setting)which);
    bool found = false;
    if (*shown)
        return shown;
    if (which == MP_SET_LIBRARY)
        found = magpie_default_library(out, PATH_MAX, NULL) == MAGPIE_OK;
    else if (which == MP_SET_MODELS)
        found = fetch_models_dir(app, out, PATH_MAX, NULL) == MP_OK;
    else if (which == MP_SET_DECODER)
        found = app_self(out, PATH_MAX);
    return found ? out : "";
}

static void show_settings(const doctor *d)
{
    static const column columns[] = {
        {"setting", false, false}, {"value", false, true}, {"from", false, false}};
    const mp_settings *s = &d->app->settings;
    char origin[128], path[PATH_MAX];
    table *t = table_new(columns, MP_COUNT(columns));
    for (int i = 0; i < MP_SETTINGS; i++) {
        mp_settings_origin(s, (mp_setting)i, origin, sizeof origin);
        table_cell(t, PAINT_NONE, mp_setting_rows[i].name);
        table_cell(t, PAINT_NONE, effective(d->app, i, path));
        table_cell(t, PAINT_DIM, origin);
    }
    printf("\n");
    table_print(t, &d->app->out, 0);
    table_free(t);
}

static json_t *settings_json(const mp_app *app)
{
    const mp_settings *s = &app->settings;
    json_t *list = json_array();
    char origin[128], path[PATH_MAX];
    for (int i = 0; i < MP_SETTINGS; i++) {
        json_t *o = json_object();
        mp_settings_origin(s, (mp_setting)i, origin, sizeof origin);
        json_object_set_new(o, "name", json_string(mp_setting_rows[i].name));
        json_object_set_new(o, "value", json_text(effective(app, i, path)));
        json_object_set_new(o, "source", json_text(origin));
        json_array_append_new(list, o);
    }
    return list;
}

static int run(mp_app *app)
{
    static const column columns[] = {{"", false, false}, {"", false, false}, {"", false, false}};
    static void (*const checks[])(doctor * d) = {check_version, check_settings, check_library,
                                                 check_models,  check_decoder,  check_fetch};
    doctor d = {.app = app, .rows = table_new(columns, MP_COUNT(columns)), .checks = json_array()};
    for (size_t i = 0; i < MP_COUNT(checks); i++)
        checks[i](&d);
    if (app->json) {
        json_t *o = app_json(app);
        json_object_set_new(o, "ok", json_boolean(!d.failed));
        json_object_set(o, "checks", d.checks);
        json_object_set_new(o, "settings", settings_json(app));
        app_json_print(o);
    } else {
        table_print(d.rows, &app->out, 0);
        show_settings(&d);
    }
    table_free(d.rows);
    json_decref(d.checks);
    return d.failed ? EXIT_NOTHING : EXIT_DONE;
}

const mp_command command_doctor = {
    .name = "doctor",
    .summary = "Check that magpie has all it needs; show the settings",
    .usage = "doctor",
    .about = "Checks the library, its disk and lock, the models, the processor, and the sandboxed "
             "decoder with a picture of each kind; shows every setting with where its value comes "
             "from. Ends with exit code 1 when something is wrong.",
    .run = run,
};
