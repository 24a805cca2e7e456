/* meta.h - the library's metadata: the truth about items, vectors, tags, verdicts and plans.
 *
 * Every change is one transaction that is durable when the call returns. Port: `sqlite` (WAL,
 * synchronous=FULL, migrations in db/sqlite, FTS5); a PostgreSQL back end fits behind the same ops.
 * Domain: project -> asset -> version; an *item* here is an asset of type image with its current
 * version. Ids are positive and never reused. Safe from any thread (one writer connection behind a
 * mutex, readers of their own) and from several processes (writers wait up to busy_ms, then
 * MP_BUSY). */
#ifndef MP_META_H
#define MP_META_H

#include "base/base.h"
#include "meta/filter.h"

typedef struct mp_meta mp_meta; /* opaque */

typedef struct mp_meta_options {
    bool create, read_only;
    int busy_ms;
} mp_meta_options;
/* url: "sqlite:/absolute/file". Runs migrations. Errors: NOT_FOUND, CORRUPT (not ours, damaged),
 * UNSUPPORTED (written by a newer version), BUSY, IO, FULL. */
MP_CHECK mp_err mp_meta_open(mp_meta **out, const char *url, const mp_meta_options *opt,
                             mp_why *why);
void mp_meta_close(mp_meta *m); /* NULL allowed */
/* Before the first open of a program that has the database library to itself: it need not count its
 * memory then, which takes a lock for each allocation. In somebody else's program that is not ours
 * to decide. */
void mp_meta_own_process(void);

/* What this thread reads until mp_meta_let_go it reads from one state of the store, whose locks are
 * taken once: for several small questions in a row. What is written meanwhile, also by this thread,
 * is not seen. A hold within a hold goes on with its state. Both are called for the same m by the
 * same thread; a hold that fails changes nothing but the cost. */
void mp_meta_hold(mp_meta *m);
void mp_meta_let_go(mp_meta *m);

/* How many connections to the store are open. */
size_t mp_meta_connections(mp_meta *m);

/* ---- key-value settings ("model", ...) ---- */
MP_CHECK mp_err mp_meta_get_setting(mp_meta *m, const char *key, char *out, size_t cap,
                                    mp_why *why); /* NOT_FOUND */
MP_CHECK mp_err mp_meta_set_setting(mp_meta *m, const char *key, const char *value, mp_why *why);

/* ---- items ---- */
typedef enum mp_item_state { MP_PRESENT = 0, MP_MISSING = 1, MP_TRASHED = 2 } mp_item_state;

typedef struct mp_item {
    int64_t id;
    int64_t project_id; /* when inserting: 0 is taken as 1, the first project */
    int64_t user_id;    /* who brought it; 0: nobody known */
    mp_item_state state;
    bool copied;
    const char *path; /* "" when it came as bytes; else absolute; unique among items' sources */
    const char *name, *title, *description;
    uint8_t sha256[32];
    const char *format;
    int32_t width, height, frames;
    int64_t bytes, mtime_ns, taken_ms, added_ms;
    uint64_t phash[8];
    float sharpness, brightness, contrast, entropy;
    uint32_t issues;
    const char *const *tags; /* sorted */
    size_t n_tags;
    const char
        *metadata;      /* when inserting: a JSON object, NULL: an empty one; not read (assets.h) */
    const char *folder; /* when inserting: that it was uploaded from, "a/b"; NULL: none; not read */
} mp_item;

/* A vector to store with an item. `data` is dims floats. model: "lite", sha256: its weights. */
typedef struct mp_vector {
    const char *model, *model_sha256, *space;
    int dims;
    const float *data;
} mp_vector;

/* One picture to record: item.id 0 inserts (and sets item.id); otherwise the item gets a new
 * version (path, bytes and analysis replaced, the name unless it is "", the vectors but that of its
 * words dropped, tags kept). Tags of `item` are added. */
typedef struct mp_put {
    mp_item item;
    const mp_vector *vectors;
    size_t n_vectors;
} mp_put;
/* All of a batch in one transaction. Errors: EXISTS (the path belongs to another item), FULL, IO,
 * BUSY. */
