/* cmd_serve.c - the library as a service over HTTP, until a signal ends it. */
#include "app/commands.h"
#include "app/stop.h"
#include "app/work_options.h"

#include "http/http.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const mp_option rows[] = {
    {.name = "address",
     .type = MP_OPT_TEXT,
     .value = "IP",
     .fallback = "127.0.0.1",
     .help = "The address to listen at; 0.0.0.0 or :: for all."},
    {.name = "port",
     .type = MP_OPT_INT,
     .value = "N",
     .fallback = "8080",
     .min = 0,
     .max = 65535,
     .help = "The port to listen at; 0 takes a free one and says which."},
    {.name = "http-threads",
     .type = MP_OPT_INT,
     .value = "N",
     .fallback = "2",
     .min = 1,
     .max = 64,
     .help = "Threads that read and write connections."},
    {.name = "registration",
     .type = MP_OPT_CHOICE,
     .value = "WHO",
     .fallback = "open",
     .choices = "open|invite|closed",
     .help = "Who can make an account for themselves: everybody, whoever an administrator invited, "
             "or nobody."},
    {.name = "no-worker",
     .type = MP_OPT_FLAG,
     .help = "Run no jobs in this process: a `magpie worker` does."},
    {.name = "reset-url",
     .type = MP_OPT_TEXT,
     .value = "URL",
     .help = "What stands before the token in a mail for a new password (default: the token "
             "alone)."},
    WORK_OPTION_ROWS,
    {.name = "drain",
     .type = MP_OPT_DURATION,
     .value = "TIME",
     .fallback = "30s",
     .min = 0,
     .max = 600000,
     .help = "How long requests under way may take after a signal to stop."},
};

static void tell_ready(mp_app *app, const mp_http *h, const char *address)
{
    bool v6 = strchr(address, ':') != NULL;
    if (app->json) {
        json_t *o = app_json(app);
        json_object_set_new(o, "event", json_string("ready"));
        json_object_set_new(o, "address", json_text(address));
        json_object_set_new(o, "port", json_integer(mp_http_port(h)));
        json_object_set_new(o, "setup_token", json_text(mp_http_setup_token(h)));
        app_json_print(o);
    } else if (!app->quiet) {
        printf("serving %s at http://%s%s%s:%d\n", magpie_path(app->library), v6 ? "[" : "",
               address, v6 ? "]" : "", mp_http_port(h));
        if (*mp_http_setup_token(h))
            printf("no account yet; the first, an administrator's, is made with this token, once:\n"
                   "  curl -H 'Content-Type: application/json' http://%s%s%s:%d/api/auth/setup \\\n"
                   "    -d '{\"setup_token\": \"%s\", \"username\": \"...\", \"password\": "
                   "\"...\"}'\n",
                   v6 ? "[" : "", address, v6 ? "]" : "", mp_http_port(h), mp_http_setup_token(h));
        app_note(app, PAINT_DIM, "Ctrl-C stops it");
    }
    fflush(stdout);
}

static mp_registration registration(const char *word)
{
    if (strcmp(word, "closed") == 0)
        return MP_REGISTRATION_CLOSED;
    return strcmp(word, "invite") == 0 ? MP_REGISTRATION_INVITE : MP_REGISTRATION_OPEN;
}

/* The setting, or the variable that many set for their services. */
static const char *jwt_secret(const mp_app *app)
{
    const char *own = mp_settings_text(&app->settings, MP_SET_JWT_SECRET);
    return own && *own ? own : getenv("JWT_SECRET");
}

typedef struct serving {
    mp_app *app;
    work_setup setup;
    mp_worker *worker;
    mp_http *_Atomic http; /* NULL until it is open: the worker begins before */
} serving;

static void note_job(void *context, const char *type, bool failed, double seconds)
{
    mp_http *h = atomic_load(&((serving *)context)->http);
    if (h)
        mp_http_note_job(h, type, failed, seconds);
}

static mp_err begin(serving *s, mp_why *why)
{
    mp_app *app = s->app;
    mp_http *h = NULL;
    mp_err err = MP_OK;
    work_setup_read(app, &s->setup);
    s->setup.options.on_job = note_job;
    s->setup.options.context = s;
    if (!mp_args_flag(&app->args, "no-worker"))
        err = mp_worker_open(&s->worker, &s->setup.options, why);
    const char *who = mp_args_text(&app->args, "registration", "open");
    mp_http_options o = {.address = mp_args_text(&app->args, "address", "127.0.0.1"),
                         .port = (int)mp_args_int(&app->args, "port", 8080),
                         .threads = (int)mp_args_int(&app->args, "http-threads", 2),
                         .registration = registration(who),
                         .jwt_secret = jwt_secret(app),
                         .send_mail = s->setup.options.mail.url ? work_send_mail : NULL,
                         .mail_context = &s->setup,
                         .reset_url = mp_args_text(&app->args, "reset-url", NULL),
                         .worker = s->worker,
                         .allow = &s->setup.allow,
                         .library = app->library};
    if (!err)
        err = mp_http_open(&h, &o, why);
    atomic_store(&s->http, h);
    return err;
}

/* Requests first: they may still add jobs. */
static void end(serving *s, int drain_ms)
{
    mp_http *h = atomic_load(&s->http);
    mp_why why = {0};
    if (h && !mp_http_drain(h, drain_ms))
        app_note(s->app, PAINT_WARN, "some requests were not finished in time");
    if (s->worker && mp_worker_drain(s->worker, drain_ms, &why)) {
        app_note(s->app, PAINT_WARN, "some jobs were not finished in time; they will be taken up");
        fflush(NULL);
        _exit(EXIT_DONE); /* a handler hangs: its lease runs out */
    }
    mp_http_close(h); /* its handlers wake the worker */
    mp_worker_close(s->worker);
    work_setup_free(&s->setup);
}

static int run(mp_app *app)
{
    serving s = {.app = app};
    mp_why why = {0};
    if (mp_args_operands(&app->args))
        return app_usage(app, "serve takes no operand");
    int code = app_open(app, APP_CREATE);
    if (code)
        return code;
    mp_err err = begin(&s, &why);
    if (err) {
        end(&s, 0);
        return app_fail_inner(app, err, &why);
    }
    tell_ready(app, atomic_load(&s.http), mp_args_text(&app->args, "address", "127.0.0.1"));
    while (!stop_asked())
        (void)poll(NULL, 0, 1000); /* a signal ends it */
    end(&s, (int)mp_args_int(&app->args, "drain", 30000));
    return EXIT_DONE;
}

const mp_command command_serve = {
    .name = "serve",
    .summary = "Answer over HTTP",
    .usage = "serve [--address IP] [--port N]",
    .about =
        "Serves the library until Ctrl-C or SIGTERM; requests under way are finished first. One "
        "line of JSON per request goes to standard error.\n"
        "Access tokens are signed with keys of the library's own, or with the setting jwt-secret "
        "(MAGPIE_JWT_SECRET, or JWT_SECRET where that is not set).\n"
        "  magpie serve --port 8080\n"
        "  curl http://127.0.0.1:8080/health",
    OPTIONS_OF(rows),
    .run = run,
};
