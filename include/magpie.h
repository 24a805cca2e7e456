/* magpie.h - the whole public C API of libmagpie, and its manual.
 *
 * Magpie is an embeddable image engine. A *library* is a folder that remembers pictures: where they
 * are, what they look like (vectors, hashes, quality) and what people said of them. The pictures
 * themselves stay where they are (the default) or are copied in.
 *
 *     magpie *m;  magpie_why why;
 *     if (magpie_open(&m, NULL, &why)) { fprintf(stderr, "%s\n", why.text); return 1; }
 *     const char *paths[] = {"/home/ada/Pictures"};
 *     magpie_add(m, paths, 1, NULL, NULL, &why);
 *     magpie_term term = {.kind = MAGPIE_TEXT, .text = "a red bicycle", .weight = 1};
 *     magpie_query query = {.terms = &term, .n_terms = 1, .k = 10};
 *     magpie_hits *hits;
 *     magpie_search(m, &query, &hits, &why);
 *     for (size_t i = 0; i < hits->n; i++) printf("%.3f %s\n", hits->hit[i].score,
 * hits->hit[i].path); magpie_hits_free(hits);  magpie_close(m);
 *
 * Rules that hold for every function:
 *  - Returns MAGPIE_OK (0) or a magpie_err; `why` (NULL allowed) then holds one line of text for a
 *    person. On failure output pointers are set to NULL.
 *  - A `magpie *` may be used from any number of threads at once. Writers queue behind each other;
 *    searches run beside them and see each picture wholly or not at all.
 *  - What a function returns through an output pointer belongs to the caller, who frees it with the
 *    function named beside it. Strings inside belong to that object. Inputs are never kept.
 *  - All text is UTF-8. Paths are bytes as the system gives them; in reports, bytes that are not
 *    UTF-8 are replaced by U+FFFD.
 *  - Structs that the caller fills are zero-initialised first ({0}); zero means "the default".
 *  - A change is durable (it survives SIGKILL and power loss) when its function or, for
 *    magpie_add, its file event has reported it.
 */
#ifndef MAGPIE_H
#define MAGPIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MAGPIE_VERSION "0.1.0"

#if defined(__GNUC__)
#define MAGPIE_API __attribute__((visibility("default")))
#else
#define MAGPIE_API
#endif

/* ---- errors ---- */

typedef enum magpie_err {
    MAGPIE_OK = 0,
    MAGPIE_INVALID,     /* an argument or a filter is malformed */
    MAGPIE_NOT_FOUND,   /* no such library, item, file or model */
    MAGPIE_EXISTS,      /* it is there already */
    MAGPIE_UNSUPPORTED, /* not a picture we can read; the model cannot do this */
    MAGPIE_TOO_BIG,     /* over a limit (pixels, side, bytes) */
    MAGPIE_CORRUPT,     /* damaged picture, snapshot, database or weights */
    MAGPIE_IO,          /* the system refused a read or a write */
    MAGPIE_FULL,        /* no space left on the device; nothing was lost */
    MAGPIE_BUSY,        /* another process is writing to this library */
    MAGPIE_TIMEOUT,     /* a picture took longer than the decode deadline */
    MAGPIE_CANCELLED,   /* a callback asked to stop; finished work is kept */
    MAGPIE_NOMEM,
    MAGPIE_INTERNAL /* a bug: please report it */
} magpie_err;

typedef struct magpie_why {
    char text[512];
} magpie_why;

/* The stable lower-case word of a code ("not_found"). Static storage. */
MAGPIE_API const char *magpie_err_word(magpie_err err);
/* "0.1.0": of the library that is linked, which may differ from MAGPIE_VERSION. Static storage. */
MAGPIE_API const char *magpie_version(void);

/* ---- a library ---- */

typedef struct magpie magpie; /* opaque */

