/* core.h - the inside of an open library, shared by the files of this room alone.
 *
 * This room joins the ports: metadata (the truth), blobs, decoder, model, indexes (caches).
 * On disk, in the library's folder:
 *   magpie.db        metadata (SQLite)
 *   blobs/           originals/ab/<sha256>, thumbs/ab/<sha256>-256.webp
 *   index/           <model>-<space>.idx snapshots, always rebuildable
 *   trash/<plan>/    files that a duplicates plan moved away
 *   lock             flock'ed by whoever runs a long write; holds its pid as text
 *
 * Locks, in the order in which they may be taken: `writing` (one long write at a time in this
 * process; with it goes the flock against other processes), `engine` (opening of model and
 * decoder), a space's `mutex` (its index and what it has seen). The ports lock themselves. */
#ifndef MP_CORE_H
#define MP_CORE_H

#include "magpie.h"

#include "base/base.h"
#include "base/os.h"
#include "core/ports.h"
#include "image/decode.h"
#include "index/index.h"
#include "meta/meta.h"
#include "model/model.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

/* The public codes and texts are the internal ones under another name. */
_Static_assert((int)MP_INTERNAL == (int)MAGPIE_INTERNAL, "one table of codes");
_Static_assert((int)MP_CANCELLED == (int)MAGPIE_CANCELLED, "one table of codes");
_Static_assert(sizeof(mp_why) == sizeof(magpie_why), "mp_why and magpie_why are the same shape");
#define INNER(why) ((mp_why *)(void *)(why))
#define OUTER(err) ((magpie_err)(err))

/* The index of one space, and how far it follows the database. */
typedef struct space_index {
    pthread_mutex_t mutex; /* guards all below; held while catching up, not while searching */
    mp_index *index;       /* NULL until first used */
    mp_index **retired;    /* replaced indexes that a search may still hold; freed at close */
    size_t n_retired;
    mp_generation seen;
    uint64_t saved_stamp; /* of the snapshot on disk; 0 unknown */
    uint64_t others;      /* vectors of the same model with other weights, which are not in it */
} space_index;

/* Pictures that wait to be written together: see add_one.c. */
typedef struct mp_intake {
    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t news;   /* tickets are done, or nobody leads any more */
    pthread_cond_t more;   /* timed: a ticket came, or one that was expected will not */
    struct intake_ticket *first, *last;
    bool led;      /* a caller is writing what is here */
    int n_tickets; /* here */
    int expected;  /* pictures under analysis, whose tickets come next */
} mp_intake;

/* The items of a filter, as they were at a number of changes. */
typedef struct mp_chosen {
    char *where;
    int64_t changes;
    int64_t *ids; /* sorted */
    size_t n;
    bool everything; /* all items that are not in the trash */
    int holders;     /* guarded by chosen_mutex */
} mp_chosen;

/* See copies.h. */
struct mp_hash_book {
    pthread_mutex_t mutex; /* guards all below */
    mp_version_hash *row;  /* that were read so far, by rising version */
    size_t n, cap;
};

struct magpie {
    char path[PATH_MAX - 128]; /* absolute; leaves room for names below it */
    char models_dir[PATH_MAX];
    char decoder_path[PATH_MAX];
    bool read_only;
    int threads, decoders, wait_ms, decode_timeout_ms;
    int64_t max_pixels, max_bytes;
    int32_t max_side;
    bool half_vectors; /* in indexes */
    mp_precision_choice precision;

    mp_meta *meta;
    mp_blob *blobs;

    pthread_mutex_t writing;
    int lock_fd; /* -1 while not held; guarded by writing */

    pthread_mutex_t engine; /* guards the four below */
    /* NULL until needed. Another replaces it while `writing` and every space's mutex are held:
     * whoever holds one of them may compare with it. */
    mp_model *_Atomic model;
    mp_model **old_models; /* replaced ones, which others may be inside of; freed at close */
    size_t n_old_models;
    mp_decoder *decode;
    char model_id[64];         /* the library's current model */
    char model_sha256[65];     /* of its weights; "" until somebody asked */
    _Atomic uint64_t turn;     /* how often it was replaced */
    _Atomic int64_t looked_ms; /* when another process's switch was last looked for */

