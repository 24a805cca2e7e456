/* search_logs.c - what people search for: the log, and what it comes to. */
#include "http/items.h"
#include "http/server.h"

#include "base/os.h"
#include "core/ports.h"

static const int64_t DAY_S = 24 * 3600;

void mp_handle_search_logs(mp_request *r)
{
    mp_search_log *list;
    size_t n;
    mp_why why = {0};
    long long before, limit;
    int64_t project;
    if (!mp_request_number(r, "cursor", 1, INT64_MAX, 0, &before) ||
        !mp_request_number(r, "limit", 1, 1000, 100, &limit) || !mp_query_project(r, &project))
        return;
    mp_query_log_flush(r->service->queries);
    mp_err err = mp_meta_list_search_logs(mp_core_meta(r->service->library), project, before,
                                          (size_t)limit, r->arena, &list, &n, &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return;
    }
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(
            rows, json_pack("{s:I, s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:I, s:o}", "id",
                            (json_int_t)list[i].id, "query_type", mp_query_type_word(list[i].type),
                            "query_text", list[i].text, "query_image_url", list[i].image_url,
                            "results_count", (json_int_t)list[i].results, "execution_time_ms",
                            (json_int_t)list[i].time_ms, "user_id", list[i].user_id, "session_id",
                            list[i].session_id, "project_id", (json_int_t)list[i].project_id,
                            "created_at", mp_time_json(list[i].created_ms)));
    const char *next =
        n == (size_t)limit ? mp_request_text(r, "%lld", (long long)list[n - 1].id) : NULL;
    mp_reply_json(r, 200, json_pack("{s:o, s:s?}", "logs", rows, "next_cursor", next));
}

static json_t *figures_json(const mp_query_figures *list, size_t n)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(rows, json_pack("{s:s, s:I, s:f, s:f, s:o}", "query", list[i].query,
                                              "count", (json_int_t)list[i].count, "mean_results",
                                              list[i].mean_results, "mean_ms", list[i].mean_ms,
                                              "last_at", mp_time_json(list[i].last_ms)));
    return rows;
}

void mp_handle_search_report(mp_request *r)
{
    mp_search_report report;
    mp_why why = {0};
    long long from, to, limit;
    int64_t project, now = mp_now_ms() / 1000;
    if (!mp_request_number(r, "from", 0, 4102444800, now - 30 * DAY_S, &from) ||
        !mp_request_number(r, "to", 0, 4102444800, now + 1, &to) ||
        !mp_request_number(r, "limit", 1, 1000, 50, &limit) || !mp_query_project(r, &project))
        return;
    mp_query_log_flush(r->service->queries);
    mp_search_report_options opt = {from * 1000, to * 1000, project, (size_t)limit};
    mp_err err =
        mp_meta_search_report(mp_core_meta(r->service->library), &opt, r->arena, &report, &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return;
    }
    json_t *types = json_object();
    for (int i = 0; i < MP_QUERY_TYPES; i++)
        json_object_set_new(
            types, mp_query_type_word((mp_query_type)i),
            json_pack("{s:I, s:I, s:f, s:I}", "count", (json_int_t)report.type[i].count, "empty",
                      (json_int_t)report.type[i].empty, "mean_ms", report.type[i].mean_ms, "p95_ms",
                      (json_int_t)report.type[i].p95_ms));
    mp_reply_json(r, 200,
                  json_pack("{s:o, s:o, s:o}", "top", figures_json(report.top, report.n_top),
                            "empty", figures_json(report.empty, report.n_empty), "types", types));
}
