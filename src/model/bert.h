/* bert.h - all-MiniLM-L6-v2: BERT with 6 layers, hidden 384, 12 heads, mean pooling, unit length
 * (arXiv 2002.10957). Weights are read in place; any thread. */
#ifndef MP_BERT_H
#define MP_BERT_H

#include "model/safetensors.h"
#include "model/tokenizer.h"

enum { BERT_HIDDEN = 384 };

typedef struct mp_bert mp_bert; /* opaque */
MP_CHECK mp_err mp_bert_open(mp_bert **out, const mp_tensors *weights, mp_why *why);
void mp_bert_close(mp_bert *b); /* NULL allowed */
/* out: 384 floats of unit length. Errors: NOMEM, INTERNAL, CORRUPT (an id beyond the table). */
MP_CHECK mp_err mp_bert_encode(const mp_bert *b, const int32_t *ids, int n, float *out,
                               mp_why *why);

#endif