typedef struct magpie_options {
    const char *library;    /* the library's folder; NULL: see magpie_default_library */
    const char *models_dir; /* where models lie; NULL: $MAGPIE_MODELS, else
                               $XDG_DATA_HOME/magpie/models (~/.local/share/magpie/models) */
    const char *model;      /* for a new library: "lite", "builtin"; NULL: lite if installed */
    const char *decoder;    /* the `magpie` binary that runs as decode worker; NULL:
                               $MAGPIE_DECODER, else the installed one */
    bool require_model;     /* and a library that is there must use that one: else INVALID */
    bool create;            /* make the library if the folder holds none */
    bool read_only;         /* never writes: no catch-up, no snapshot, no thumbnails kept */
    int threads;            /* for encoding and indexing; 0: all processors */
    int decoders;           /* decode worker processes; 0: as many as threads */
    int wait_ms;           /* how long a write waits for another process's lock; 0: 5000; <0: not */
    int decode_timeout_ms; /* per picture; 0: 10000 */
    int64_t max_pixels;    /* 0: 50,000,000 */
    int32_t max_side;      /* 0: 16384 */
    int64_t max_bytes;     /* of one file; 0: 26,214,400 (25 MiB) */
    bool half_vectors;     /* indexes keep vectors as f16: half as much room on disk and in its
                              cache, coordinates rounded by 2^-11 of themselves. The database has
                              them in f32 either way */
    const char *precision; /* what models compute with: "f32", "int8" (8-bit products), or "auto":
                              these where they have been found good enough on this machine; NULL:
                              $MAGPIE_PRECISION, else auto */
} magpie_options;

/* Opens (or, with create, makes) a library. opt NULL: all defaults with create true.
 * *out: magpie_close. Errors: NOT_FOUND (no library there), CORRUPT (damaged database), IO, BUSY,
 * UNSUPPORTED (made by a newer version), INVALID (it uses another model). Starts no process and
 * reads no weights until they are needed. */
MAGPIE_API magpie_err magpie_open(magpie **out, const magpie_options *opt, magpie_why *why);
/* Writes index snapshots, stops the decode workers, frees. NULL allowed. No other thread may be
 * inside a call on m. */
MAGPIE_API void magpie_close(magpie *m);
/* The folder that magpie_open uses when opt->library is NULL: $MAGPIE_LIBRARY; else the nearest
 * folder upward from the working directory that holds `.magpie`; else
 * $XDG_DATA_HOME/magpie/library. Writes a NUL-terminated path of at most cap bytes.
 * Errors: TOO_BIG, NOT_FOUND (no home folder). */
MAGPIE_API magpie_err magpie_default_library(char *out, size_t cap, magpie_why *why);
/* The open library's folder, absolute. Owned by m. */
MAGPIE_API const char *magpie_path(const magpie *m);

/* ---- items ---- */

/* What is wrong with a picture as a picture: bits of magpie_item.issues. */
enum {
    MAGPIE_TOO_DARK = 1,
    MAGPIE_TOO_BRIGHT = 2,
    MAGPIE_BLURRED = 4,
    MAGPIE_BLANK = 8,
    MAGPIE_LOW_CONTRAST = 16
};
/* The word of one issue bit ("too_dark"), NULL for others. Static storage. */
MAGPIE_API const char *magpie_issue_word(uint32_t bit);

typedef enum magpie_state {
    MAGPIE_PRESENT = 0,
    MAGPIE_MISSING = 1, /* referenced, and the last look found no file at its path */
    MAGPIE_TRASHED = 2  /* moved to the trash by a plan; not searched */
} magpie_state;

typedef struct magpie_item {
    int64_t id;      /* positive; never used again after a delete */
    int64_t project; /* it belongs to; 1 is the first, there from the start */
    int64_t user;    /* who brought it, to a served library; else 0 */
    magpie_state state;
    bool copied;       /* the bytes are in the library */
    const char *path;  /* absolute path of the referenced file; "" if it came as bytes */
    const char *name;  /* file name or the name given */
    const char *title; /* "" if none */
    const char *description;
    const char *sha256;    /* of the bytes, lower-case hex */
    const char *format;    /* "jpeg", "png", "webp", "gif", "tiff", "avif", "heic", "ppm" */
    int32_t width, height; /* pixels, after EXIF orientation */
    int64_t bytes;
    int64_t mtime_ms; /* of the file when added; Unix epoch, ms */
    int64_t taken_ms; /* EXIF DateTimeOriginal taken as UTC; 0 if none */
    int64_t added_ms;
    uint64_t phash;   /* 64-bit DCT pHash */
    float sharpness;  /* variance of the Laplacian at 256 px, 0.. */
    float brightness; /* mean luma, 0..1 */
    float contrast;   /* standard deviation of luma, 0..1 */
    float entropy;    /* of the luma histogram, bits, 0..8 */
    uint32_t issues;  /* MAGPIE_TOO_DARK | ... */
    const char *const *tags;
    size_t n_tags;
} magpie_item;

/* *out: magpie_item_free. Errors: NOT_FOUND. */
MAGPIE_API magpie_err magpie_get(magpie *m, int64_t id, magpie_item **out, magpie_why *why);
MAGPIE_API void magpie_item_free(magpie_item *item); /* NULL allowed */