MP_CHECK mp_err mp_meta_put_items(mp_meta *m, mp_put *puts, size_t n, mp_why *why);

/* Strings and tags are placed in `arena`. */
MP_CHECK mp_err mp_meta_get_item(mp_meta *m, int64_t id, mp_arena *arena, mp_item *out,
                                 mp_why *why);
/* Whose it is, without reading the rest. NOT_FOUND. */
MP_CHECK mp_err mp_meta_get_item_project(mp_meta *m, int64_t id, int64_t *project_id, mp_why *why);
/* *out: array of n items in `arena`, in the order of ids; unknown ids have id 0. */
MP_CHECK mp_err mp_meta_get_items(mp_meta *m, const int64_t *ids, size_t n, mp_arena *arena,
                                  mp_item **out, mp_why *why);
/* A page by ascending id after `after`; filter NULL: all but trashed. limit 0: no limit. */
MP_CHECK mp_err mp_meta_list(mp_meta *m, const mp_filter *filter, int64_t after, size_t limit,
                             mp_arena *arena, mp_item **out, size_t *n, mp_why *why);
/* Pages in other orders, each after a mark: where the last page ended. */
typedef enum mp_page_order {
    MP_BY_ID,
    MP_BY_ADDED,
    MP_BY_DATE, /* EXIF, else the file's */
    MP_BY_SIZE, /* bytes */
    MP_BY_NAME
} mp_page_order;
typedef struct mp_page_mark {
    int64_t id, number; /* number: the value of any order but by name */
    const char *text;   /* the name */
} mp_page_mark;
typedef struct mp_page {
    mp_page_order order;
    bool descending;
    const mp_page_mark *after; /* NULL: the first page */
} mp_page;
MP_CHECK mp_err mp_meta_page(mp_meta *m, const mp_filter *filter, const mp_page *page, size_t limit,
                             mp_arena *arena, mp_item **out, size_t *n, mp_why *why);
/* Where a page that ends with this item goes on. */
mp_page_mark mp_meta_mark(const mp_item *item, mp_page_order order);
MP_CHECK mp_err mp_meta_count(mp_meta *m, const mp_filter *filter, uint64_t *out, mp_why *why);
/* What it takes to give a picture its place on a long page. */
typedef struct mp_cell {
    int64_t id, at_ms; /* at_ms: the value of the order */
    int32_t width, height;
} mp_cell;
/* All that match, in the order of mp_meta_page; by ADDED or DATE. page->after counts for nothing.
 * *out: caller frees. */
MP_CHECK mp_err mp_meta_cells(mp_meta *m, const mp_filter *filter, const mp_page *page,
                              mp_cell **out, size_t *n, mp_why *why);
/* One thing of every picture that matches, by rising id; *out: caller frees. */
typedef enum mp_column {
    MP_COLUMN_PROJECT, /* its number */
    MP_COLUMN_DATE,    /* ms: EXIF, else the file's */
    MP_COLUMN_ADDED,   /* ms */
    MP_COLUMN_SHARPNESS,
    MP_COLUMN_BRIGHTNESS,
    MP_COLUMN_CONTRAST,
    MP_COLUMN_ENTROPY
} mp_column;
typedef struct mp_item_value {
    int64_t id;
    double value;
} mp_item_value;
MP_CHECK mp_err mp_meta_column(mp_meta *m, const mp_filter *filter, mp_column column,
                               mp_item_value **out, size_t *n, mp_why *why);
/* The tag that tells most of every picture that matches: of the `most` most common tags among them
 * the rarest that it has. value: its position in *names (in `arena`, the most common first), -1
 * where it has none of them. */
MP_CHECK mp_err mp_meta_tag_column(mp_meta *m, const mp_filter *filter, size_t most,
                                   mp_arena *arena, const char *const **names, size_t *n_names,
                                   mp_item_value **out, size_t *n, mp_why *why);
