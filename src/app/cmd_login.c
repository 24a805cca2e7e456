/* cmd_login.c - from a name and a password to a token, or to a key for machines. */
#include "app/commands.h"
#include "app/remote.h"
#include "app/stop.h"

#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { PASSWORD = 1024 };

static const mp_option rows[] = {
    {.name = "username",
     .letter = 'u',
     .type = MP_OPT_TEXT,
     .value = "NAME",
     .help = "Who signs in."},
    {.name = "make-key",
     .type = MP_OPT_TEXT,
     .value = "NAME",
     .help =
         "Make an API key of this name, which does not run out as tokens do; it is shown once."},
    {.name = "scopes",
     .type = MP_OPT_TEXT,
     .value = "WORDS",
     .fallback = "assets.read assets.write projects.read",
     .help = "What the key allows."},
};

/* ---- the password ---- */

/* Up to the end of the line; false: none, or one that is too long. */
static bool read_line(char out[PASSWORD])
{
    size_t n = 0;
    char c;
    ssize_t got;
    while ((got = read(STDIN_FILENO, &c, 1)) == 1 && c != '\n' && n + 1 < PASSWORD)
        out[n++] = c;
    if (n && out[n - 1] == '\r')
        n--;
    out[n] = '\0';
    return n > 0 && (got == 0 || (got == 1 && c == '\n'));
}

static bool ask(char out[PASSWORD])
{
    struct termios before, silent;
    bool tty = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0;
    if (!tty)
        return read_line(out);
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    fprintf(stderr, "Password: ");
    fflush(stderr);
    bool fine = read_line(out); /* a signal ends it, and the terminal is put right again */
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    fputc('\n', stderr);
    return fine;
}

static int read_password(mp_app *app, char out[PASSWORD])
{
    const char *given = getenv("MAGPIE_PASSWORD");
    if (given && *given && strlen(given) < PASSWORD) {
        strcpy(out, given);
        return EXIT_DONE;
    }
    if (ask(out))
        return EXIT_DONE;
    return stop_asked() ? EXIT_INTERRUPTED
                        : app_usage(app, "no password: it is asked for on a terminal, read from "
                                         "standard input, or MAGPIE_PASSWORD");
}

/* ---- signing in ---- */

static int sign_in(const remote *r, const char *name, json_t **out)
{
    char password[PASSWORD] = {0};
    int code = read_password(r->app, password);
    json_t *body = code ? NULL : json_object();
    if (!code) {
        json_object_set_new(body, "username", json_text(name));
        json_object_set_new(body, "password", json_text(password));
        code = remote_call(r, "POST", "/api/auth/login", body, out);
    }
    explicit_bzero(password, sizeof password);
    return code;
}

static json_t *scopes_of(const mp_app *app)
{
    json_t *list = json_array();
    const char *at = mp_args_text(&app->args, "scopes", rows[2].fallback);
    while (*(at += strspn(at, " ,"))) {
        size_t n = strcspn(at, " ,");
        json_array_append_new(list, json_stringn(at, n));
        at += n;
    }
    return list;
}

static int make_key(const remote *r, const char *name, json_t **key)
{
    json_t *body = json_object();
    json_object_set_new(body, "name", json_text(name));
    json_object_set_new(body, "scopes", scopes_of(r->app));
    int code = remote_call(r, "POST", "/api/keys", body, key);
    /* The session was for making the key alone. */
    int ended = remote_call(r, "POST", "/api/auth/logout", json_object(), NULL);
    return code ? code : ended;
}

/* ---- what came of it ---- */

/* What is printed is made for a shell's eval: a server that answers with something else than a
 * token gets no word into it. */
static bool is_token(const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=";
    return *text && !text[strspn(text, plain)];
}

static void print_use(const remote *r, const char *token)
{
    printf("export MAGPIE_SERVER='");
    for (const char *c = r->base; *c; c++)
        printf(*c == '\'' ? "'\\''" : "%c", *c);
    printf("'\nexport MAGPIE_TOKEN=%s\n", token);
}