/* A page of items by ascending id: those after `after` (0: from the start), at most `limit`, that
 * match `where` (a filter, see below; NULL: all). *out is an array of *n; free with
 * magpie_items_free. The next page starts after the last id. Errors: INVALID (filter). */
MAGPIE_API magpie_err magpie_list(magpie *m, const char *where, int64_t after, size_t limit,
                                  magpie_item ***out, size_t *n, magpie_why *why);
MAGPIE_API void magpie_items_free(magpie_item **items, size_t n);

/* A filter is an expression over an item:
 *   tag:holiday  -tag:draft  folder:2024/rome  name:*.png  format:jpeg  size>200kb  width>=1920
 *   height<800  date>=2024-05  date:2024  added>2024-01-01  issue:blurred  state:missing  id:12
 *   project:holiday  project:3,5  product:yes  category:shoes  price<=49.90 (of products whose
 *   picture it is)
 * joined by AND (or a space), OR, NOT (or -), and parentheses. Values with spaces go in double
 * quotes. size takes b, kb, mb, gb (powers of 1024); dates are YYYY, YYYY-MM or YYYY-MM-DD and mean
 * EXIF date, else the file's time. folder matches a folder of that name or trailing path and all
 * that lies below, with a slash before it from the root alone: folder:/home/me/rome. What was told
 * as an item's folder when it was put counts like that of a path. Items in the trash never match
 * unless `state:trashed` asks for them. */

/* The original bytes, from the library or the referenced file. *data: magpie_free.
 * Errors: NOT_FOUND (no item, or the file is gone), CORRUPT (its SHA-256 changed), IO. */
MAGPIE_API magpie_err magpie_content(magpie *m, int64_t id, uint8_t **data, size_t *n,
                                     magpie_why *why);
/* The same as an open file, read-only and at its start; the caller closes *fd. Its SHA-256 is not
 * checked. */
MAGPIE_API magpie_err magpie_content_fd(magpie *m, int64_t id, int *fd, magpie_why *why);
/* A WebP picture with a long side of at most 256 or 1024 (never enlarged); made anew if absent.
 * *data: magpie_free. Errors: INVALID (size_px), NOT_FOUND, and those of a decode. */
MAGPIE_API magpie_err magpie_thumbnail(magpie *m, int64_t id, int size_px, uint8_t **data,
                                       size_t *n, magpie_why *why);
/* Makes both sizes anew from the original and keeps them. Errors as above; FULL, IO. */
MAGPIE_API magpie_err magpie_make_thumbnails(magpie *m, int64_t id, magpie_why *why);
MAGPIE_API void magpie_free(void *p); /* NULL allowed */

/* ---- adding ---- */

typedef enum magpie_outcome {
    MAGPIE_ADDED,     /* new; durable now */
    MAGPIE_UNCHANGED, /* known, same path, size, time (and content where that was read) */
    MAGPIE_KNOWN,     /* the same bytes are there under another path; that path is noted */
    MAGPIE_MOVED,     /* the same bytes; the old path is gone, the item now points here */
    MAGPIE_CHANGED,   /* same path, new bytes: analysed again */
    MAGPIE_VANISHED,  /* was under the folder, is no longer: marked missing */
    MAGPIE_SKIPPED,   /* not a picture (no known magic bytes) */
    MAGPIE_REFUSED    /* a picture that cannot be taken: see reason */
} magpie_outcome;
MAGPIE_API const char *magpie_outcome_word(magpie_outcome outcome);

typedef struct magpie_file_event {
    const char *path;
    magpie_outcome outcome;
    int64_t id;         /* 0 when SKIPPED or REFUSED */
    magpie_err err;     /* REFUSED: why, as a code */
    const char *reason; /* REFUSED or SKIPPED: why, in words; else "" */
} magpie_file_event;

typedef struct magpie_progress {
    const char *stage;    /* "scan", "add", "index", "compare", "layout", ... */
    uint64_t done, total; /* items; total 0 while unknown */
    uint64_t bytes;       /* read so far */
    double elapsed_s;
} magpie_progress;

/* Return true to stop: the call ends with MAGPIE_CANCELLED and keeps what is finished. Called from
 * the thread that made the call, at least every 200 ms while it works. */
typedef bool (*magpie_progress_fn)(void *context, const magpie_progress *p);
/* Called from the same thread, once per file, after the outcome is durable. */
typedef void (*magpie_file_fn)(void *context, const magpie_file_event *e);

