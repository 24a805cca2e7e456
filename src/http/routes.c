/* routes.c - every path that the service answers. */
#include "http/route.h"

enum { JSON_BODY = 1024 * 1024 };

#define AT(m, p, h, ...)                                                                           \
    {                                                                                              \
        .method = MP_##m, .path = p, .handle = mp_handle_##h, __VA_ARGS__                          \
    }
#define QUICK     .slow = false /* on the thread that reads */
#define WORK      .slow = true
#define USER      .slow = true, .signed_in = true
#define MAY(what) .slow = true, .signed_in = true, .permission = what
#define PROBE     .rate = MP_RATE_NONE /* a monitor asks from one address for all */
#define JSON      .max_body = JSON_BODY
/* libmicrohttpd's limit of a gigabyte in all; one file has the library's limit. */
#define FILES .max_body = (size_t)1024 * 1024 * 1024, .spool = true

const mp_route mp_routes[] = {
    AT(GET, "/health", health, QUICK, PROBE),
    AT(GET, "/health/live", live, QUICK, PROBE),
    AT(GET, "/health/ready", ready, WORK, PROBE),
    AT(GET, "/health/dependencies", dependencies, WORK, PROBE),
    AT(GET, "/metrics", metrics, QUICK, PROBE),

    AT(POST, "/api/auth/setup", setup, WORK, JSON),
    AT(POST, "/api/auth/register", register, WORK, JSON),
    AT(POST, "/api/auth/login", login, WORK, JSON),
    AT(POST, "/api/auth/refresh", refresh, WORK, JSON),
    AT(POST, "/api/auth/logout", logout, USER, JSON),
    AT(GET, "/api/auth/me", me, USER),
    AT(GET, "/api/auth/sessions", sessions, USER),
    AT(DELETE, "/api/auth/sessions/{id}", end_session, USER),
    AT(POST, "/api/auth/password", password, USER, JSON),
    AT(POST, "/api/auth/password/forgot", forgot, WORK, JSON),
    AT(POST, "/api/auth/password/reset", reset, WORK, JSON),
    AT(POST, "/api/auth/keys/rotate", rotate, MAY("keys.write"), JSON),
    AT(GET, "/api/keys", list_keys, USER),
    AT(POST, "/api/keys", add_key, USER, JSON),
    AT(DELETE, "/api/keys/{id}", remove_key, USER),
    AT(GET, "/api/invites", list_invites, MAY("users.write")),
    AT(POST, "/api/invites", add_invite, MAY("users.write"), JSON),
    AT(DELETE, "/api/invites/{id}", remove_invite, MAY("users.write")),
    AT(GET, "/api/users", list_users, MAY("users.read")),
    AT(POST, "/api/users", add_user, MAY("users.write"), JSON),
    AT(GET, "/api/users/{id}", get_user, MAY("users.read")),
    AT(PATCH, "/api/users/{id}", change_user, MAY("users.write"), JSON),
    AT(DELETE, "/api/users/{id}", delete_user, MAY("users.write")),
    AT(GET, "/api/audit", audit, MAY("audit.read")),

    AT(GET, "/api/presign/upload", presign, MAY("assets.write")),
    AT(POST, "/api/presign/upload", presign, MAY("assets.write"), JSON),
    AT(PUT, "/api/uploads/{id}", put_upload, WORK, FILES, .admit = mp_admit_upload,
       .rate = MP_RATE_HIGH),
    AT(POST, "/api/images", add_images, MAY("assets.write"), FILES),
    AT(POST, "/api/images/ingest", ingest, MAY("assets.write"), JSON),
    AT(GET, "/api/images", list_images, MAY("assets.read")),
    AT(GET, "/api/images/{id}", get_image, MAY("assets.read")),
    AT(PATCH, "/api/images/{id}", change_image, MAY("assets.write"), JSON),
    AT(DELETE, "/api/images/{id}", delete_image, MAY("assets.write")),
    AT(GET, "/api/images/{id}/content", content, MAY("assets.read"), .linked = true),
    AT(GET, "/api/images/{id}/thumbnail", thumbnail, MAY("assets.read"), .linked = true),
    AT(POST, "/api/images/{id}/thumbnail", make_thumbnail, MAY("assets.write"), JSON),
    AT(POST, "/api/images/{id}/reindex", reindex_image, MAY("assets.write"), JSON),
    AT(GET, "/api/images/{id}/explain", explain, MAY("assets.read")),

    AT(POST, "/api/search/similar", similar, MAY("assets.read"), JSON),
    AT(POST, "/api/search/text", search_text, MAY("assets.read"), JSON),
    AT(POST, "/api/search", search, MAY("assets.read"), FILES),
    AT(POST, "/api/deduplicate", deduplicate, MAY("assets.read"), JSON),
    AT(POST, "/api/dedup/plans", make_plan, MAY("assets.write"), JSON),
    AT(GET, "/api/dedup/plans", list_plans, MAY("assets.read")),
    AT(GET, "/api/dedup/plans/{id}", get_plan, MAY("assets.read")),
    AT(DELETE, "/api/dedup/plans/{id}", drop_plan, MAY("assets.write")),
    AT(POST, "/api/dedup/plans/{id}/apply", apply_plan, MAY("assets.write"), JSON),
    AT(POST, "/api/dedup/plans/{id}/undo", undo_plan, MAY("assets.write"), JSON),
    AT(GET, "/api/qa/anomalies", anomalies, MAY("assets.read")),
    AT(GET, "/api/qa/quality", quality, MAY("assets.read")),
    AT(POST, "/api/feedback", feedback, MAY("assets.write"), JSON),
    AT(GET, "/api/feedback", list_feedback, MAY("assets.read")),
    AT(POST, "/api/verdicts", verdict, MAY("assets.write"), JSON),
    AT(GET, "/api/verdicts", list_verdicts, MAY("assets.read")),
    AT(GET, "/api/vectors/map", vectors_map, MAY("assets.read")),
    AT(GET, "/api/stats", stats, MAY("assets.read")),

    AT(POST, "/api/jobs", add_job, MAY("assets.write"), JSON),
    AT(GET, "/api/jobs", list_jobs, MAY("assets.read")),
    AT(POST, "/api/jobs/replay", replay_jobs, MAY("jobs.write"), JSON),
    AT(GET, "/api/jobs/{id}", get_job, MAY("assets.read")),
    AT(POST, "/api/jobs/{id}/cancel", cancel_job, MAY("assets.write"), JSON),
    AT(POST, "/api/jobs/{id}/retry", retry_job, MAY("assets.write"), JSON),
    AT(GET, "/api/jobs/{id}/logs", job_logs, MAY("assets.read")),
    AT(POST, "/api/exports", add_export, MAY("assets.read"), JSON),
    AT(GET, "/api/exports/{id}/content", export_content, MAY("assets.read"), .linked = true),
    AT(GET, "/api/events", events, MAY("assets.read")),
    AT(GET, "/api/analytics/daily", daily, MAY("assets.read")),
    AT(GET, "/api/schedules", list_schedules, MAY("jobs.read")),
    AT(PUT, "/api/schedules/{id}", put_schedule, MAY("jobs.write"), JSON),
    AT(DELETE, "/api/schedules/{id}", drop_schedule, MAY("jobs.write")),

    AT(GET, "/products", list_products, MAY("assets.read")),
    AT(POST, "/products", add_product, MAY("assets.write"), JSON),
    AT(POST, "/products/import", import_products, MAY("assets.write"), FILES,
       .max_file = (size_t)1024 * 1024 * 1024),
    AT(POST, "/products/index", index_products, MAY("assets.write"), JSON),
    AT(POST, "/products/reindex", reindex_products, MAY("assets.write"), JSON),
    AT(GET, "/products/{id}", get_product, MAY("assets.read")),
    AT(PUT, "/products/{id}", change_product, MAY("assets.write"), JSON),
    AT(PATCH, "/products/{id}", change_product, MAY("assets.write"), JSON),
    AT(DELETE, "/products/{id}", delete_product, MAY("assets.write")),
    AT(POST, "/products/{id}/image", product_image, MAY("assets.write"), FILES),
    AT(POST, "/products/{id}/index", index_product, MAY("assets.write"), JSON),
    AT(POST, "/search/text", product_text, MAY("assets.read"), JSON),
    AT(POST, "/search/image", product_picture, MAY("assets.read"), FILES),
    AT(GET, "/search/logs", search_logs, MAY("logs.read")),
    AT(GET, "/search/report", search_report, MAY("logs.read")),
};
const size_t mp_n_routes = MP_COUNT(mp_routes);
