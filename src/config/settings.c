/* settings.c - the table of settings, and where their values come from. See settings.h. */
#include "config/settings.h"

#include "base/os.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE = 1 << 20 };

const mp_option mp_setting_rows[MP_SETTINGS] = {
    [MP_SET_LIBRARY] = {.name = "library",
                        .letter = 'L',
                        .type = MP_OPT_PATH,
                        .value = "DIR",
                        .help = "The library's folder. Otherwise the nearest .magpie folder upward "
                                "from here, else ~/.local/share/magpie/library."},
    [MP_SET_MODELS] = {.name = "models",
                       .type = MP_OPT_PATH,
                       .value = "DIR",
                       .help = "Where models lie (default: ~/.local/share/magpie/models)."},
    [MP_SET_MODEL] = {.name = "model",
                      .type = MP_OPT_TEXT,
                      .value = "ID",
                      .help = "Model of a library that is made now: lite or builtin (default: lite "
                              "if it is installed)."},
    [MP_SET_DECODER] = {.name = "decoder",
                        .type = MP_OPT_PATH,
                        .value = "FILE",
                        .help = "The magpie binary that decodes pictures in a sandbox (default: "
                                "this one)."},
    [MP_SET_THREADS] = {.name = "threads",
                        .type = MP_OPT_INT,
                        .value = "N",
                        .fallback = "0",
                        .min = 0,
                        .max = 1024,
                        .help = "Threads for encoding and indexing; 0: all processors."},
    [MP_SET_DECODERS] = {.name = "decoders",
                         .type = MP_OPT_INT,
                         .value = "N",
                         .fallback = "0",
                         .min = 0,
                         .max = 256,
                         .help = "Decode processes; 0: as many as threads."},
    [MP_SET_LOCK_WAIT] = {.name = "lock-wait",
                          .type = MP_OPT_DURATION,
                          .value = "TIME",
                          .fallback = "5s",
                          .min = 0,
                          .max = 86400000,
                          .help = "How long to wait while another process writes to the library."},
    [MP_SET_DECODE_TIMEOUT] = {.name = "decode-timeout",
                               .type = MP_OPT_DURATION,
                               .value = "TIME",
                               .fallback = "10s",
                               .min = 100,
                               .max = 3600000,
                               .help = "How long one picture may take to decode."},
    [MP_SET_MAX_PIXELS] = {.name = "max-pixels",
                           .type = MP_OPT_INT,
                           .value = "N",
                           .fallback = "50000000",
                           .min = 1,
                           .max = 4e9,
                           .help = "Pictures with more pixels are refused."},
    [MP_SET_MAX_SIDE] = {.name = "max-side",
                         .type = MP_OPT_INT,
                         .value = "N",
                         .fallback = "16384",
                         .min = 1,
                         .max = 65535,
                         .help = "Pictures with a longer side are refused."},
    [MP_SET_MAX_BYTES] = {.name = "max-bytes",
                          .type = MP_OPT_SIZE,
                          .value = "SIZE",
                          .fallback = "25MiB",
                          .min = 1,
                          .max = 1e12,
                          .help = "Larger files are refused."},
    [MP_SET_COLOR] = {.name = "color",
                      .type = MP_OPT_CHOICE,
                      .value = "WHEN",
                      .choices = "auto|always|never",
                      .fallback = "auto",
                      .help = "Colours: auto means on a terminal and without NO_COLOR."},
    [MP_SET_SHARE] = {.name = "share",
                      .type = MP_OPT_PATH,
                      .value = "DIR",
                      .help = "Folder with lite_fetch.py (default: the installed one)."},
    [MP_SET_JWT_SECRET] = {.name = "jwt-secret",
                           .type = MP_OPT_TEXT,
                           .secret = true,
                           .value = "TEXT",
                           .help = "What serve signs access tokens with, at least 32 bytes; better "
                                   "in the environment or the file than as a flag, which others "
                                   "can see (default: keys that the library makes and rotates)."},
    [MP_SET_SMTP_URL] = {.name = "smtp-url",
                         .type = MP_OPT_TEXT,
                         .value = "URL",
                         .help = "The mail server for notifications and forgotten passwords: "
                                 "smtp://HOST:587 (which must offer TLS) or smtps://HOST:465 "
                                 "(default: none, no mail is sent)."},
    [MP_SET_SMTP_USER] = {.name = "smtp-user",
                          .type = MP_OPT_TEXT,
                          .value = "NAME",
                          .help = "Who signs in at the mail server."},
    [MP_SET_SMTP_PASSWORD] = {.name = "smtp-password",
                              .type = MP_OPT_TEXT,
                              .secret = true,
                              .value = "TEXT",
                              .help = "And the password for it."},
    [MP_SET_SMTP_FROM] = {.name = "smtp-from",
                          .type = MP_OPT_TEXT,
                          .value = "ADDRESS",
                          .fallback = "magpie@localhost",
                          .help = "Whom mails come from: a@example.org or Name <a@example.org>."},
    [MP_SET_EMBED_TOKEN] = {.name = "embed-token",
                            .type = MP_OPT_TEXT,
                            .secret = true,
                            .value = "TEXT",
                            .help = "What `magpie embed` wants as bearer token (default: nothing; "
                                    "it listens at this machine alone)."},
    [MP_SET_WEB] = {.name = "web",
                    .type = MP_OPT_PATH,
                    .value = "DIR",
                    .help = "Folder with the pages that serve shows (default: the installed one)."},
    [MP_SET_SERVER] = {.name = "server",
                       .type = MP_OPT_TEXT,
                       .value = "URL",
                       .help =
                           "A magpie service: upload, projects, assets and jobs speak to it, and "
                           "search and export ask it instead of a library here."},
    [MP_SET_TOKEN] = {.name = "token",
                      .type = MP_OPT_TEXT,
                      .secret = true,
                      .value = "TEXT",
                      .help = "Who asks there: an access token or an API key, from magpie login; "
                              "better in the environment or the file than as a flag, which others "
                              "can see."},
};

