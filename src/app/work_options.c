/* work_options.c - see work_options.h. */
#include "app/work_options.h"

#include "app/fetch.h"

#include <stdlib.h>

static const char *given(const mp_app *app, int setting)
{
    const char *text = mp_settings_text(&app->settings, setting);
    return text && *text ? text : NULL;
}

void work_setup_read(mp_app *app, work_setup *out)
{
    *out = (work_setup){0};
    out->allow.n = mp_args_list(&app->args, "allow-fetch", &out->authorities);
    out->allow.authorities = out->authorities;
    out->options = (mp_worker_options){
        .library = app->library,
        .threads = (int)mp_args_int(&app->args, "job-threads", 2),
        .keep_days = mp_args_int(&app->args, "keep", 30),
        .allow = &out->allow,
        .fetch_model = fetch_job,
        .fetch_context = app,
        .mail = {.url = given(app, MP_SET_SMTP_URL),
                 .user = given(app, MP_SET_SMTP_USER),
                 .password = given(app, MP_SET_SMTP_PASSWORD),
                 .from = given(app, MP_SET_SMTP_FROM) ? given(app, MP_SET_SMTP_FROM)
                                                      : "magpie@localhost",
                 .require_tls = true},
    };
}

void work_setup_free(work_setup *s)
{
    free(s->authorities);
}

mp_err work_send_mail(void *context, const char *to, const char *subject, const char *text,
                      mp_why *why)
{
    const work_setup *s = context;
    mp_mail mail = {to, subject, text};
    return mp_mail_send(&s->options.mail, &mail, why);
}