typedef struct magpie_add_options {
    bool copy;       /* bring the bytes into the library */
    bool no_recurse; /* only the files directly in each folder */
    bool hidden;     /* enter names that begin with a dot, too */
    bool rehash;     /* read every file again, even when size and time are unchanged */
    const char *const *tags;
    size_t n_tags; /* put on every item added */
    magpie_progress_fn on_progress;
    magpie_file_fn on_file;
    void *context; /* for both */
} magpie_add_options;

typedef struct magpie_add_report {
    uint64_t outcomes[8]; /* by magpie_outcome */
    uint64_t bytes;       /* read */
    double elapsed_s;
} magpie_add_report;

/* Adds files and folders (walked; links to folders are not followed). A path that was given before
 * is looked at again: moved, changed and vanished files are noticed. Unreadable and broken files
 * are reported through on_file and counted, and do not fail the call. report may be NULL.
 * Errors: NOT_FOUND (a given path does not exist; the others are still done), CANCELLED, FULL, IO,
 * BUSY. */
MAGPIE_API magpie_err magpie_add(magpie *m, const char *const *paths, size_t n,
                                 const magpie_add_options *opt, magpie_add_report *report,
                                 magpie_why *why);
/* Adds one picture from memory (copied into the library). *id: of the new item, or of the one that
 * has these bytes already (*outcome KNOWN; outcome may be NULL). Errors: UNSUPPORTED, TOO_BIG,
 * CORRUPT, TIMEOUT, FULL, IO, BUSY. */
MAGPIE_API magpie_err magpie_add_bytes(magpie *m, const void *data, size_t n, const char *name,
                                       int64_t *id, magpie_outcome *outcome, magpie_why *why);

typedef struct magpie_put {
    const char *name;                /* needed; without slashes */
    const char *title, *description; /* NULL: none; limits as in magpie_describe */
    const char *const *tags;
    size_t n_tags;
    int64_t project; /* 0: the first */
    int64_t user;    /* noted with it; 0: nobody */
    /* An item that gets these bytes as a new version, analysed anew; the old version's bytes stay
     * until the item is removed. Name, words, tags, project and metadata stay the item's. 0: none.
     */
    int64_t replace;
    const char *metadata; /* a JSON object that is kept beside it; NULL: an empty one */
    /* Where it lay for whoever sent it, "holiday/rome", for `folder:`; NULL: not known. Made
     * relative, without "." and "..", control characters replaced, cut to whole names in 512 bytes;
     * at most 8192 are told. A picture that is known keeps the folder that it has. Of no meaning
     * with `replace`. */
    const char *folder;
    /* Not NULL: a picture that shows the same as one of the project is refused with EXISTS, and
     * that one put here. It is compared with what is there when it comes in; the same bytes are not
     * refused but KNOWN. Of no meaning with `replace`. */
    struct magpie_copy *refuse_copies;
    bool given; /* fd is a file without a name (O_TMPFILE) that nobody writes to again: in the
                   library's file system it becomes the copy itself */
} magpie_put;

/* The same for the regular file (or memory file) behind fd, from its start, which is not closed.
 * Bytes are compared within the project alone. With put->replace *outcome is CHANGED, or UNCHANGED
 * when the item has these bytes already. Many threads may add at once: they decode side by side and
 * what is finished at the same time is written together. Errors: those of magpie_add_bytes; INVALID
 * (name, words), NOT_FOUND (the project; the item to replace, or it is in the trash). */
MAGPIE_API magpie_err magpie_add_fd(magpie *m, int fd, const magpie_put *put, int64_t *id,
                                    magpie_outcome *outcome, magpie_why *why);
/* Forgets items: rows, vectors, thumbnails and copies. Referenced files are not touched.
 * Unknown ids are counted in *missing (NULL allowed), not an error. */
MAGPIE_API magpie_err magpie_remove(magpie *m, const int64_t *ids, size_t n, size_t *missing,
                                    magpie_why *why);
/* Adds and removes tags (1 to 64 bytes, no control characters or commas), all items or none.
 * Errors: NOT_FOUND, INVALID. */
MAGPIE_API magpie_err magpie_tag(magpie *m, const int64_t *ids, size_t n, const char *const *add,
                                 size_t n_add, const char *const *remove, size_t n_remove,
                                 magpie_why *why);
/* Sets the words that text search reads beside the picture. NULL leaves one as it is.
 * At most 512 and 8192 bytes. Errors: NOT_FOUND, INVALID. */