    space_index space[MP_SPACES];
    mp_intake intake;
    mp_cache *words; /* vectors of what was asked for in words */
    struct mp_hash_book hashes;

    pthread_mutex_t chosen_mutex; /* guards the two below */
    mp_chosen *chosen[8];
    size_t chosen_next; /* to be replaced */
};

/* ---- engine.c ---- */
/* The current model, opened when first needed; owned by m. */
MP_CHECK mp_err mp_core_model(magpie *m, mp_model **out, mp_why *why);
MP_CHECK mp_err mp_core_decoder(magpie *m, mp_decoder **out, mp_why *why);
/* The current model's id, also where it is not open. */
void mp_core_model_id(magpie *m, char out[64]);
/* Opens another model by id; the caller closes it. */
MP_CHECK mp_err mp_core_open_model(magpie *m, const char *id, mp_model **out, mp_why *why);
/* The space under whose name a space's vectors and index are kept: another one where they are the
 * same. */
mp_space mp_core_kept_as(const mp_model *model, mp_space space);
mp_vector_key mp_core_key(const mp_model *model, mp_space space);

/* Which pixels must be decoded for the spaces of `mask`: fills spec->view without repeats and
 * view_of[space] = position, or -1. */
void mp_core_views(const mp_model *model, uint32_t mask, mp_decode_spec *spec,
                   int view_of[MP_SPACES]);
/* The mask of picture spaces that are computed when a picture is added. */
uint32_t mp_core_eager_mask(const mp_model *model);

/* ---- switch.c ---- */
/* Was the library switched to another model by another process? Then this one follows. Looks at
 * most once in a second, and only where nobody writes: for the ways in that read. */
void mp_core_follow(magpie *m);
/* The same at once; `writing` is held. */
void mp_core_follow_locked(magpie *m);

/* ---- vectors.c ---- */
/* The index of a space, brought up to what the database holds now. *out stays valid until close.
 * `of`: the model whose vectors the caller has in hand, NULL: none, any will do. NOT_FOUND-free: an
 * empty library gives an empty index. UNSUPPORTED: the model has no such space; BUSY: `of` is not
 * the library's model any more. */
MP_CHECK mp_err mp_core_index(magpie *m, const mp_model *of, mp_space space,
                              magpie_progress_fn progress, void *context, mp_index **out,
                              mp_why *why);
/* The same of a model that need not be the library's, in `s`, which is empty at first; the mutex of
 * `s` is held, or nobody else knows of it. */
MP_CHECK mp_err mp_core_index_of(magpie *m, const mp_model *model, mp_space space, space_index *s,
                                 magpie_progress_fn progress, void *context, mp_why *why);
/* What `s` holds from now on; what it held is freed at close. The mutex of `s` is held. `from` is
 * left empty; NULL: nothing yet. */
void mp_core_replace_index(space_index *s, space_index *from);
void mp_core_free_index(space_index *s);
/* Writes snapshots of what is loaded and ahead of the disk. */
void mp_core_save_indexes(magpie *m);
/* Forgets the loaded indexes (they are retired, not freed). */
void mp_core_drop_indexes(magpie *m);
void mp_core_close_indexes(magpie *m);
/* Deletes the snapshot files of a model, so that its indexes are built from the database. */
void mp_core_forget_snapshots(magpie *m, const mp_model *model);
void mp_core_snapshot_path(const magpie *m, const mp_model *model, mp_space space, char *out,
                           size_t cap);
/* A throw-away index of the given items alone (sorted ids); the caller closes it. */
MP_CHECK mp_err mp_core_subset_index(magpie *m, mp_space space, const int64_t *ids, size_t n,
                                     mp_index **out, mp_why *why);
/* Loads a snapshot into a throw-away index: is it sound and of this model? */
MP_CHECK mp_err mp_core_check_snapshot(magpie *m, const mp_model_info *info, mp_space space,
                                       const char *path, mp_why *why);
/* ---- fill.c ---- */
/* Computes and stores the vectors of `space` that the items `ids` lack (or, `anew`, all of theirs)
 * from their pictures.
 * Pictures that cannot be read are left out (logged). Needs no write lock: a vector put is one
 * transaction and idempotent. */
