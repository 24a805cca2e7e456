/* work_notify.c - jobs of type notification: one mail, or one signed webhook. See worker.h. */
#include "service/work.h"

#include "net/hook.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

mp_err mp_check_notify(const json_t *params, const mp_net_allow *allow, mp_why *why)
{

    static const mp_param list[] = {{"channel", JSON_STRING, true},  {"to", JSON_STRING, false},
                                    {"subject", JSON_STRING, false}, {"text", JSON_STRING, false},
                                    {"url", JSON_STRING, false},     {"secret", JSON_STRING, false},
                                    {"event", JSON_STRING, false},   {"data", JSON_OBJECT, false}};
    mp_err err = mp_work_params(params, list, MP_COUNT(list), why);
    if (err)
        return err;
    const char *channel = mp_work_text(params, "channel");
    if (strcmp(channel, "email") == 0)
        return *mp_work_text(params, "to") && *mp_work_text(params, "subject")
                   ? MP_OK
                   : mp_fail(why, MP_INVALID, "a mail needs params.to and params.subject");
    if (strcmp(channel, "webhook") != 0)
        return mp_fail(why, MP_INVALID, "params.channel must be email or webhook");
    if (!*mp_work_text(params, "url") || !*mp_work_text(params, "secret"))
        return mp_fail(why, MP_INVALID, "a webhook needs params.url and params.secret");
    return mp_net_check_url(mp_work_text(params, "url"), allow, why);
}

static mp_err send_mail(mp_worker *w, const json_t *params, mp_why *why)
{
    mp_mail mail = {.to = mp_work_text(params, "to"),
                    .subject = mp_work_text(params, "subject"),
                    .text = mp_work_text(params, "text")};
    if (!w->opt.mail.url)
        return mp_fail(why, MP_UNSUPPORTED, "no mail server is set (--smtp-url)");
    return mp_mail_send(&w->opt.mail, &mail, why);
}

/* The delivery is the job's number: a receiver that saw it twice can tell. */
static mp_err call_hook(mp_worker *w, mp_job_run *run, const json_t *params, mp_why *why)
{
    char delivery[32];
    mp_net_answer answer;
    const char *event = mp_work_text(params, "event"), *secret = mp_work_text(params, "secret");
    const json_t *data = json_object_get(params, "data");
    char *body = data ? json_dumps(data, JSON_COMPACT) : NULL;
    snprintf(delivery, sizeof delivery, "%lld", (long long)mp_job_of(run)->id);
    const char *text = body ? body : "{}";
    mp_hook hook = {.url = mp_work_text(params, "url"),
                    .secret = {(const uint8_t *)secret, strlen(secret)},
                    .event = *event ? event : "notification",
                    .delivery = delivery,
                    .body = {(const uint8_t *)text, strlen(text)},
                    .allow = w->opt.allow};
    mp_err err = mp_net_post(&hook, &answer, why);
    if (answer.status) /* else nobody did */
        mp_job_log(run, MP_LOG_INFO, "%s answered %d", hook.url, answer.status);
    free(body);
    /* Whoever is not there now may be later: the queue tries again. */
    return err == MP_NOT_FOUND || err == MP_UNSUPPORTED ? MP_IO : err;
}

mp_err mp_work_notify(mp_worker *w, mp_job_run *run, const json_t *params, json_t **result,
                      mp_why *why)
{
    mp_err err = mp_work_text(params, "channel")[0]
                     ? MP_OK
                     : mp_fail(why, MP_INVALID, "there is nothing to send");
    if (!err)
        err = strcmp(mp_work_text(params, "channel"), "email") == 0
                  ? send_mail(w, params, why)
                  : call_hook(w, run, params, why);
    if (!err)
        *result = json_pack("{s:s}", "status", "sent");
    return err;
}