/* Sorted ids that match; *out: caller frees. filter NULL: all but trashed. */
MP_CHECK mp_err mp_meta_ids(mp_meta *m, const mp_filter *filter, int64_t **out, size_t *n,
                            mp_why *why);
typedef struct mp_version_hash {
    int64_t version, item;
    uint64_t hash; /* of the picture as it stands: mp_item.phash[0] */
} mp_version_hash;
/* Of versions that are their items' current ones and came after this one (0: of all), by rising
 * version; *out: caller frees. */
MP_CHECK mp_err mp_meta_hashes_after(mp_meta *m, int64_t version, mp_version_hash **out, size_t *n,
                                     mp_why *why);
/* Item of this project that holds these bytes; 0 in *id when none (MP_OK). Trashed items are not
 * found. */
MP_CHECK mp_err mp_meta_find_sha256(mp_meta *m, int64_t project_id, const uint8_t sha256[32],
                                    int64_t *id, mp_why *why);
/* Does any version of anything, in whatever state, have these bytes? */
MP_CHECK mp_err mp_meta_uses_sha256(mp_meta *m, const uint8_t sha256[32], bool *out, mp_why *why);

/* A place where an item's bytes were seen. An item has one primary source (item.path) and may have
 * further ones (other paths with the same bytes). */
typedef struct mp_source {
    const char *path;
    int64_t item_id;
    int64_t bytes, mtime_ns;
    uint8_t sha256[32];
    bool missing;
    bool primary;
    int others;   /* further sources of the same item */
    bool trashed; /* its item is in the trash */
} mp_source;
/* NOT_FOUND when the path is unknown. */
MP_CHECK mp_err mp_meta_get_source(mp_meta *m, const char *path, mp_arena *arena, mp_source *out,
                                   mp_why *why);
/* Every source whose path is `folder` or lies below it, by path. */
MP_CHECK mp_err mp_meta_list_sources(mp_meta *m, const char *folder, mp_arena *arena,
                                     mp_source **out, size_t *n, mp_why *why);
/* Every further source that is there, of items that are neither in the trash nor copied into the
 * library: files with the same bytes as another. By item, then path. */
MP_CHECK mp_err mp_meta_list_spares(mp_meta *m, mp_arena *arena, mp_source **out, size_t *n,
                                    mp_why *why);
/* What a rescan found, one transaction: */
typedef enum mp_source_change_kind {
    MP_SOURCE_SEEN,  /* size/mtime noted anew (same bytes), missing cleared, item present */
    MP_SOURCE_EXTRA, /* path noted as a further source of item_id */
    MP_SOURCE_MOVED, /* item_id's primary source becomes path; the old one (old_path) is dropped */
    MP_SOURCE_MISSING, /* no file there now; when no source of the item is left, state = MISSING */
    MP_SOURCE_DROP     /* forget this path as a source */
} mp_source_change_kind;
typedef struct mp_source_change {
    mp_source_change_kind kind;
    const char *path, *old_path;
    int64_t item_id;
    int64_t bytes, mtime_ns;
} mp_source_change;
MP_CHECK mp_err mp_meta_change_sources(mp_meta *m, const mp_source_change *c, size_t n,
                                       mp_why *why);

/* ---- folders ---- */
/* That pictures come from, each with a slash before it: what `folder:` takes for exactly this one.
 * What was told with an upload is relative to nothing known: "a/b" is "/a/b" here. */
typedef struct mp_folder {
    const char *path;
    int64_t count; /* of pictures directly in it */
} mp_folder;
typedef struct mp_folders {
    const mp_folder *list; /* by path, what lies below one right behind it */
    size_t n;
    bool more; /* there are further ones */
} mp_folders;
/* Of what matches, at most `most`; in `arena`. files: also those of the paths where its bytes were
 * seen on this machine. The filter may ask for projects and states alone. */
MP_CHECK mp_err mp_meta_list_folders(mp_meta *m, const mp_filter *filter, bool files, size_t most,
                                     mp_arena *arena, mp_folders *out, mp_why *why);
