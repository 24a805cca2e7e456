/* route.h - the table of what the service answers. Inside the http room. */
#ifndef MP_HTTP_ROUTE_H
#define MP_HTTP_ROUTE_H

#include "http/message.h"

/* Of whom a request counts, and how much of it is let through: rates.h. */
typedef enum mp_rate {
    MP_RATE_USUAL, /* signed in: the user; else the address */
    MP_RATE_HIGH,  /* the address, as signed links */
    MP_RATE_NONE   /* not at all */
} mp_rate;

struct mp_route {
    mp_method method;
    const char *path; /* "/api/images/{id}": a {name} takes one non-empty segment */
    void (*handle)(mp_request *r);
    size_t max_body;        /* bytes; 0: takes none */
    bool slow;              /* runs on a worker */
    bool brief;             /* the same, but not while it is quick: brief.h */
    bool signed_in;         /* 401 without a valid access token; only for slow or spooled ones */
    const char *permission; /* 403 for roles without it; NULL: none is needed */
    bool linked;            /* a signed link (links.h) lets in without a token */
    mp_rate rate;
    /* The body goes to files as it arrives (spool.h); who asks is looked up before it is read, and
     * `admit` (NULL: not needed) may refuse by the head with a reply. */
    bool spool;
    size_t max_file; /* of one file; 0: what a picture may have */
    bool (*admit)(mp_request *r);
};

extern const mp_route mp_routes[]; /* routes.c */
extern const size_t mp_n_routes;

/* Fills r->route and r->param. 200, 400 (a bad escape in the path), 404, or 405 with the methods
 * that are there in *allow (in the request's arena). */
int mp_route_find(mp_request *r, const char **allow);