typedef struct loader {
    mp_settings *s;
    const char *home; /* for ~ in the file; NULL: none */
    mp_why *why;
} loader;

static const char *process_env(const char *name)
{
    return getenv(name);
}

static const char *nth_key(const void *context, size_t i)
{
    (void)context;
    return i < MP_SETTINGS ? mp_setting_rows[i].name : NULL;
}

/* ---- the file ---- */

static mp_str trim(mp_str s)
{
    while (s.n && isspace((unsigned char)*s.p)) {
        s.p++;
        s.n--;
    }
    while (s.n && isspace((unsigned char)s.p[s.n - 1]))
        s.n--;
    return s;
}

/* A value in quotes is taken as it is; else a " #" begins a comment. */
static mp_err read_value(mp_str s, mp_str *out, mp_why *why)
{
    s = trim(s);
    if (s.n && *s.p == '"') {
        const char *end = memchr(s.p + 1, '"', s.n - 1);
        mp_str rest = end ? trim((mp_str){end + 1, (size_t)(s.p + s.n - end - 1)}) : (mp_str){0};
        if (!end || (rest.n && *rest.p != '#'))
            return mp_fail(why, MP_INVALID, "the quotes are not closed");
        *out = (mp_str){s.p + 1, (size_t)(end - s.p - 1)};
        return MP_OK;
    }
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '#' && (i == 0 || isspace((unsigned char)s.p[i - 1])))
            s.n = i;
    *out = trim(s);
    return MP_OK;
}