MAGPIE_API magpie_err magpie_describe(magpie *m, int64_t id, const char *title,
                                      const char *description, magpie_why *why);

/* ---- search ---- */

#define MAGPIE_TEXT_BYTES 8192 /* the most that a text of a term may have */

typedef enum magpie_term_kind {
    MAGPIE_TEXT = 1, /* text: words, 1 to MAGPIE_TEXT_BYTES of UTF-8. CLIP models compare pictures
                        with its first 75 tokens (about 50 words), lite with 254; the hits' note
                        tells where CLIP has left out something */
    MAGPIE_FILE,     /* text: path of a picture, not added */
    MAGPIE_BYTES,    /* data, n: an encoded picture */
    MAGPIE_ID,       /* id: an item */
    MAGPIE_VECTOR    /* vector: n floats in the model's look space, finite and not all zero;
                        normalised here. Nothing in it tells of which model it is: mixing models is
                        noticed by n alone */
} magpie_term_kind;

typedef struct magpie_term {
    magpie_term_kind kind;
    const char *text;
    const uint8_t *data;
    const float *vector;
    size_t n;
    int64_t id;
    float weight; /* 0 is taken as 1; negative: "not like this" */
} magpie_term;

typedef struct magpie_query {
    const magpie_term *terms;
    size_t n_terms;    /* 1 to 16 */
    const char *where; /* a filter, or NULL */
    size_t k;          /* 0: 20; skip + k is at most 10,000 */
    size_t skip;       /* of the best, those that were on earlier pages */
    float min_score;   /* 0: the model's calibrated floor; negative: no floor, everything */
    bool exact;        /* scan instead of the graph */
    bool bare;         /* path, name and item of the hits stay NULL: a third of the time */
} magpie_query;

typedef struct magpie_hit {
    int64_t id;
    float score;      /* what the list is ordered by; see magpie_hits.measure */
    float picture;    /* the visual part, cosine, or NAN if it played no part */
    float words;      /* the part of names, titles and tags, 0..1, or NAN */
    const char *path; /* as in magpie_item */
    const char *name;
    const char *reason;      /* "concepts: tabby cat, tiger cat", "name matches", "cosine 0.91" */
    const magpie_item *item; /* all of it */
} magpie_hit;

typedef struct magpie_hits {
    size_t n;
    const magpie_hit *hit; /* by falling score */
    bool more;             /* there is a next page */
    bool convincing;       /* false: nothing reached the floor, n is 0: "no good match" */
    float floor;           /* that was applied, on `score` */
    float standard;        /* the model's calibrated floor of this measure, applied or not */
    float best;            /* score of the best candidate, also when it was below the floor */
    const char *measure;   /* "cosine", "concept", "mixed", "text" */
    const char *note;      /* for a person: "the lite model does not know this concept", or "" */
    const char *model;     /* id */
} magpie_hits;

/* *out: magpie_hits_free. An item used as a term is not among its own hits. Errors: INVALID (why
 * says which rule; also when terms cancel each other out), NOT_FOUND (id, file), UNSUPPORTED, those
 * of a decode; NOT_FOUND and CORRUPT of the model when it is first needed. */
MAGPIE_API magpie_err magpie_search(magpie *m, const magpie_query *query, magpie_hits **out,
                                    magpie_why *why);
MAGPIE_API void magpie_hits_free(magpie_hits *hits);

/* ---- verdicts ---- */

typedef enum magpie_verdict_kind {
    MAGPIE_SAME = 1,  /* a and b show the same picture: always one group */
    MAGPIE_DIFFERENT, /* a and b are not: never one group (a cannot-link) */
    MAGPIE_NORMAL,    /* a belongs here: not reported as odd again */
    MAGPIE_ANOMALY,   /* a does not belong */
    MAGPIE_NOTE       /* a remark on a */
} magpie_verdict_kind;

typedef struct magpie_verdict {
    magpie_verdict_kind kind;
    int64_t a, b;     /* b 0 where the kind has one item only; a < b is kept */
    const char *note; /* "" if none */
    int64_t at_ms;
} magpie_verdict;

/* Records what a person said; a later verdict on the same pair or item replaces the earlier one of
 * SAME/DIFFERENT or NORMAL/ANOMALY. Errors: NOT_FOUND, INVALID. */
MAGPIE_API magpie_err magpie_verdict_set(magpie *m, magpie_verdict_kind kind, int64_t a, int64_t b,
                                         const char *note, magpie_why *why);
