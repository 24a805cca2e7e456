/* cmd_embed.c - the embedding service alone: a model behind HTTP, and no library. */
#include "app/commands.h"
#include "app/stop.h"

#include "http/http.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
     .fallback = "8000",
     .min = 0,
     .max = 65535,
     .help = "The port to listen at; 0 takes a free one and says which."},
    {.name = "drain",
     .type = MP_OPT_DURATION,
     .value = "TIME",
     .fallback = "30s",
     .min = 0,
     .max = 600000,
     .help = "How long requests under way may take after a signal to stop."},
    OPTION_PRINT_CONFIG,
};

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

/* The model wants a library to belong to: an empty one that goes with the process. */
static magpie_err open_scratch(mp_app *app, char *folder, size_t cap, magpie_why *why)
{
    char self[PATH_MAX];
    const char *tmp = getenv("TMPDIR");
    magpie_options o = app_options(app, self, sizeof self);
    snprintf(folder, cap, "%s/magpie-embed-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(folder)) {
        snprintf(why->text, sizeof why->text, "cannot make a folder in %s: %s",
                 tmp && *tmp ? tmp : "/tmp", strerror(errno));
        *folder = '\0';
        return MAGPIE_IO;
    }
    o.library = folder;
    o.create = true;
    return magpie_open(&app->library, &o, why);
}

static void tell_ready(mp_app *app, const mp_http *h, const char *address)
{
    if (app->json) {
        json_t *line = app_json(app);
        json_object_set_new(line, "event", json_string("ready"));
        json_object_set_new(line, "address", json_text(address));
        json_object_set_new(line, "port", json_integer(mp_http_port(h)));
        app_json_print(line);
    } else if (!app->quiet) {
        printf("embedding at http://%s:%d/embed/image\n", address, mp_http_port(h));
        app_note(app, PAINT_DIM, "Ctrl-C stops it");
    }
    fflush(stdout);
}

static int serve(mp_app *app)
{
    mp_http *h;
    mp_why why = {0};
    const char *token = mp_settings_text(&app->settings, MP_SET_EMBED_TOKEN);
    const char *address = mp_args_text(&app->args, "address", "127.0.0.1");
    mp_http_options o = {.address = address,
                         .port = (int)mp_args_int(&app->args, "port", 8000),
                         .registration = MP_REGISTRATION_CLOSED,
                         .embed_only = true,
                         .embed_token = token && *token ? token : NULL,
                         .library = app->library};
    mp_err err = mp_http_open(&h, &o, &why);
    if (err)
        return app_fail_inner(app, err, &why);
    tell_ready(app, h, address);
    while (!stop_asked())
        (void)poll(NULL, 0, 1000); /* a signal ends it */
    if (!mp_http_drain(h, (int)mp_args_int(&app->args, "drain", 30000)))
        app_note(app, PAINT_WARN, "some requests were not finished in time");
    mp_http_close(h);
    return EXIT_DONE;
}

static int run(mp_app *app)
{
    char folder[PATH_MAX];
    magpie_why why = {0};
    if (mp_args_operands(&app->args))
        return app_usage(app, "embed takes no operand");
    magpie_err err = open_scratch(app, folder, sizeof folder, &why);
    int code = err ? app_fail(app, err, &why) : serve(app);
    magpie_close(app->library);
    app->library = NULL;
    if (*folder)
        (void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return code;
}

const mp_command command_embed = {
    .name = "embed",
    .summary = "Make vectors of pictures and words over HTTP",
    .usage = "embed [--address IP] [--port N]",
    .about = "Serves POST /embed/image, /embed/images and /embed/text with the model, and nothing "
             "else: no library, no accounts. With the setting embed-token it answers only to who "
             "shows it as bearer token; without one keep it behind a closed door.\n"
             "  magpie embed --port 8000 &\n"
             "  curl -F file=@photo.jpg http://127.0.0.1:8000/embed/image",
    OPTIONS_OF(rows),
    .configured = true,
    .run = run,
};
