/* lite_read.c - words to vectors: sentences by MiniLM, and queries as mixtures of the concepts
 * whose names are near (a sharpened ConSE, Norouzi et al., arXiv 1312.5650). */
#include "model/lite_parts.h"

#include "model/spread.h"
#include "simd/distance.h"

#include <math.h>
#include <stdlib.h>
#include <strings.h>

enum { NEAREST = 50, TEXTS_AT_ONCE = 16, TOKENS_AT_ONCE = 512 };

static const float TEMPERATURE = 0.05f, KNOWN_FROM = 0.35f;

typedef struct reading {
    const mp_lite *m;
    const mp_str *texts;
    mp_team *team; /* of a text alone */
    float *out;
} reading;

/* As many texts as fit go through the model together. */
static mp_err read_some(void *context, size_t from, size_t to, mp_why *why)
{
    const reading *r = context;
    int32_t ids[TOKENS_AT_ONCE];
    int length[TEXTS_AT_ONCE];
    mp_sentences all = {.ids = ids, .length = length};
    mp_err err = MP_OK;
    float *out = r->out + from * BERT_HIDDEN;
    for (size_t i = from; !err && i < to; i++) {
        length[all.n] = mp_tokenize(r->m->tokens, r->texts[i], ids + all.tokens);
        all.tokens += length[all.n++];
        bool full = all.n == TEXTS_AT_ONCE || all.tokens > TOKENS_AT_ONCE - MP_MAX_TOKENS;
        if (!full && i + 1 < to)
            continue;
        err = mp_bert_encode(r->m->bert, &all, r->team, out, why);
        out += (size_t)all.n * BERT_HIDDEN;
        all.n = all.tokens = 0;
    }
    return err;
}

mp_err mp_lite_sentences(void *self, const mp_str *texts, size_t n, float *out, mp_why *why)
{
    const mp_lite *m = self;
    bool together = n == 1;
    reading r = {m, texts, together ? mp_team_open(m->threads) : NULL, out};
    size_t each = (n + (size_t)m->threads - 1) / (size_t)m->threads;
    mp_err err =
        mp_spread(together ? 1 : m->threads, n,
                  MP_MAX(MP_MIN(each, (size_t)TEXTS_AT_ONCE), (size_t)1), read_some, &r, why);
    mp_team_close(r.team);
    return err;
}

typedef struct near_concept {
    int at;
    float cosine;
} near_concept;

static int by_cosine(const void *a, const void *b)
{
    const near_concept *x = a, *y = b;
    return (x->cosine < y->cosine) - (x->cosine > y->cosine);
}

/* "a photo of a dog" and "dog" should mean the same: the bank was made with the phrase. A sentence
 * stands for itself. */
static mp_str as_photo(mp_str text, mp_buf *room)
{
    static const char head[] = "a photo of";
    int spaces = 0;
    for (size_t i = 0; i < text.n; i++)
        spaces += text.p[i] == ' ';
    if (spaces > 6 ||
        (text.n >= sizeof head - 1 && strncasecmp(text.p, head, sizeof head - 1) == 0))
        return text;
    mp_buf_printf(room, "a photo of a %.*s", (int)text.n, text.p);
    return (mp_str){room->p, room->n};
}

/* The NEAREST concepts to a sentence vector, and their weights, which sum to 1. */
static void nearest_concepts(const mp_lite *m, const float *query, near_concept *all, float *weight)
{
    mp_dot_fn dot = mp_dot_for(mp_simd_isa());
    float sum = 0;
    for (int c = 0; c < EFFNET_CLASSES; c++)
        all[c] = (near_concept){
            c, dot(m->derived.concept + (size_t)c * BERT_HIDDEN, query, BERT_HIDDEN)};
    qsort(all, EFFNET_CLASSES, sizeof *all, by_cosine);
    for (int i = 0; i < NEAREST; i++)
        sum += weight[i] = expf((all[i].cosine - all[0].cosine) / TEMPERATURE);
    for (int i = 0; i < NEAREST; i++)
        weight[i] /= sum;
}

/* The classes' own weight vectors, less what all have in common, mixed as the concepts are: the
 * features that a picture of them would have. */
static void take_aim(const mp_lite *m, const near_concept *near, const float *weight, float *aim)
{
    mp_dot_fn dot = mp_dot_for(mp_simd_isa());
    float features[EFFNET_FEATURES];
    for (int f = 0; f < EFFNET_FEATURES; f++)
        features[f] = -m->fc_mean[f];
    for (int i = 0; i < NEAREST; i++) {
        const float *w = m->fc_weight + (size_t)near[i].at * EFFNET_FEATURES;
        for (int f = 0; f < EFFNET_FEATURES; f++)
            features[f] += weight[i] * w[f];
    }
    for (int d = 0; d < LITE_DIMS; d++)
        aim[d] = dot(m->derived.look + (size_t)d * EFFNET_FEATURES, features, EFFNET_FEATURES);
    (void)mp_normalise(aim, LITE_DIMS);
}

mp_err mp_lite_text(void *self, mp_str text, float *out, float *aim, mp_text_info *info,
                    mp_why *why)
{
    mp_lite *m = self;
    float query[BERT_HIDDEN], weight[NEAREST];
    near_concept all[EFFNET_CLASSES];
    mp_buf room = {0};
    mp_str photo = as_photo(text, &room);
    mp_err err = mp_lite_sentences(m, &photo, 1, query, why);
    mp_buf_free(&room);
    if (err)
        return err;
    nearest_concepts(m, query, all, weight);
    for (int d = 0; d < LITE_DIMS; d++) {
        float x = 0;
        for (int i = 0; i < NEAREST; i++)
            x += weight[i] * m->derived.word[(size_t)d * EFFNET_CLASSES + (size_t)all[i].at];
        out[d] = x;
    }
    if (aim)
        take_aim(m, all, weight, aim);
    info->nearest = all[0].cosine;
    info->known = all[0].cosine >= KNOWN_FROM;
    for (int i = 0; i < MP_MAX_CONCEPTS && weight[i] > 0.02f; i++) {
        info->concept[i] = mp_lite_concepts[all[i].at];
        info->weight[i] = weight[i];
    }
    return MP_OK;
}