/* Takes back SAME/DIFFERENT of a pair, or with b 0 NORMAL/ANOMALY of an item: as if nothing had
 * been said. Notes stay. Errors: NOT_FOUND (nothing was said). */
MAGPIE_API magpie_err magpie_verdict_clear(magpie *m, int64_t a, int64_t b, magpie_why *why);
/* Every verdict, oldest first. *out: magpie_free (one block, strings inside). */
MAGPIE_API magpie_err magpie_verdicts(magpie *m, magpie_verdict **out, size_t *n, magpie_why *why);

/* ---- duplicates ---- */

typedef enum magpie_dupe_kind {
    MAGPIE_SAME_PICTURE = 1, /* the same picture, re-encoded, resized, cropped, turned, ... */
    MAGPIE_SIMILAR           /* looks alike by vector */
} magpie_dupe_kind;

typedef struct magpie_dupe_options {
    magpie_dupe_kind kind; /* 0: SAME_PICTURE */
    const char *where;
    float threshold; /* 0: the calibrated one; else the least link score in a group, 0..1 */
    magpie_progress_fn on_progress;
    void *context;
} magpie_dupe_options;

/* Files with the same bytes are one item: each file is a member of its own, with the same id. */
typedef struct magpie_member {
    int64_t id;
    const char *path, *name;
    int32_t width, height;
    int64_t bytes;
    bool keep;          /* the suggestion: exactly one per group */
    float score;        /* link to the member that is kept, 0..1 (1 for itself) */
    const char *reason; /* keep: "largest, 1920x1080"; others: "crop of #12", "re-encoded" */
} magpie_member;

typedef struct magpie_group {
    const magpie_member *member; /* the one to keep first */
    size_t n;
    float weakest; /* the weakest link that holds the group together, 0..1 */
    int64_t weakest_a, weakest_b;
    int64_t bytes_saved; /* if only `keep` stays */
} magpie_group;

typedef struct magpie_groups {
    const magpie_group *group; /* by falling bytes_saved */
    size_t n;
    magpie_dupe_kind kind;
    float threshold;               /* that was applied */
    size_t not_compared;           /* pictures that could not be read: copies of them may lack */
    const char *not_compared_text; /* why not, of the first of them; "" when there are none */
} magpie_groups;

/* *out: magpie_groups_free. Errors: INVALID, CANCELLED. */
MAGPIE_API magpie_err magpie_duplicates(magpie *m, const magpie_dupe_options *opt,
                                        magpie_groups **out, magpie_why *why);
MAGPIE_API void magpie_groups_free(magpie_groups *groups);

typedef struct magpie_comparison {
    float same;           /* how sure it is that they show the same picture, 0..1 */
    float threshold;      /* of `same`, from which on they count as one */
    const char *relation; /* "exact", "recoded", "turned", "cropped", "framed", "tilted"; "" below
                             the threshold. Static storage. */
    float cosine;         /* of their look vectors; NAN if one has none */
    int phash_distance;   /* bits, the least over the eight symmetries of the square */
    bool same_bytes;
} magpie_comparison;

/* Lays b on a and compares. png (NULL: not wanted): a with what differs overlaid, on a fixed scale,
 * long side 512; free it with magpie_free. Errors: NOT_FOUND, and those of a decode. */
MAGPIE_API magpie_err magpie_compare(magpie *m, int64_t a, int64_t b, magpie_comparison *out,
                                     uint8_t **png, size_t *n, magpie_why *why);

/* A picture of the library that shows the same as another one. */
typedef struct magpie_copy {
    int64_t id;
    float score;          /* as magpie_comparison.same; at least its threshold */
    const char *relation; /* as magpie_comparison.relation */
} magpie_copy;

/* The copies of one picture (MAGPIE_FILE, MAGPIE_BYTES, MAGPIE_ID: itself left out) among the items
 * that match `where` (NULL: all), best first, at most 20: by its hashes, its vector and a
 * comparison of the pictures themselves, as in magpie_duplicates. *out (NULL for none):
 * magpie_free. Errors: INVALID (another kind, a filter), NOT_FOUND, and those of a decode. */
MAGPIE_API magpie_err magpie_copies(magpie *m, const magpie_term *term, const char *where,
                                    magpie_copy **out, size_t *n, magpie_why *why);

/* Writes a plan: a JSON file that a person can read and edit; for each group, which item to keep
 * and which to trash, with sizes and SHA-256s as they were. Errors: IO, FULL. */