MP_CHECK mp_err mp_core_fill_space(magpie *m, mp_model *model, mp_space space, const int64_t *ids,
                                   size_t n, bool anew, magpie_progress_fn progress, void *context,
                                   mp_why *why);
/* Stores the SENTENCE vector of an item's title, description and tags (zeros: it has no words).
 * Does nothing when the model has no such space. */
MP_CHECK mp_err mp_core_fill_sentences(magpie *m, mp_model *model, const int64_t *ids, size_t n,
                                       mp_why *why);

/* ---- models.c ---- */
/* One count over all that is done: each picture once for every space's vector, and, with `indexed`,
 * once for every index. Shown to fn, NULL: nobody. */
typedef struct mp_course {
    magpie_progress_fn fn;
    void *context;
    bool indexed;
    uint64_t base, whole;
} mp_course;
/* magpie_progress_fn; context is a mp_course. */
bool mp_course_progress(void *course, const magpie_progress *p);
/* Every eager vector that pictures lack, and the sentences of those that have words. */
MP_CHECK mp_err mp_core_fill_all(magpie *m, mp_model *model, mp_course *course, mp_why *why);

/* ---- pictures.c ---- */
/* Opens an item's original bytes: its blob, or any of its sources that still has these bytes' size.
 * Caller closes *fd. NOT_FOUND with the path in words. */
MP_CHECK mp_err mp_core_open_original(magpie *m, const mp_item *item, int *fd, mp_why *why);
void mp_core_thumb_key(const uint8_t sha256[32], int size_px, char out[96]);
/* Small picture (long side <= 256) of an item: from its thumbnail, made anew when absent. */
MP_CHECK mp_err mp_core_small(magpie *m, const mp_item *item, mp_image *out, mp_why *why);
/* Thumbnail bytes of an item; caller frees. */
MP_CHECK mp_err mp_core_thumbnail(magpie *m, const mp_item *item, int size_px, uint8_t **data,
                                  size_t *n, mp_why *why);

/* ---- choose.c ---- */
/* A filter from text, with INVALID in the caller's words. */
MP_CHECK mp_err mp_core_filter(const char *where, mp_arena *arena, const mp_filter **out,
                               mp_why *why);
/* Ids that match `where`, sorted; caller frees. */
MP_CHECK mp_err mp_core_ids(magpie *m, const char *where, int64_t **out, size_t *n, mp_why *why);
/* The same, shared and kept until the next change; where is not NULL. Give it back by
 * mp_core_release. */
MP_CHECK mp_err mp_core_choose(magpie *m, const char *where, mp_chosen **out, mp_why *why);
void mp_core_release(magpie *m, mp_chosen *set); /* NULL allowed */
void mp_core_forget_chosen(magpie *m);
/* What a picture's words are, for the SENTENCE space; "" if it has none. */
void mp_core_item_words(const mp_item *item, mp_buf *out);

/* ---- items.c ---- */
/* The rules for tags, titles and descriptions. INVALID. */
MP_CHECK mp_err mp_core_check_tag(const char *tag, mp_why *why);
MP_CHECK mp_err mp_core_check_words(const char *title, const char *description, mp_why *why);

/* ---- folder.c ---- */
enum { MP_FOLDER_BYTES = 512 };
/* What magpie_put says of `folder`; NULL allowed. */
void mp_core_clean_folder(const char *folder, char out[MP_FOLDER_BYTES + 1]);

/* ---- progress.c ---- */
/* A progress callback with its clock; polls at most every 100 ms. */
typedef struct mp_ticker {
    magpie_progress_fn fn;
    void *context;
    const char *stage;
    double began, last;
    bool stopped;
} mp_ticker;
mp_ticker mp_ticker_new(magpie_progress_fn fn, void *context, const char *stage);
/* True when the caller asked to stop (now or before). */
bool mp_ticker_poll(mp_ticker *t, uint64_t done, uint64_t total, uint64_t bytes);
/* The same behind the callback shape of index, dedup, odd and layout; context is a mp_ticker. */
bool mp_ticker_stop(void *ticker, size_t done, size_t total);

#endif