/* Notes it where none was noted. */
MP_CHECK mp_err mp_meta_give_folder(mp_meta *m, int64_t id, const char *folder, mp_why *why);

/* Forgets items with everything that hangs on them. *removed (NULL allowed) counts. */
MP_CHECK mp_err mp_meta_remove(mp_meta *m, const int64_t *ids, size_t n, size_t *removed,
                               mp_why *why);
MP_CHECK mp_err mp_meta_tag(mp_meta *m, const int64_t *ids, size_t n, const char *const *add,
                            size_t n_add, const char *const *remove, size_t n_remove, mp_why *why);
/* NULL leaves a field; changes drop the item's "sentence" vectors. */
MP_CHECK mp_err mp_meta_describe(mp_meta *m, int64_t id, const char *title, const char *description,
                                 mp_why *why);
/* To another project, all of them or none. EXISTS: the project has the bytes of one of them. */
MP_CHECK mp_err mp_meta_move(mp_meta *m, const int64_t *ids, size_t n, int64_t project_id,
                             mp_why *why);
MP_CHECK mp_err mp_meta_set_state(mp_meta *m, const int64_t *ids, size_t n, mp_item_state state,
                                  mp_why *why);

/* ---- text: FTS5 over name, title, description, tags; bm25, porter + unicode61 ---- */
typedef struct mp_text_hit {
    int64_t id;
    float score; /* -bm25: larger is better, > 0 */
} mp_text_hit;
/* Any of the query's words (quotes and operators in it are only text), among the items that match
 * the filter (NULL: all but trashed). *out: caller frees. */
MP_CHECK mp_err mp_meta_search_text(mp_meta *m, const char *words, const mp_filter *filter,
                                    size_t limit, mp_text_hit **out, size_t *n, mp_why *why);

/* ---- vectors: the truth; indexes are caches of this ---- */
MP_CHECK mp_err mp_meta_put_vectors(mp_meta *m, const int64_t *ids, const mp_vector *vectors,
                                    size_t n, mp_why *why); /* one transaction; replaces */
typedef struct mp_vector_key {
    const char *model, *model_sha256, *space;
    int dims;
} mp_vector_key;
/* Streams vectors of one key, items in the trash left out, by ascending `seq` (a number that grows
 * with every stored vector), those with seq > after. fn returns true to stop. */
typedef bool (*mp_vector_fn)(void *context, int64_t id, int64_t seq, const float *data);
MP_CHECK mp_err mp_meta_each_vector(mp_meta *m, const mp_vector_key *key, int64_t after_seq,
                                    mp_vector_fn fn, void *context, mp_why *why);
/* n x dims floats in the order of ids, zeros where absent; out is the caller's. */
MP_CHECK mp_err mp_meta_get_vectors(mp_meta *m, const mp_vector_key *key, const int64_t *ids,
                                    size_t n, float *out, mp_why *why);
/* Sorted ids of items (not trashed) that lack a vector of this key; *out: caller frees. */
MP_CHECK mp_err mp_meta_lacking(mp_meta *m, const mp_vector_key *key, int64_t **out, size_t *n,
                                mp_why *why);
MP_CHECK mp_err mp_meta_drop_vectors(mp_meta *m, const char *model, mp_why *why);

/* Number that changes with every commit that touches items or vectors, also by another process:
 * an index compares it to know that it must catch up. removals changes when vectors were dropped
 * or items left (then a catch-up by seq is not enough and labels must be compared). */
typedef struct mp_generation {
    int64_t changes, removals, last_seq;
} mp_generation;
MP_CHECK mp_err mp_meta_generation(mp_meta *m, mp_generation *out, mp_why *why);

/* ---- verdicts ---- */
typedef struct mp_verdict {
    int kind;     /* magpie_verdict_kind */
    int64_t a, b; /* b 0 for one item */
    const char *note;
    int64_t at_ms;
} mp_verdict;
MP_CHECK mp_err mp_meta_set_verdict(mp_meta *m, const mp_verdict *v, mp_why *why);
/* Of a pair, or with b 0 of an item; notes stay. NOT_FOUND when nothing was said. */
MP_CHECK mp_err mp_meta_clear_verdict(mp_meta *m, int64_t a, int64_t b, mp_why *why);
MP_CHECK mp_err mp_meta_list_verdicts(mp_meta *m, mp_arena *arena, mp_verdict **out, size_t *n,
                                      mp_why *why);

