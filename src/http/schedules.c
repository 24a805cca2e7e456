/* schedules.c - jobs that come again: clean-ups and whatever an operator wants done each night. */
#include "http/body.h"
#include "http/items.h"
#include "http/jobs.h"
#include "http/server.h"

#include "base/os.h"
#include "core/ports.h"
#include "meta/jobs.h"
#include "service/secrets.h"
#include "service/worker.h"

#include <stdlib.h>
#include <string.h>

void mp_handle_list_schedules(mp_request *r)
{
    mp_schedule *list;
    size_t n;
    mp_why why = {0};
    mp_err err =
        mp_meta_list_schedules(mp_core_meta(r->service->library), r->arena, &list, &n, &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return;
    }
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(
            rows, json_pack("{s:s, s:s, s:o, s:I, s:o, s:b}", "name", list[i].name, "type",
                            list[i].type, "params", mp_job_params_json(list[i].params), "every_s",
                            (json_int_t)list[i].every_s, "next_at", mp_time_json(list[i].next_ms),
                            "enabled", (int)list[i].enabled));
    }
    mp_reply_json(r, 200, json_pack("{s:o}", "schedules", rows));
}

/* Secrets that are written as they are shown stay those of the schedule of this name. */
static mp_err keep_secrets(mp_request *r, json_t *params, mp_why *why)
{
    mp_schedule *list;
    size_t n;
    json_t *stored = NULL;
    mp_err err =
        mp_meta_list_schedules(mp_core_meta(r->service->library), r->arena, &list, &n, why);
    for (size_t i = 0; !err && i < n; i++)
        if (strcmp(list[i].name, r->param[0]) == 0)
            stored = json_loads(list[i].params, 0, NULL);
    if (!err)
        err = mp_secrets_keep(params, stored, why);
    json_decref(stored);
    return err;
}

void mp_handle_put_schedule(mp_request *r)
{
    static const mp_member members[] = {{"type", JSON_STRING, true, 1, 64},
                                        {"params", JSON_OBJECT, false, 0, 0},
                                        {"every_s", JSON_INTEGER, true, 60, 366.0 * 24 * 3600},
                                        {"enabled", JSON_TRUE, false, 0, 0}};
    mp_why why = {0};
    if (!mp_body_read(r, members, MP_COUNT(members)))
        return;
    json_t *params = json_object_get(r->json, "params");
    const json_t *enabled = json_object_get(r->json, "enabled");
    mp_err err = keep_secrets(r, params, &why);
    char *text = params ? json_dumps(params, JSON_COMPACT) : mp_xstrdup("{}");
    mp_schedule s = {.name = r->param[0],
                     .type = mp_body_text(r, "type"),
                     .params = text,
                     .every_s = json_integer_value(json_object_get(r->json, "every_s")),
                     .enabled = !enabled || json_is_true(enabled)};
    if (!err)
        err = mp_worker_check(s.type, text, r->service->allow, &why);
    if (!err)
        err = mp_meta_put_schedule(mp_core_meta(r->service->library), &s, mp_now_ms(), &why);
    free(text);
    if (err)
        mp_reply_failure(r, err, &why);
    else
        mp_handle_list_schedules(r);
}

void mp_handle_drop_schedule(mp_request *r)
{
    mp_why why = {0};
    mp_err err = mp_meta_drop_schedule(mp_core_meta(r->service->library), r->param[0], &why);
    if (err)
        mp_reply_failure(r, err, &why);
    else
        mp_reply_text(r, 204, NULL, (mp_str){0});
}