static int no_token(const remote *r)
{
    mp_why why = {0};
    return remote_failed(r, mp_fail(&why, MP_IO, "the server's answer holds no token"), &why);
}

static void tell_token(const remote *r, const json_t *session)
{
    mp_app *app = r->app;
    const json_t *user = json_object_get(session, "user");
    char a[TEXT_SMALL], *name = app_escaped(remote_text(user, "username"));
    if (app->json) {
        json_t *o = app_json(app);
        json_object_set_new(o, "server", json_text(r->base));
        json_object_set_new(o, "username", json_text(remote_text(user, "username")));
        json_object_set_new(o, "role", json_text(remote_text(user, "role")));
        json_object_set_new(o, "token", json_text(remote_text(session, "token")));
        json_object_set_new(o, "expires_in", json_integer(remote_number(session, "expires_in")));
        app_json_print(o);
    } else {
        app_note(app, PAINT_NONE, "signed in as %s; the token is good for %s. To use it:", name,
                 text_span(a, (double)remote_number(session, "expires_in")));
        print_use(r, remote_text(session, "token"));
    }
    free(name);
}

static void tell_key(const remote *r, const json_t *session, const json_t *key)
{
    mp_app *app = r->app;
    if (app->json) {
        const json_t *user = json_object_get(session, "user");
        json_t *o = app_json(app);
        json_object_set_new(o, "server", json_text(r->base));
        json_object_set_new(o, "username", json_text(remote_text(user, "username")));
        json_object_set_new(o, "role", json_text(remote_text(user, "role")));
        json_object_set_new(o, "key", json_copy((json_t *)(uintptr_t)key));
        app_json_print(o);
        return;
    }
    app_note(app, PAINT_NONE, "made key #%lld; it is not shown again. To use it:",
             (long long)remote_number(key, "id"));
    print_use(r, remote_text(key, "key"));
}

static int with_key(remote *r, const json_t *session, const char *name)
{
    json_t *key = NULL;
    free(r->authorization);
    r->authorization = remote_path("Authorization: Bearer %s", remote_text(session, "token"));
    int code = make_key(r, name, &key);
    if (key && !is_token(remote_text(key, "key")))
        code = no_token(r);
    else if (key)
        tell_key(r, session, key);
    json_decref(key);
    return code;
}

static int run(mp_app *app)
{
    remote r = {0};
    json_t *session = NULL;
    const char *name = mp_args_text(&app->args, "username", NULL);
    const char *key = mp_args_text(&app->args, "make-key", NULL);
    int code = EXIT_DONE;
    if (!name || mp_args_operands(&app->args))
        return app_usage(app, "usage: magpie login --server URL --username NAME");
    code = remote_open(&r, app);
    if (!code && !r.authorization)
        remote_warn_plain(&r, "the password");
    free(r.authorization); /* an old token is no part of signing in */
    r.authorization = NULL;
    if (!code)
        code = sign_in(&r, name, &session);
    if (!code && !is_token(remote_text(session, "token")))
        code = no_token(&r);
    if (!code && key)
        code = with_key(&r, session, key);
    else if (!code)
        tell_token(&r, session);
    json_decref(session);
    remote_close(&r);
    return code;
}

const mp_command command_login = {
    .name = "login",
    .summary = "Sign in at a service",
    .usage = "login --server URL --username NAME [--make-key NAME [--scopes WORDS]]",
    .about =
        "Asks for the password on the terminal, without showing it; otherwise it is the first line "
        "of standard input, or MAGPIE_PASSWORD. Prints the two variables that the other commands "
        "read; nothing is kept on disk. A token runs out; a key (--make-key) stays until it is "
        "removed, and allows its scopes alone.\n"
        "  eval \"$(magpie login --server https://pictures.example.org --username ada)\"",
    OPTIONS_OF(rows),
    .run = run,
};
