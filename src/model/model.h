/* model.h - from pixels and words to vectors.
 *
 * A model offers up to MP_SPACES vector spaces. Vectors of one space of one model (same id, same
 * weights' SHA-256) may be compared with each other by cosine, and with nothing else. All vectors
 * are f32 and L2-normalised unless a space says otherwise.
 *
 *   LOOK      what the picture shows: look-alikes, kNN, map
 *   WORD      where words and pictures meet: pictures by encode_images, words by encode_text
 *   COPY      near-duplicate candidates
 *   TEXTURE   mid-level features for odd ones (not normalised), made only when asked for
 *   SENTENCE  text beside text (titles, tags) with encode_sentence
 *
 * A handle is safe from any thread; each call uses at most `threads` cores. Weights are mapped
 * read-only and shared. Sources: EfficientNet (arXiv 1905.11946), ConSE (arXiv 1312.5650),
 * MiniLM (arXiv 2002.10957), GeM (arXiv 1711.02512). */
#ifndef MP_MODEL_H
#define MP_MODEL_H

#include "image/image.h"

typedef enum mp_space {
    MP_SPACE_LOOK,
    MP_SPACE_WORD,
    MP_SPACE_COPY,
    MP_SPACE_TEXTURE,
    MP_SPACE_SENTENCE,
    MP_SPACES
} mp_space;
const char *mp_space_word(mp_space s); /* "look", ...: stable, used in the database */

typedef struct mp_space_info {
    int dims;          /* 0: the model has no such space */
    bool eager;        /* computed when a picture is added (else on demand) */
    bool is_look;      /* its vectors are those of LOOK, and are kept once, there */
    float floor;       /* calibrated: a cosine (WORD: score) below it convinces nobody */
    mp_view_spec view; /* the pixels it wants (picture spaces); equal specs share one decode */
} mp_space_info;

typedef struct mp_model_info {
    const char *id;     /* "lite", "builtin", "clip-vit-b32" */
    const char *sha256; /* hex, over all weights' files in manifest order (builtin: its version) */
    const char *about, *licence;
    mp_space_info space[MP_SPACES];
} mp_model_info;

typedef struct mp_model mp_model; /* opaque */

typedef enum mp_precision_choice {
    MP_PRECISION_ENV,  /* what $MAGPIE_PRECISION says; without it AUTO */
    MP_PRECISION_AUTO, /* 8-bit products where they have qualified themselves (qualify.h) */
    MP_PRECISION_F32,
    MP_PRECISION_INT8
} mp_precision_choice;

/* "auto", "f32", "int8"; NULL and "" are ENV. INVALID: any other word. */
MP_CHECK mp_err mp_precision_of(const char *word, mp_precision_choice *out, mp_why *why);

typedef struct mp_model_options {
    const char *models_dir; /* each model in a folder of its id, with manifest.json */
    int threads;            /* per call; 0: all */
    mp_precision_choice precision;
} mp_model_options;

/* Opens by id; caller closes. "builtin" needs no files. Errors: NOT_FOUND (not installed; why tells
 * how to get it), CORRUPT (a file is missing, or its size or SHA-256 differ from the manifest; why
 * names it), UNSUPPORTED (of a family that is not known here), INVALID ($MAGPIE_PRECISION), NOMEM.
 */
MP_CHECK mp_err mp_model_open(mp_model **out, const char *id, const mp_model_options *opt,
                              mp_why *why);
void mp_model_close(mp_model *m);                          /* NULL allowed */
const mp_model_info *mp_model_get_info(const mp_model *m); /* owned by m */

/* Ids of the models this build knows, those that it knows how to fetch among them; NULL-terminated,
 * static. */
const char *const *mp_model_known(void);
/* The id of the model that others know by this name (open_clip's "ViT-B-32"), else the name. */
const char *mp_model_id_of(const char *name);
/* These, and then the others that are installed in models_dir (NULL: none), by name. Strings as of
 * mp_model_installed. Returns how many of at most `cap`. */
