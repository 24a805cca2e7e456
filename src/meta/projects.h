/* projects.h - whose pictures they are: the part of the metadata port that holds projects, their
 * members and what of them somebody can reach. As durable as all of it; any thread. */
#ifndef MP_PROJECTS_H
#define MP_PROJECTS_H

#include "meta/meta.h"

typedef struct mp_project {
    int64_t id, owner_id; /* owner 0: nobody's */
    const char *name, *description;
    const char *config; /* a JSON object */
    const char *status; /* "active", "archived" */
    bool is_default;    /* its owner's: takes what names no other */
    int64_t created_ms, updated_ms;
    uint64_t assets;  /* of any type, not in the trash; in a list alone */
    const char *role; /* of who asks: "owner", "editor", "viewer", "" */
} mp_project;

/* id, updated_ms, assets and role are ignored; *id becomes the new one. EXISTS: the owner has one
 * of this name. */
MP_CHECK mp_err mp_meta_add_project(mp_meta *m, const mp_project *p, int64_t *id, mp_why *why);
/* user_id: whose role is told. Strings in `arena`. assets is 0: it is asked at each request that
 * names a project, and counting takes as long as there are assets. NOT_FOUND. */
MP_CHECK mp_err mp_meta_get_project(mp_meta *m, int64_t id, int64_t user_id, mp_arena *arena,
                                    mp_project *out, mp_why *why);
/* Of any type, not in the trash; 0 where there is no such project. */
MP_CHECK mp_err mp_meta_count_assets(mp_meta *m, int64_t project_id, uint64_t *out, mp_why *why);
MP_CHECK mp_err mp_meta_has_project(mp_meta *m, int64_t id, bool *out, mp_why *why);
/* By ascending id after `after`: the user's own and those shared with them, or all there are.
 * status NULL: any. */
MP_CHECK mp_err mp_meta_list_projects(mp_meta *m, int64_t user_id, bool all, const char *status,
                                      int64_t after, size_t limit, mp_arena *arena,
                                      mp_project **out, size_t *n, mp_why *why);
/* NULL leaves a text as it is. NOT_FOUND, EXISTS (the name; or it is a default project, which stays
 * active: it takes what names no other). */
MP_CHECK mp_err mp_meta_change_project(mp_meta *m, int64_t id, const char *name,
                                       const char *description, const char *config,
                                       const char *status, int64_t now_ms, mp_why *why);
/* EXISTS: it still holds assets (also in the trash) or products, or is its owner's default.
 * NOT_FOUND. */
MP_CHECK mp_err mp_meta_remove_project(mp_meta *m, int64_t id, mp_why *why);
/* The user's default project; made when there is none. */
MP_CHECK mp_err mp_meta_default_project(mp_meta *m, int64_t user_id, int64_t now_ms, int64_t *id,
                                        mp_why *why);
/* Gives a project that is nobody's to a user. NOT_FOUND: it is somebody's, or not there. */
MP_CHECK mp_err mp_meta_adopt_project(mp_meta *m, int64_t id, int64_t user_id, mp_why *why);

typedef struct mp_project_member {
    int64_t user_id;
    const char *username, *role; /* "viewer", "editor" */
} mp_project_member;
/* role "": no longer one. NOT_FOUND: no such project or user, or none to put out. */
MP_CHECK mp_err mp_meta_set_member(mp_meta *m, int64_t project_id, int64_t user_id,
                                   const char *role, mp_why *why);
MP_CHECK mp_err mp_meta_list_members(mp_meta *m, int64_t project_id, mp_arena *arena,
                                     mp_project_member **out, size_t *n, mp_why *why);

/* What a user can reach: ascending project ids, and which of them they may write to. In `arena`. */
typedef struct mp_reach {
    int64_t project_id;
    bool write;
} mp_reach;
MP_CHECK mp_err mp_meta_reach(mp_meta *m, int64_t user_id, mp_arena *arena, mp_reach **out,
                              size_t *n, mp_why *why);

#endif