/* ---- plans: a write-ahead journal of file moves ---- */
typedef enum mp_plan_state {
    MP_PLAN_DRAFT = 0,
    MP_PLAN_APPLYING,
    MP_PLAN_APPLIED,
    MP_PLAN_UNDOING,
    MP_PLAN_UNDONE
} mp_plan_state;
typedef enum mp_step_state { MP_STEP_PENDING = 0, MP_STEP_DONE, MP_STEP_SKIPPED } mp_step_state;
typedef struct mp_plan_step {
    int64_t item_id, keep_id;
    const char *from, *to; /* file paths; "" for copied items (only the state changes) */
    const char *merged;    /* JSON: what was merged into keep_id, so that undo can take it back */
    mp_step_state state;
} mp_plan_step;
/* A new plan in state APPLYING, or (*plan_id not 0) the draft of this number, which is no longer
 * one. NOT_FOUND: there is no such draft. */
MP_CHECK mp_err mp_meta_plan_begin(mp_meta *m, int64_t draft, const char *json,
                                   const mp_plan_step *steps, size_t n, int64_t *plan_id,
                                   mp_why *why);
/* One step's new state together with item state, in one transaction. */
MP_CHECK mp_err mp_meta_plan_step(mp_meta *m, int64_t plan_id, size_t step, mp_step_state state,
                                  mp_item_state item_state, mp_why *why);
MP_CHECK mp_err mp_meta_plan_set_state(mp_meta *m, int64_t plan_id, mp_plan_state s, mp_why *why);
MP_CHECK mp_err mp_meta_plan_draft(mp_meta *m, const char *json, int64_t user_id, int64_t *plan_id,
                                   mp_why *why);
/* NOT_FOUND: no draft is called so. */
MP_CHECK mp_err mp_meta_plan_drop(mp_meta *m, int64_t plan_id, mp_why *why);
typedef struct mp_plan_info {
    int64_t id, user_id, at_ms;
    mp_plan_state state;
    const char *json;
    size_t steps, done, skipped;
} mp_plan_info;
/* In `arena`. NOT_FOUND. */
MP_CHECK mp_err mp_meta_plan_info(mp_meta *m, int64_t plan_id, mp_arena *arena, mp_plan_info *out,
                                  mp_why *why);
/* The newest first, of one user or (0) of all, those before the id `before` (0: the newest). */
MP_CHECK mp_err mp_meta_list_plans(mp_meta *m, int64_t user_id, int64_t before, size_t limit,
                                   mp_arena *arena, mp_plan_info **out, size_t *n, mp_why *why);
/* plan_id 0: the newest plan in state s (s 0: any). NOT_FOUND. */
MP_CHECK mp_err mp_meta_plan_get(mp_meta *m, int64_t plan_id, mp_plan_state s, mp_arena *arena,
                                 int64_t *id, mp_plan_state *state, mp_plan_step **steps, size_t *n,
                                 mp_why *why);

/* ---- figures and health ---- */
typedef struct mp_meta_stats {
    uint64_t items, missing, trashed, copied, bytes, tags, verdicts, issues[5];
} mp_meta_stats;
MP_CHECK mp_err mp_meta_stats_get(mp_meta *m, mp_meta_stats *out, mp_why *why);
MP_CHECK mp_err mp_meta_count_vectors(mp_meta *m, const char *model, const char *space, uint64_t *n,
                                      mp_why *why);
/* Integrity check of the store itself and of its references; fn gets each problem as text. */
typedef void (*mp_meta_problem_fn)(void *context, int64_t item_id, const char *what);
MP_CHECK mp_err mp_meta_check(mp_meta *m, mp_meta_problem_fn fn, void *context, mp_why *why);

#endif
