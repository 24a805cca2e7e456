/* cmd_serve.c - the library as a service over HTTP, until a signal ends it. */
#include "app/commands.h"
#include "app/print_config.h"
#include "app/stop.h"
#include "app/work_options.h"

#include "http/http.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const mp_option rows[] = {
    {.name = "address",
     .type = MP_OPT_TEXT,
     .value = "IP",
     .fallback = "127.0.0.1",
     .check = mp_http_check_address,
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
    {.name = "jwt-expiry",
     .type = MP_OPT_DURATION,
     .value = "TIME",
     .fallback = "15min",
     .min = 60000,
     .max = 86400000,
     .alias = {{.name = "JWT_EXPIRY"}},
     .help = "How long an access token is valid; then its session's refresh token gets another."},
    {.name = "no-worker",
     .type = MP_OPT_FLAG,
     .help = "Run no jobs in this process: a `magpie worker` does."},
    {.name = "reset-url",
     .type = MP_OPT_TEXT,
     .value = "URL",
     .help = "What stands before the token in a mail for a new password (default: the token "
             "alone)."},
    WORK_OPTION_ROWS,
    {.name = "tls-cert",
     .type = MP_OPT_PATH,
     .value = "FILE",
     .help = "The certificate in PEM, its chain behind it: HTTPS instead of HTTP. SIGHUP reads it "
             "and the key again."},
    {.name = "tls-key",
     .type = MP_OPT_PATH,
     .value = "FILE",
     .help = "The certificate's key in PEM, without a passphrase."},
    {.name = "cors",
     .type = MP_OPT_TEXT,
     .check = mp_http_check_origin,
     .many = true,
     .value = "ORIGIN",
     .help = "An origin whose pages may read answers: scheme://host[:port]. May be given often; "
             "* alone is every origin, without credentials."},
    {.name = "rate-limit",
     .type = MP_OPT_NUMBER,
     .value = "N",
     .fallback = "10",
     .min = 0,
     .max = 1000000,
     .help = "Requests per second that are answered to one user, API key or, before a login, "
             "address; signed links have ten times as many. 0: no limit. Health and metrics have "
             "none."},
    {.name = "rate-burst",
     .type = MP_OPT_INT,
     .value = "N",
     .fallback = "40",
     .min = 1,
     .max = 1000000,
     .help = "How many of them may come at once."},
    {.name = "connections-per-address",
     .type = MP_OPT_INT,
     .value = "N",
     .fallback = "200",
     .min = 0,
     .max = 100000,
     .help =
         "Connections that one address may have open at once; more are closed. 0: "
         "no limit, as it is with --trusted-proxy where this is not said: all clients share the "
         "proxy's."},
    {.name = "trusted-proxy",
     .type = MP_OPT_TEXT,
     .check = mp_http_check_proxy,
     .many = true,
     .value = "ADDRESS",
     .help = "An address or a network (10.0.0.0/8) whose X-Forwarded-For and X-Forwarded-Proto are "
             "believed. May be given often."},
    {.name = "dedup-at-once",
     .type = MP_OPT_INT,
     .value = "N",
     .fallback = "20000",
     .min = 0,
     .max = 1000000000,
     .help =
         "Duplicates among up to so many pictures are looked for while the request waits; among "
         "more, by a job."},
    {.name = "otlp-endpoint",
     .type = MP_OPT_URL,
     .schemes = "http://|https://",
     .alias = {{.name = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"},
               {"OTEL_EXPORTER_OTLP_ENDPOINT", "v1/traces"}},
     .value = "URL",
     .help = "Where an OpenTelemetry collector takes traces as JSON, such as "
             "http://127.0.0.1:4318/v1/traces."},
    {.name = "metrics",
     .type = MP_OPT_SWITCH,
     .value = "YES|NO",
     .fallback = "yes",
     .alias = {{.name = "PROMETHEUS_ENABLED"}},
     .help = "Whether /metrics is answered, or is not found."},
    {.name = "drain",
     .type = MP_OPT_DURATION,
     .value = "TIME",
     .fallback = "30s",
     .min = 0,
     .max = 600000,
     .help = "How long requests under way may take after a signal to stop."},
    {.name = "idle",
     .type = MP_OPT_DURATION,
     .value = "TIME",
     .fallback = "60s",
     .min = 1000,
     .max = 3600000,
     .help =
         "A connection that says nothing, or does not come to the end of its headers, is closed "
         "after this time."},
    OPTION_PRINT_CONFIG,
};

static volatile sig_atomic_t renewal_asked;

static void on_hangup(int number)
{
    (void)number;
    renewal_asked = 1;
}

/* Only with a certificate to renew; otherwise SIGHUP ends the service, as it ends other programs.
 */
static void take_hangups(void)
{
    struct sigaction act = {.sa_handler = on_hangup};
    sigemptyset(&act.sa_mask);
    sigaction(SIGHUP, &act, NULL);
}

static void renew_certificate(mp_app *app, mp_http *h)
{
    mp_why why = {0};
    renewal_asked = 0;
    if (mp_http_reload(h, &why))
        app_note(app, PAINT_WARN, "the certificate stays the old one: %s", why.text);
    else
        app_note(app, PAINT_DIM, "the certificate was read again");
}

/* Where the web app is, its page makes the first account; else a request does. */
static void tell_setup(const char *base, const char *token, const char *web_dir)
{
    char page[PATH_MAX];
    bool has_app = web_dir && snprintf(page, sizeof page, "%s/index.html", web_dir) < PATH_MAX &&
                   access(page, R_OK) == 0;
    if (has_app)
        printf("no account yet; the first, an administrator's, is made here, once:\n"
               "  %s/setup?token=%s\n",
               base, token);
    else
        printf("no account yet; the first, an administrator's, is made with this token, once:\n"
               "  curl -H 'Content-Type: application/json' %s/api/auth/setup \\\n"
               "    -d '{\"setup_token\": \"%s\", \"username\": \"...\", \"password\": "
               "\"...\"}'\n",
               base, token);
}

static void tell_ready(mp_app *app, const mp_http *h, const mp_http_options *o)
{
    bool v6 = strchr(o->address, ':') != NULL;
    const char *scheme = o->tls_cert ? "https" : "http";
    char base[300];
    snprintf(base, sizeof base, "%s://%s%s%s:%d", scheme, v6 ? "[" : "", o->address, v6 ? "]" : "",
             mp_http_port(h));
    if (app->json) {
        json_t *line = app_json(app);
        json_object_set_new(line, "event", json_string("ready"));
        json_object_set_new(line, "scheme", json_string(scheme));
        json_object_set_new(line, "address", json_text(o->address));
        json_object_set_new(line, "port", json_integer(mp_http_port(h)));
        json_object_set_new(line, "setup_token", json_text(mp_http_setup_token(h)));
        app_json_print(line);
    } else if (!app->quiet) {
        printf("serving %s at %s\n", magpie_path(app->library), base);
        if (*mp_http_setup_token(h))
            tell_setup(base, mp_http_setup_token(h), o->web_dir);
        app_note(app, PAINT_DIM, "Ctrl-C stops it");
    }
    fflush(stdout);
}

/* The folder that was named; else what was installed with this binary, or made beside its source.
 */
static const char *find_web(const mp_app *app, char *out, size_t cap)
{
    const char *named = mp_settings_text(&app->settings, MP_SET_WEB);
    char self[PATH_MAX];
    if (named)
        return named;
    if (!app_self(self, sizeof self))
        return MAGPIE_WEB_DIR;
    *strrchr(self, '/') = '\0';
    bool fits = snprintf(out, cap, "%s/../share/magpie/web", self) < (int)cap;
    return fits && access(out, X_OK) == 0 ? out : MAGPIE_WEB_DIR;
}

static mp_registration registration(const char *word)
{
    if (strcmp(word, "closed") == 0)
        return MP_REGISTRATION_CLOSED;
    return strcmp(word, "invite") == 0 ? MP_REGISTRATION_INVITE : MP_REGISTRATION_OPEN;
}

/* A thousand connections and their files are more than most shells let a program open at first. */
static void allow_many_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = MP_MIN(limit.rlim_max, (rlim_t)16384);
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

typedef struct serving {
    mp_app *app;
    mp_http_options options;
    work_setup setup;
    const char **origins, **proxies;
    char *settings;
    char web[PATH_MAX];
    mp_worker *worker;
    mp_http *_Atomic http; /* NULL until it is open: the worker begins before */
} serving;

static void note_job(void *context, const char *type, bool failed, double seconds)
{
    mp_http *h = atomic_load(&((serving *)context)->http);
    if (h)
        mp_http_note_job(h, type, failed, seconds);
}

static void read_options(serving *s)
{
    const mp_args *args = &s->app->args;
    s->options = (mp_http_options){
        .address = mp_args_text(args, "address", "127.0.0.1"),
        .port = (int)mp_args_int(args, "port", 8080),
        .threads = (int)mp_args_int(args, "http-threads", 2),
        .idle_s = (int)(mp_args_int(args, "idle", 60000) / 1000),
        .rate_per_s = mp_args_number(args, "rate-limit", 10),
        .rate_burst = (double)mp_args_int(args, "rate-burst", 40),
        .dedup_at_once = (uint64_t)mp_args_int(args, "dedup-at-once", 20000),
        .otlp = mp_args_text(args, "otlp-endpoint", NULL),
        .tls_cert = mp_args_text(args, "tls-cert", NULL),
        .tls_key = mp_args_text(args, "tls-key", NULL),
        .registration = registration(mp_args_text(args, "registration", "open")),
        .no_metrics = !mp_args_flag(args, "metrics"),
        .jwt_secret = mp_settings_text(&s->app->settings, MP_SET_JWT_SECRET),
        .access_s = (int)(mp_args_int(args, "jwt-expiry", 0) / 1000),
        .send_mail = s->setup.options.mail.url ? work_send_mail : NULL,
        .mail_context = &s->setup,
        .reset_url = mp_args_text(args, "reset-url", NULL),
        .web_dir = find_web(s->app, s->web, sizeof s->web),
        .worker = s->worker,
        .allow = &s->setup.allow,
        .settings = s->settings = settings_json(s->app),
        .library = s->app->library,
    };
    s->options.n_cors = mp_args_list(args, "cors", &s->origins);
    s->options.cors = s->origins;
    s->options.n_proxies = mp_args_list(args, "trusted-proxy", &s->proxies);
    s->options.proxies = s->proxies;
    bool shared = s->options.n_proxies && !mp_args_said(args, "connections-per-address");
    s->options.per_address = shared ? 0 : (int)mp_args_int(args, "connections-per-address", 200);
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
    read_options(s);
    if (!err)
        err = mp_http_open(&h, &s->options, why);
    atomic_store(&s->http, h);
    return err;
}

/* Requests first: they may still add jobs. code: of the process, should it have to end here. */
static void end(serving *s, int drain_ms, int code)
{
    mp_http *h = atomic_load(&s->http);
    mp_why why = {0};
    if (h && !mp_http_drain(h, drain_ms))
        app_note(s->app, PAINT_WARN, "some requests were not finished in time");
    if (s->worker && mp_worker_drain(s->worker, drain_ms, &why)) {
        app_note(s->app, PAINT_WARN, "some jobs were not finished in time; they will be taken up");
        fflush(NULL);
        _exit(code); /* a handler hangs: its lease runs out */
    }
    mp_http_close(h); /* its handlers wake the worker */
    mp_worker_close(s->worker);
    work_setup_free(&s->setup);
    free(s->settings);
    free(s->origins);
    free(s->proxies);
}

/* What the rows alone cannot say, before a library is made. */
static bool fit_together(const mp_args *args)
{
    return !mp_args_get(args, "tls-cert") == !mp_args_get(args, "tls-key");
}

static int run(mp_app *app)
{
    serving s = {.app = app};
    mp_why why = {0};
    if (mp_args_operands(&app->args))
        return app_usage(app, "serve takes no operand");
    if (!fit_together(&app->args))
        return app_usage(app, "tls-cert and tls-key, a certificate and its key, go together");
    int code = app_open(app, APP_CREATE);
    if (code)
        return code;
    allow_many_files();
    mp_err err = begin(&s, &why);
    if (err) {
        code = app_fail_inner(app, err, &why);
        end(&s, 5000, code);
        return code;
    }
    mp_http *h = atomic_load(&s.http);
    if (s.options.tls_cert)
        take_hangups();
    tell_ready(app, h, &s.options);
    while (!stop_asked()) {
        (void)poll(NULL, 0, 1000); /* a signal ends it */
        if (renewal_asked)
            renew_certificate(app, h);
    }
    end(&s, (int)mp_args_int(&app->args, "drain", 30000), EXIT_DONE);
    return EXIT_DONE;
}

const mp_command command_serve = {
    .name = "serve",
    .summary = "Answer over HTTP",
    .usage = "serve [--address IP] [--port N]",
    .about =
        "Serves the library until Ctrl-C or SIGTERM; requests under way are finished first. One "
        "line of JSON per request goes to standard error.\n"
        "Access tokens are signed with keys of the library's own, or with the setting "
        "jwt-secret.\n"
        "  magpie serve --port 8080\n"
        "  curl http://127.0.0.1:8080/health",
    OPTIONS_OF(rows),
    .configured = true,
    .run = run,
};