enum { MP_MODELS_LISTED = 128 };
size_t mp_model_list(const char *models_dir, const char **ids, size_t cap);
/* Cheap look (manifest and file sizes only): is it installed? Fills info when it is. Strings are
 * static or owned by a per-process cache. */
bool mp_model_installed(const char *id, const char *models_dir, mp_model_info *info);
/* What this build itself knows of a model whose files are not here: false where they alone, or the
 * catalogue (catalogue.h), would tell. sha256 is "". */
bool mp_model_describe(const char *id, mp_model_info *info);
/* Why not, for a person, and what to do; the errors are those of open. */
MP_CHECK mp_err mp_model_absent(const char *id, const char *models_dir, mp_why *why);

/* How far 8-bit products move vectors: the worst cosine between those and f32's. */
typedef struct mp_qualification {
    const char *kernels; /* what was measured; static */
    float image, text;   /* 1 where the model has no such vectors */
    size_t pictures;
    int texts;
} mp_qualification;
/* Measures an installed model on n pictures (pixels of its LOOK view) and on texts of its own, and
 * keeps the result beside it, where AUTO finds it. Errors: those of open, INVALID (no pictures), IO
 * (the folder cannot be written to). */
MP_CHECK mp_err mp_model_qualify(const char *id, const mp_model_options *opt,
                                 const uint8_t *const *px, size_t n, mp_qualification *out,
                                 mp_why *why);

/* One picture's views, one per picture space wanted; spaces with equal specs may point at the same
 * pixels. px is width*height*3 of the space's view spec; NULL where not wanted. */
typedef struct mp_views {
    const uint8_t *px[MP_SPACES];
} mp_views;

/* Encodes n pictures into the spaces of `mask` (1u << MP_SPACE_LOOK | ...). out[s] has room for
 * n * dims(s) floats, row i of picture i; other entries may be NULL. Any n (batched inside).
 * Errors: INVALID (a space without dims or pixels), CORRUPT (the weights make vectors that are no
 * numbers), NOMEM, INTERNAL (oneDNN). */
MP_CHECK mp_err mp_model_encode_images(mp_model *m, const mp_views *views, size_t n, uint32_t mask,
                                       float *const out[MP_SPACES], mp_why *why);

enum { MP_MAX_CONCEPTS = 5 };
typedef struct mp_text_info {
    bool known;                           /* the model has a concept near these words */
    bool cut;                             /* it has read only the beginning: see bpe.h */
    float nearest;                        /* cosine of the nearest concept */
    const char *concept[MP_MAX_CONCEPTS]; /* strongest first; static in the model; NULL-filled */
    float weight[MP_MAX_CONCEPTS];
} mp_text_info;
/* Words into the WORD space: out has its dims floats, scaled so that the dot product with a
 * picture's WORD vector is the recipe's score. aim (NULL allowed): the same words as a direction in
 * the COPY space (its dims floats, unit length), to be compared by cosine with COPY vectors:
 * coarser than WORD alone, but the better second opinion where words already match a picture's
 * text. info may be NULL. Errors: UNSUPPORTED (no WORD space), INVALID (empty text or bad UTF-8).
 */
MP_CHECK mp_err mp_model_encode_text(mp_model *m, mp_str text, float *out, float *aim,
                                     mp_text_info *info, mp_why *why);
/* What every text must be: UTF-8 with something to be seen in it. Errors: INVALID. */
MP_CHECK mp_err mp_model_check_text(mp_str text, mp_why *why);
/* A sentence (title, tags, query) into the SENTENCE space. Errors as above. */
MP_CHECK mp_err mp_model_encode_sentences(mp_model *m, const mp_str *texts, size_t n, float *out,
                                          mp_why *why);

/* Patch features for heat maps: a grid of rows x cols vectors of dims floats (L2-normalised each),
 * row-major, over the LOOK view's pixels. *out: caller frees. */
typedef struct mp_patches {
    float *v;
    int rows, cols, dims;
} mp_patches;
MP_CHECK mp_err mp_model_patches(mp_model *m, const uint8_t *look_px, mp_patches *out, mp_why *why);

#endif