static mp_err find_key(mp_str key, int *which, mp_why *why)
{
    char word[64];
    for (int i = 0; i < MP_SETTINGS; i++) {
        if (mp_str_eq(key, mp_str_of(mp_setting_rows[i].name))) {
            *which = i;
            return MP_OK;
        }
    }
    snprintf(word, sizeof word, "%.*s", (int)MP_MIN(key.n, sizeof word - 1), key.p);
    const char *near = mp_suggest(word, nth_key, NULL);
    return mp_fail(why, MP_INVALID, "no setting is called '%s'%s%s%s", word,
                   near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* The shell does this for flags and the environment, nobody for the file. */
static const char *keep_text(loader *l, const mp_option *o, mp_str value)
{
    mp_buf b = {0};
    bool tilde = o->type == MP_OPT_PATH && l->home && value.n > 1 && memcmp(value.p, "~/", 2) == 0;
    if (tilde)
        mp_buf_str(&b, l->home);
    mp_buf_add(&b, value.p + tilde, value.n - tilde);
    const char *text = mp_arena_strdup(l->s->arena, (mp_str){b.p, b.n});
    mp_buf_free(&b);
    return text;
}

static mp_err take_line(loader *l, mp_str line, int number)
{
    mp_why inner = {0};
    mp_str value = {0};
    int which = 0;
    line = trim(line);
    if (line.n == 0 || *line.p == '#')
        return MP_OK;
    const char *equals = memchr(line.p, '=', line.n);
    mp_err err;
    if (!equals || memchr(line.p, '\0', line.n))
        err = mp_fail(&inner, MP_INVALID, "a line should look like: key = value");
    else
        err = find_key(trim((mp_str){line.p, (size_t)(equals - line.p)}), &which, &inner);
    if (!err)
        err = read_value((mp_str){equals + 1, (size_t)(line.p + line.n - equals - 1)}, &value,
                         &inner);
    if (!err) {
        const char *text = keep_text(l, &mp_setting_rows[which], value);
        if (!text)
            return mp_fail(l->why, MP_NOMEM, "%s is too large", l->s->file);
        err = mp_option_parse(&mp_setting_rows[which], text, &l->s->value[which], &inner);
        l->s->origin[which] = MP_FROM_FILE;
        l->s->line[which] = number;
    }
    return err ? mp_fail(l->why, err, "%.300s:%d: %.180s", l->s->file, number, inner.text) : MP_OK;
}

static mp_err read_file(loader *l, bool named)
{
    uint8_t *data = NULL;
    size_t n = 0;
    mp_err err = mp_file_read(l->s->file, MAX_FILE, &data, &n, l->why);
    if (err == MP_NOT_FOUND && !named)
        return MP_OK;
    if (err)
        return err;
    l->s->file_read = true;
    size_t from = 0;
    for (int number = 1; !err && from < n; number++) {
        const uint8_t *end = memchr(data + from, '\n', n - from);
        size_t length = end ? (size_t)(end - data) - from : n - from;
        err = take_line(l, (mp_str){(const char *)data + from, length}, number);
        from += length + 1;
    }
    free(data);
    return err;
}

static bool find_file(loader *l, const mp_settings_sources *from)
{
    const mp_value *flag = from->args ? mp_args_get(from->args, "config") : NULL;
    const char *named = flag ? flag->text : from->env("MAGPIE_CONFIG");
    const char *config = from->env("XDG_CONFIG_HOME"), *home = from->env("HOME");
    char *out = l->s->file;
    size_t cap = sizeof l->s->file;
    if (named && *named)
        snprintf(out, cap, "%s", named);
    else if (config && *config == '/')
        snprintf(out, cap, "%s/magpie/magpie.conf", config);
    else if (home && *home == '/')
        snprintf(out, cap, "%s/.config/magpie/magpie.conf", home);
    return named && *named;
}

/* ---- environment and flags ---- */

static mp_err read_env(loader *l, const mp_settings_sources *from)
{
    for (int i = 0; i < MP_SETTINGS; i++) {
        char name[64];
        mp_why inner = {0};
        mp_option_env(&mp_setting_rows[i], name, sizeof name);
        const char *text = from->env(name);
        if (!text || !*text)
            continue;
        mp_err err = mp_option_parse(&mp_setting_rows[i], text, &l->s->value[i], &inner);
        if (err)
            return mp_fail(l->why, err, "%s: %s", name, inner.text);
        l->s->origin[i] = MP_FROM_ENV;
    }
    return MP_OK;
}

static void read_flags(mp_settings *s, const mp_args *args)
{
    for (int i = 0; i < MP_SETTINGS; i++) {
        for (size_t j = 0; j < args->n; j++) {
            if (args->arg[j].option != &mp_setting_rows[i])
                continue;
            s->value[i] = args->arg[j].value; /* checked when it was parsed */
            s->origin[i] = MP_FROM_FLAG;
        }
    }
}

mp_err mp_settings_load(mp_settings *out, const mp_settings_sources *from, mp_why *why)
{
    loader l = {.s = out, .why = why};
    mp_settings_sources source = *from;
    mp_err err = MP_OK;
    if (!source.env)
        source.env = process_env;
    l.home = source.env("HOME");
    *out = (mp_settings){.arena = mp_arena_new(MAX_FILE * 2)};
    for (int i = 0; !err && i < MP_SETTINGS; i++)
        if (mp_setting_rows[i].fallback)
            err = mp_option_parse(&mp_setting_rows[i], mp_setting_rows[i].fallback, &out->value[i],
                                  why);
    bool named = find_file(&l, &source);
    if (!err && *out->file)
        err = read_file(&l, named);
    if (!err)
        err = read_env(&l, &source);
    if (!err && source.args)
        read_flags(out, source.args);
    return err;
}

void mp_settings_free(mp_settings *s)
{
    mp_arena_free(s->arena);
    *s = (mp_settings){0};
}

const char *mp_settings_text(const mp_settings *s, mp_setting which)
{
    return s->value[which].text;
}

int64_t mp_settings_int(const mp_settings *s, mp_setting which)
{
    return s->value[which].integer;
}

void mp_settings_origin(const mp_settings *s, mp_setting which, char *out, size_t cap)
{
    const char *slash = strrchr(s->file, '/');
    switch (s->origin[which]) {
    case MP_FROM_FLAG:
        snprintf(out, cap, "flag");
        break;
    case MP_FROM_ENV:
        mp_option_env(&mp_setting_rows[which], out, cap);
        break;
    case MP_FROM_FILE:
        snprintf(out, cap, "%s:%d", slash ? slash + 1 : s->file, s->line[which]);
        break;
    case MP_FROM_DEFAULT:
        snprintf(out, cap, "default");
        break;
    }
}

const char *mp_settings_shown(const mp_settings *s, mp_setting which)
{
    const char *text = s->value[which].text;
    if (!text)
        return "";
    return mp_setting_rows[which].secret ? "(hidden)" : text;
}