/* ---- handlers, one file per resource ---- */
void mp_handle_health(mp_request *r); /* health.c */
void mp_handle_live(mp_request *r);
void mp_handle_ready(mp_request *r);
void mp_handle_dependencies(mp_request *r);
void mp_handle_metrics(mp_request *r); /* gauges.c */
void mp_handle_setup(mp_request *r);   /* auth.c */
void mp_handle_register(mp_request *r);
void mp_handle_ways(mp_request *r);
void mp_handle_login(mp_request *r);
void mp_handle_refresh(mp_request *r);
void mp_handle_logout(mp_request *r);
void mp_handle_me(mp_request *r);
void mp_handle_sessions(mp_request *r);
void mp_handle_end_session(mp_request *r);
void mp_handle_presign(mp_request *r); /* uploads.c */
void mp_handle_put_upload(mp_request *r);
bool mp_admit_upload(mp_request *r);
void mp_handle_add_images(mp_request *r);
void mp_handle_ingest(mp_request *r);      /* ingest.c */
void mp_handle_list_images(mp_request *r); /* images.c */
void mp_handle_get_image(mp_request *r);
void mp_handle_tag_images(mp_request *r); /* bulk.c */
void mp_handle_delete_images(mp_request *r);
void mp_handle_move_images(mp_request *r);
void mp_handle_metadata(mp_request *r); /* metadata.c */
void mp_handle_timeline(mp_request *r); /* timeline.c */
void mp_handle_cells(mp_request *r);
void mp_handle_some_cells(mp_request *r);
void mp_handle_folders(mp_request *r); /* folders.c */
void mp_handle_change_image(mp_request *r);
void mp_handle_delete_image(mp_request *r);
void mp_handle_content(mp_request *r);
void mp_handle_thumbnail(mp_request *r);
void mp_handle_make_thumbnail(mp_request *r);
void mp_handle_reindex_image(mp_request *r);
void mp_handle_explain(mp_request *r);
void mp_handle_similar(mp_request *r); /* search.c */
void mp_handle_search_text(mp_request *r);
void mp_handle_search(mp_request *r);
void mp_handle_copies(mp_request *r);       /* copies.c */
void mp_handle_deduplicate(mp_request *r);  /* dedup.c */
void mp_handle_get_clusters(mp_request *r); /* clusters.c */
void mp_handle_make_plan(mp_request *r);    /* plans.c */
void mp_handle_list_plans(mp_request *r);
void mp_handle_get_plan(mp_request *r);
void mp_handle_drop_plan(mp_request *r);
void mp_handle_apply_plan(mp_request *r);
void mp_handle_undo_plan(mp_request *r);
void mp_handle_anomalies(mp_request *r); /* qa.c */
void mp_handle_quality(mp_request *r);
void mp_handle_feedback(mp_request *r); /* verdicts.c */
void mp_handle_list_feedback(mp_request *r);
void mp_handle_verdict(mp_request *r);
void mp_handle_clear_verdict(mp_request *r);
void mp_handle_list_verdicts(mp_request *r);
void mp_handle_vectors_map(mp_request *r); /* map.c */
void mp_handle_map_colors(mp_request *r);  /* colors.c */
void mp_handle_stats(mp_request *r);       /* stats.c */
void mp_handle_openapi(mp_request *r);     /* docs.c */
void mp_handle_docs(mp_request *r);
void mp_handle_docs_file(mp_request *r);
void mp_handle_rotate(mp_request *r);
void mp_handle_password(mp_request *r); /* password.c */
void mp_handle_forgot(mp_request *r);
void mp_handle_reset(mp_request *r);
void mp_handle_list_keys(mp_request *r); /* api_keys.c */
void mp_handle_add_key(mp_request *r);
void mp_handle_remove_key(mp_request *r);
void mp_handle_list_invites(mp_request *r); /* invites.c */
void mp_handle_add_invite(mp_request *r);
void mp_handle_remove_invite(mp_request *r);
void mp_handle_list_users(mp_request *r); /* users.c */
void mp_handle_add_user(mp_request *r);
void mp_handle_get_user(mp_request *r);
void mp_handle_change_user(mp_request *r);
void mp_handle_delete_user(mp_request *r);
void mp_handle_audit(mp_request *r);    /* audit.c */
void mp_handle_settings(mp_request *r); /* settings.c */
void mp_handle_roles(mp_request *r);
void mp_handle_list_models(mp_request *r); /* models.c */
void mp_handle_use_model(mp_request *r);
void mp_handle_fetch_model(mp_request *r);
void mp_handle_add_job(mp_request *r); /* jobs.c */
void mp_handle_list_jobs(mp_request *r);
void mp_handle_replay_jobs(mp_request *r);
void mp_handle_get_job(mp_request *r);
void mp_handle_cancel_job(mp_request *r);
void mp_handle_retry_job(mp_request *r);
void mp_handle_job_logs(mp_request *r);   /* job_logs.c */
void mp_handle_add_export(mp_request *r); /* jobs.c */
void mp_handle_export_content(mp_request *r);
void mp_handle_events(mp_request *r); /* events.c */
void mp_handle_daily(mp_request *r);
void mp_handle_list_schedules(mp_request *r); /* schedules.c */
void mp_handle_put_schedule(mp_request *r);
void mp_handle_drop_schedule(mp_request *r);
void mp_handle_list_products(mp_request *r); /* product_list.c */
void mp_handle_add_product(mp_request *r);   /* products.c */
void mp_handle_get_product(mp_request *r);
void mp_handle_change_product(mp_request *r);
void mp_handle_delete_product(mp_request *r);
void mp_handle_product_image(mp_request *r); /* product_pictures.c */
void mp_handle_index_product(mp_request *r);
void mp_handle_index_products(mp_request *r);
void mp_handle_reindex_products(mp_request *r);
void mp_handle_import_products(mp_request *r); /* product_import.c */
void mp_handle_product_text(mp_request *r);    /* product_search.c */
void mp_handle_product_picture(mp_request *r);
void mp_handle_search_logs(mp_request *r); /* search_logs.c */
void mp_handle_search_report(mp_request *r);
void mp_handle_list_projects(mp_request *r); /* projects.c */
void mp_handle_add_project(mp_request *r);
void mp_handle_get_project(mp_request *r);
void mp_handle_change_project(mp_request *r);
void mp_handle_delete_project(mp_request *r);
void mp_handle_list_members(mp_request *r);
void mp_handle_put_member(mp_request *r);
void mp_handle_drop_member(mp_request *r);
void mp_handle_list_assets(mp_request *r); /* assets.c */
void mp_handle_add_assets(mp_request *r);
bool mp_admit_assets(mp_request *r);
void mp_handle_get_asset(mp_request *r);
void mp_handle_change_asset(mp_request *r);
void mp_handle_delete_asset(mp_request *r);
void mp_handle_asset_content(mp_request *r);
void mp_handle_diff(mp_request *r); /* versions.c */
void mp_handle_list_versions(mp_request *r);
void mp_handle_add_version(mp_request *r);
bool mp_admit_version(mp_request *r);
void mp_handle_version_content(mp_request *r);
void mp_handle_restore_version(mp_request *r);
void mp_handle_embed_image(mp_request *r); /* embed.c */
void mp_handle_embed_images(mp_request *r);
void mp_handle_embed_text(mp_request *r);

/* ---- who may ---- */
/* Fills r->user, r->session and r->scopes from an access token or an API key, and holds them
 * against the route's permission; false with the reply made. auth.c */
bool mp_request_authorize(mp_request *r);
/* May the user's role do that, and the key's scopes, if one asks? */
bool mp_request_may(const mp_request *r, const char *permission);

#endif
