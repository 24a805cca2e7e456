/* audit.c - who did what, for administrators. */
#include "http/account.h"

static json_t *row_json(const mp_audit *a)
{
    json_t *target = a->target_id ? json_integer((json_int_t)a->target_id) : json_null();
    return json_pack("{s:I, s:I, s:I, s:o, s:s, s:s, s:s, s:s}", "id", (json_int_t)a->id, "at",
                     (json_int_t)(a->at_ms / 1000), "user_id", (json_int_t)a->user_id, "target_id",
                     target, "action", a->action, "detail", a->detail, "address", a->address,
                     "request_id", a->request_id);
}

static bool read_query(mp_request *r, mp_audit_query *q)
{
    enum { MOST = 1000, USUAL = 100 };
    static const int64_t MOST_S = INT64_MAX / 1000;
    int64_t limit;
    if (!mp_query_number(r, "before", 1, INT64_MAX, 0, &q->before) ||
        !mp_query_number(r, "limit", 1, MOST, USUAL, &limit) ||
        !mp_query_number(r, "user_id", 1, INT64_MAX, 0, &q->user_id) ||
        !mp_query_number(r, "from", 0, MOST_S, 0, &q->from_ms) ||
        !mp_query_number(r, "to", 1, MOST_S, 0, &q->to_ms))
        return false;
    q->limit = (size_t)limit;
    q->from_ms *= 1000;
    q->to_ms *= 1000;
    q->action = mp_request_query(r, "action");
    return true;
}

void mp_handle_audit(mp_request *r)
{
    mp_audit_query q = {0};
    mp_audit *list;
    size_t n;
    mp_why why = {0};
    if (!read_query(r, &q))
        return;
    mp_err err = mp_auth_audit(r->service->auth, &q, r->arena, &list, &n, &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return;
    }
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(rows, row_json(&list[i]));
    json_t *next = n == q.limit ? json_integer((json_int_t)list[n - 1].id) : json_null();
    mp_reply_json(r, 200, json_pack("{s:o, s:o}", "audit", rows, "next_before", next));
}