MAGPIE_API magpie_err magpie_plan_write(magpie *m, const magpie_groups *groups, const char *path,
                                        magpie_why *why);

typedef struct magpie_plan_report {
    int64_t plan_id;                 /* for magpie_plan_undo; 0 on a dry run */
    size_t groups, trashed, skipped; /* skipped: changed since, missing, or already gone */
    int64_t bytes;                   /* of the trashed files */
} magpie_plan_report;

typedef void (*magpie_plan_fn)(void *context, int64_t id, const char *path, const char *what);

/* Applies a plan: merges tags (and title and description where the kept one has none) into the kept
 * item, moves the others' files to the trash area (in the library's folder, or beside the file on
 * another file system), and marks them trashed; of files with the same bytes, which are one item,
 * the spare ones go. dry_run: reports and changes nothing. Every step is
 * journalled first: after a crash, the next open finishes it or takes it back. A file whose bytes
 * are no longer those of the plan is skipped. on_step may be NULL.
 * Errors: NOT_FOUND, CORRUPT (not a plan), INVALID, FULL, IO. */
MAGPIE_API magpie_err magpie_plan_apply(magpie *m, const char *path, bool dry_run,
                                        magpie_plan_fn on_step, void *context,
                                        magpie_plan_report *report, magpie_why *why);
/* Puts everything back as it was: files, states, tags. plan_id 0: the last applied one. A file
 * whose place is taken meanwhile is left in the trash and counted in skipped. Errors: NOT_FOUND,
 * IO. */
MAGPIE_API magpie_err magpie_plan_undo(magpie *m, int64_t plan_id, magpie_plan_fn on_step,
                                       void *context, magpie_plan_report *report, magpie_why *why);

/* One decision: this one stays, those go. */
typedef struct magpie_choice {
    int64_t keep;
    const int64_t *trash;
    size_t n;
} magpie_choice;

/* Keeps a plan in the library, to be looked at and applied later. user: noted with it. *bytes: of
 * the files that would go. Errors: NOT_FOUND, INVALID. */
MAGPIE_API magpie_err magpie_plan_draft(magpie *m, const magpie_choice *choices, size_t n,
                                        int64_t user, int64_t *plan_id, int64_t *bytes,
                                        magpie_why *why);
/* Applies a draft, as magpie_plan_apply. Errors: those; EXISTS: it was applied before. */
MAGPIE_API magpie_err magpie_plan_apply_draft(magpie *m, int64_t plan_id, magpie_plan_fn on_step,
                                              void *context, magpie_plan_report *report,
                                              magpie_why *why);

/* ---- odd ones ---- */

typedef struct magpie_odd_options {
    const char *where;   /* which items to judge; NULL: all (but the normals) */
    const char *normals; /* a filter that chooses the normal ones; NULL: each against all others */
    double alpha;        /* false-alarm rate for `flagged`; 0: 0.05 */
    size_t limit;        /* 0: all judged items are returned */
    magpie_progress_fn on_progress;
    void *context;
} magpie_odd_options;

typedef struct magpie_odd {
    int64_t id;
    const char *path, *name;
    float score;   /* larger is odder; the scale is the method's */
    float nearest; /* 1 - cosine of the nearest other (or normal) one: the plain score */
    double p;      /* conformal p-value, 0..1 */
    bool flagged;  /* p <= alpha */
} magpie_odd;

typedef struct magpie_odds {
    const magpie_odd *odd; /* oddest first */
    size_t n, n_flagged, n_normals;
    double alpha;
    const char *method; /* "knn", "mahalanobis+knn": which made `score` */
} magpie_odds;

/* *out: magpie_odds_free. Errors: INVALID (filter; too few items: at least 8 normals, or 3 in
 * all), CANCELLED. */
MAGPIE_API magpie_err magpie_odd_ones(magpie *m, const magpie_odd_options *opt, magpie_odds **out,
                                      magpie_why *why);
MAGPIE_API void magpie_odds_free(magpie_odds *odds);
/* A PNG of the picture with the odd regions overlaid (from patch features of the model; fixed
 * scale), long side at most 512. normals as above. *data: magpie_free. */
MAGPIE_API magpie_err magpie_heatmap(magpie *m, int64_t id, const char *normals, uint8_t **data,
                                     size_t *n, magpie_why *why);

/* ---- map ---- */

