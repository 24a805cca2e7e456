/* transformer.h - a stack of attention layers (Vaswani et al., arXiv 1706.03762), as vision
 * transformers, CLIP's text tower and BERT have it.
 *
 * Weights stay where they are (mapped); what is computed with is packed from them when first
 * needed: in f32, or as 8-bit codes (simd/dense8.h) with activations quantised row by row.
 * Attention itself, softmax, GELU, norms and all sums are f32 either way.
 *
 * Sequences are packed: their rows lie behind each other, without padding, and go through each
 * product together; only attention looks at one sequence at a time. A stack is safe from any
 * thread. */
#ifndef MP_TRANSFORMER_H
#define MP_TRANSFORMER_H

#include "model/linear.h"

typedef enum mp_activation { MP_GELU, MP_QUICK_GELU } mp_activation;

typedef struct mp_norm_weights {
    const float *gamma, *beta;
} mp_norm_weights;

typedef struct mp_linear_weights { /* w: out x in */
    const float *w, *b;
} mp_linear_weights;

typedef struct mp_layer_weights {
    mp_norm_weights first, second; /* before attention and before the hidden layer, or after them */
    mp_linear_weights q, k, v, out; /* width x width */
    mp_linear_weights up, down;     /* hidden x width, width x hidden */
} mp_layer_weights;

typedef struct mp_stack_spec {
    int layers, width, heads, hidden;
    bool after;  /* norms follow the sums (BERT) instead of going before (ViT, GPT-2) */
    bool causal; /* a row attends to itself and those before it */
    mp_activation activation;
    float eps;
    const mp_layer_weights *weights; /* `layers` of them; copied, but not what they point at */
} mp_stack_spec;

typedef struct mp_stack mp_stack; /* opaque */
/* Errors: INVALID (a width that is no multiple of MP_PANEL, or of its heads). */
MP_CHECK mp_err mp_stack_open(mp_stack **out, const mp_stack_spec *spec, mp_precision precision,
                              mp_why *why);
void mp_stack_close(mp_stack *s); /* NULL allowed */

typedef struct mp_sequences {
    float *x;          /* rows x width, dense: what goes in and what comes out */
    const int *length; /* of each sequence, at least 1 */
    int n, rows;       /* sequences; the sum of their lengths */
    const int *keep;   /* NULL, or the one row of each sequence that is wanted: x's first n rows
                          are then these, and the last layer is spared the others */
} mp_sequences;
/* Runs the first `layers` layers (all: the spec's) with a team (NULL: alone). */
MP_CHECK mp_err mp_stack_run(mp_stack *s, const mp_sequences *all, int layers, mp_team *team,
                             mp_why *why);

#endif
