/* bert.h - all-MiniLM-L6-v2: BERT with 6 layers, hidden 384, 12 heads, mean pooling, unit length
 * (Devlin et al., arXiv 1810.04805; Wang et al., arXiv 2002.10957). Any thread. */
#ifndef MP_BERT_H
#define MP_BERT_H

#include "model/linear.h"
#include "model/safetensors.h"
#include "model/tokenizer.h"

enum { BERT_HIDDEN = 384, BERT_LAYERS = 6 };

/* Sentences as token numbers, one behind the other, each at most MP_MAX_TOKENS long. */
typedef struct mp_sentences {
    const int32_t *ids;
    const int *length;
    int n, tokens; /* sentences; the sum of their lengths */
} mp_sentences;

typedef struct mp_bert mp_bert; /* opaque */
MP_CHECK mp_err mp_bert_open(mp_bert **out, mp_tensors *weights, mp_precision precision,
                             mp_why *why);
void mp_bert_close(mp_bert *b); /* NULL allowed */
/* team: NULL to go alone. out: 384 floats of unit length for each. A sentence's vector does not
 * depend on the others beyond the last bits (with 8-bit products neither: rows are quantised one by
 * one). Errors: NOMEM, INTERNAL, CORRUPT (an id beyond the table). */
MP_CHECK mp_err mp_bert_encode(const mp_bert *b, const mp_sentences *all, mp_team *team, float *out,
                               mp_why *why);
/* Every token after the embedding (layers 0) or some layers, tokens x 384: for tests. */
MP_CHECK mp_err mp_bert_probe(const mp_bert *b, const mp_sentences *all, int layers, float *to,
                              mp_why *why);

#endif