typedef struct magpie_map_options {
    int dims;           /* 2 or 3; 0: 2 */
    bool pca;           /* the quick way instead of UMAP */
    int neighbours;     /* UMAP; 0: 15 */
    float min_distance; /* UMAP; 0: 0.1 */
    uint64_t seed;      /* same seed, same items: same layout */
    const char *where;
    magpie_progress_fn on_progress;
    void *context;
} magpie_map_options;

typedef struct magpie_point {
    int64_t id;
    float x, y, z;
} magpie_point;

/* *out: magpie_free. Coordinates are centred and scaled to [-1, 1]. Errors: INVALID, CANCELLED. */
MAGPIE_API magpie_err magpie_map(magpie *m, const magpie_map_options *opt, magpie_point **out,
                                 size_t *n, magpie_why *why);

/* ---- models ---- */

typedef struct magpie_model_info {
    const char *id;     /* "lite", "builtin" */
    const char *sha256; /* of its weights; of its description for builtin */
    const char *about;  /* one line */
    const char *licence;
    int dims;       /* of the look space */
    bool installed; /* its files are there and whole */
    bool current;   /* this library uses it */
    uint64_t items; /* that have vectors of it */
} magpie_model_info;

/* *out: magpie_free (one block). */
MAGPIE_API magpie_err magpie_models(magpie *m, magpie_model_info **out, size_t *n, magpie_why *why);
/* Switches the library to another installed model: computes every missing vector and a second
 * index first, then switches at once; a stop half-way keeps the old one and a rerun goes on.
 * Vectors of the old model stay, so that switching back is quick. Errors: NOT_FOUND, CANCELLED. */
MAGPIE_API magpie_err magpie_use_model(magpie *m, const char *id, magpie_progress_fn on_progress,
                                       void *context, magpie_why *why);
/* Computes what is missing (vectors of the current model, thumbnails) and builds the index anew.
 * all: every vector again. */
MAGPIE_API magpie_err magpie_reindex(magpie *m, bool all, magpie_progress_fn on_progress,
                                     void *context, magpie_why *why);
/* Computes every vector of these items again from their originals and words, and replaces the ones
 * there are. Errors: NOT_FOUND, and those of a decode; BUSY, FULL, IO. */
MAGPIE_API magpie_err magpie_reindex_items(magpie *m, const int64_t *ids, size_t n,
                                           magpie_why *why);
/* Vectors of items in the look space, L2-normalised: *out has n x *dims floats, row i of ids[i],
 * zeros where an item has none. *out: magpie_free. */
MAGPIE_API magpie_err magpie_vectors(magpie *m, const int64_t *ids, size_t n, float **out,
                                     int *dims, magpie_why *why);

typedef enum magpie_space {
    MAGPIE_LOOK = 0, /* how a picture looks: what similarity is measured in */
    MAGPIE_WORD      /* where words and pictures meet; with CLIP the same as LOOK */
} magpie_space;

/* Vectors of pictures or words that are not in the library: terms of the kinds FILE, BYTES or TEXT
 * (which is of WORD alone). *out: n x *dims floats, L2-normalised; magpie_free. Errors: UNSUPPORTED
 * (the model has no such space), INVALID, NOT_FOUND, and those of a decode. */
MAGPIE_API magpie_err magpie_embed(magpie *m, const magpie_term *terms, size_t n,
                                   magpie_space space, float **out, int *dims, magpie_why *why);

/* ---- health ---- */

typedef struct magpie_stats {
    uint64_t items, missing, trashed, copied;
    uint64_t vectors, distinct_vectors; /* of the current model; equal ones are stored once */
    uint64_t bytes_pictures, bytes_library, bytes_thumbnails;
    uint64_t tags, verdicts;
    uint64_t issues[5]; /* per issue bit */
    char model[64];
    char model_sha256[65];
    char index[32]; /* "hnsw" or "exact" */
} magpie_stats;
MAGPIE_API magpie_err magpie_get_stats(magpie *m, magpie_stats *out, magpie_why *why);

typedef void (*magpie_problem_fn)(void *context, int64_t id, const char *what);
typedef struct magpie_verify_report {
    uint64_t items, problems;
} magpie_verify_report;
/* Checks the database, every copied picture's SHA-256, every vector, thumbnail and snapshot;
 * deep: also every referenced file's SHA-256. Repairs nothing. MAGPIE_OK also with problems. */
MAGPIE_API magpie_err magpie_verify(magpie *m, bool deep, magpie_problem_fn on_problem,
                                    magpie_progress_fn on_progress, void *context,
                                    magpie_verify_report *report, magpie_why *why);

#ifdef __cplusplus
}
#endif
#endif
