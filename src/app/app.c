/* app.c - failures, opening the library, operands. See app.h. */
#include "app/app.h"
#include "pack/text.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- failures ---- */

char *app_escaped(const char *s)
{
    mp_buf b = {0};
    text_for_terminal(&b, s);
    return b.p ? b.p : mp_xstrdup("");
}

static int fail(mp_app *app, const char *word, int code, const char *text)
{
    char *shown = app_escaped(text);
    fflush(stdout);
    term_print(&app->err, PAINT_BAD, "magpie: ");
    fprintf(stderr, "%s\n", shown);
    free(shown);
    if (app->json) {
        json_t *o = app_json(app), *e = json_object();
        json_object_set_new(e, "code", json_string(word));
        json_object_set_new(e, "exit", json_integer(code));
        json_object_set_new(e, "message", json_text(text));
        json_object_set_new(o, "error", e);
        app_json_print(o);
    }
    return code;
}

int app_fail(mp_app *app, magpie_err err, const magpie_why *why)
{
    const char *text = why && *why->text ? why->text : magpie_err_word(err);
    return fail(app, magpie_err_word(err), exit_of(err), text);
}

int app_fail_inner(mp_app *app, mp_err err, const mp_why *why)
{
    return fail(app, mp_err_word(err), exit_of((magpie_err)err), why->text);
}

int app_usage(mp_app *app, const char *format, ...)
{
    char text[600];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    int code = fail(app, "usage", EXIT_USAGE, text);
    if (app->command && !app->json)
        fprintf(stderr, "Try: magpie help %s\n", app->command->name);
    return code;
}

void app_note(mp_app *app, paint p, const char *format, ...)
{
    char text[2048];
    va_list args;
    if (app->quiet)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fflush(stdout); /* in the order of saying, also where both go to one file */
    term_print(&app->err, p, text);
    fputc('\n', stderr);
}

/* ---- the library ---- */

bool app_self(char *out, size_t cap)
{
    ssize_t n = readlink("/proc/self/exe", out, cap - 1);
    if (n <= 0)
        return false;
    out[n] = '\0';
    return true;
}

static int to_int(int64_t n)
{
    return (int)MP_MIN(n, (int64_t)INT_MAX);
}

magpie_options app_options(const mp_app *app, char *self, size_t cap)
{
    const mp_settings *s = &app->settings;
    int64_t wait = mp_settings_int(s, MP_SET_LOCK_WAIT);
    magpie_options o = {
        .library = mp_settings_text(s, MP_SET_LIBRARY),
        .models_dir = mp_settings_text(s, MP_SET_MODELS),
        .model = mp_settings_text(s, MP_SET_MODEL),
        /* Services are started the same way after the library was switched. */
        .require_model = s->source[MP_SET_MODEL].origin == MP_FROM_FLAG &&
                         !(app->command && app->command->configured),
        .decoder = mp_settings_text(s, MP_SET_DECODER),
        .threads = to_int(mp_settings_int(s, MP_SET_THREADS)),
        .decoders = to_int(mp_settings_int(s, MP_SET_DECODERS)),
        .wait_ms = wait ? to_int(wait) : -1, /* 0 would mean the library's own default */
        .decode_timeout_ms = to_int(mp_settings_int(s, MP_SET_DECODE_TIMEOUT)),
        .max_pixels = mp_settings_int(s, MP_SET_MAX_PIXELS),
        .max_side = (int32_t)mp_settings_int(s, MP_SET_MAX_SIDE),
        .max_bytes = mp_settings_int(s, MP_SET_MAX_BYTES),
        .half_vectors = strcmp(mp_settings_text(s, MP_SET_INDEX_VECTORS), "f16") == 0,
        .precision = mp_settings_text(s, MP_SET_PRECISION),
    };
    /* The binary that runs can decode, wherever it is installed. */
    if (!o.decoder && app_self(self, cap))
        o.decoder = self;
    return o;
}

static void tell_made(mp_app *app)
{
    magpie_stats stats;
    char *path = app_escaped(magpie_path(app->library));
    app_note(app, PAINT_NONE, "made a new library in %s", path);
    free(path);
    if (magpie_get_stats(app->library, &stats, NULL) == MAGPIE_OK &&
        strcmp(stats.model, "builtin") == 0)
        app_note(app, PAINT_DIM,
                 "it uses the built-in model, which knows no words; to get one that does: magpie "
                 "model pull lite && magpie model use lite");
}

int app_open(mp_app *app, app_mode mode)
{
    char self[PATH_MAX];
    magpie_why why = {0};
    magpie_options o = app_options(app, self, sizeof self);
    magpie_err err = magpie_open(&app->library, &o, &why);
    if (err == MAGPIE_IO && mode == APP_READ) {
        o.read_only = true;
        if (magpie_open(&app->library, &o, NULL) == MAGPIE_OK)
            return EXIT_DONE;
    }
    if (err == MAGPIE_NOT_FOUND && mode == APP_CREATE) {
        o.create = true;
        err = magpie_open(&app->library, &o, &why);
        if (!err)
            tell_made(app);
    }
    return err ? app_fail(app, err, &why) : EXIT_DONE;
}

/* ---- operands ---- */

bool app_parse_id(const char *text, int64_t *id)
{
    char *end;
    if (*text == '#')
        text++;
    if (!isdigit((unsigned char)*text))
        return false;
    long long n = strtoll(text, &end, 10);
    *id = n;
    return !*end && n > 0 && n < INT64_MAX;
}

const char *app_operand(const mp_app *app, size_t i)
{
    for (size_t j = 0; j < app->args.n; j++)
        if (!app->args.arg[j].option && i-- == 0)
            return app->args.arg[j].value.text;
    return NULL;
}

int app_ids(mp_app *app, size_t from, int64_t **ids, size_t *n)
{
    size_t operands = mp_args_operands(&app->args);
    *n = 0;
    *ids = mp_xcalloc(operands + 1, sizeof **ids);
    for (size_t i = from; i < operands; i++) {
        const char *word = app_operand(app, i);
        if (app_parse_id(word, &(*ids)[*n])) {
            (*n)++;
            continue;
        }
        free(*ids);
        *ids = NULL;
        *n = 0;
        return app_usage(app, "'%.100s' is not an id (a number such as 12, from magpie list)",
                         word);
    }
    return EXIT_DONE;
}

int app_ids_where(mp_app *app, const char *where, int64_t **ids, size_t *n)
{
    enum { PAGE = 1000 };
    int64_t after = 0;
    size_t cap = 0, got = PAGE;
    *ids = NULL;
    *n = 0;
    while (got == PAGE) {
        magpie_item **items;
        magpie_why why = {0};
        magpie_err err = magpie_list(app->library, where, after, PAGE, &items, &got, &why);
        if (err) {
            free(*ids);
            *ids = NULL;
            *n = 0;
            return app_fail(app, err, &why);
        }
        if (*n + got > cap) {
            cap = 2 * cap + PAGE;
            *ids = mp_xrealloc(*ids, cap * sizeof **ids);
        }
        for (size_t i = 0; i < got; i++)
            (*ids)[(*n)++] = after = items[i]->id;
        magpie_items_free(items, got);
    }
    return EXIT_DONE;
}

const char *app_label(const char *path, const char *name)
{
    return path && *path ? path : name;
}

void app_csv_label(const mp_app *app, FILE *to, mp_buf *out, const char *path, const char *name)
{
    const char *label = app_label(path, name);
    char *shown = to == stdout && app->out.tty ? app_escaped(label) : NULL;
    mp_pack_csv(out, shown ? shown : label);
    free(shown);
}
