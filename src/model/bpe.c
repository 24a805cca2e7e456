/* bpe.c - see bpe.h: the handle, and the merges of a word's bytes. Reading is in bpe_read.c.
 *
 * A short word is an array in which the best pair is looked for before each merge; a long one is a
 * linked list with a heap of its pairs. Both merge the pair of the lowest rank, of equal ones the
 * leftmost. */
#include "model/bpe.h"

#include "model/bpe_parts.h"
#include "model/bpe_text.h"

#include <stdlib.h>
#include <string.h>

enum { SHORT = 64, LONGEST = 256 * 1024 };

mp_err mp_bpe_open(mp_bpe **out, const char *folder, mp_why *why)
{
    mp_bpe *b = mp_xcalloc(1, sizeof *b);
    *out = NULL;
    mp_err err = mp_bpe_read(b, folder, why);
    if (err) {
        mp_bpe_close(b);
        return err;
    }
    *out = b;
    return MP_OK;
}

void mp_bpe_close(mp_bpe *b)
{
    if (!b)
        return;
    free(b->pairs);
    free(b);
}

int mp_bpe_tokens(const mp_bpe *b)
{
    return (int)b->tokens;
}

/* The tokens of a text as they are found. */
typedef struct found {
    int32_t *ids;
    int n;
    size_t dropped;
} found;

static void add_token(found *f, uint32_t token)
{
    if (f->n < MP_BPE_MOST - 1)
        f->ids[f->n++] = (int32_t)token;
    else
        f->dropped++;
}

/* The merge of two tokens, or an empty slot. */
static const mp_bpe_pair *find_pair(const mp_bpe *b, uint32_t left, uint32_t right)
{
    uint64_t at = mp_bpe_slot(b, left, right);
    while (b->pairs[at].rank != MP_BPE_NO_RANK &&
           (b->pairs[at].left != left || b->pairs[at].right != right))
        at = (at + 1) & b->mask;
    return &b->pairs[at];
}

static uint32_t token_at(const mp_bpe *b, mp_str word, size_t i)
{
    uint8_t byte = (uint8_t)word.p[i];
    return i + 1 < word.n ? b->byte[byte] : b->last[byte];
}

/* ---- short words ---- */

static void merge_short(const mp_bpe *b, mp_str word, found *f)
{
    uint32_t token[SHORT];
    const mp_bpe_pair *pair[SHORT]; /* of token i and the next */
    size_t n = word.n;
    for (size_t i = 0; i < n; i++)
        token[i] = token_at(b, word, i);
    for (size_t i = 0; i + 1 < n; i++)
        pair[i] = find_pair(b, token[i], token[i + 1]);
    while (n > 1) {
        size_t best = 0;
        for (size_t i = 1; i + 1 < n; i++)
            if (pair[i]->rank < pair[best]->rank)
                best = i;
        if (pair[best]->rank == MP_BPE_NO_RANK)
            break;
        token[best] = pair[best]->made;
        n--;
        for (size_t i = best + 1; i < n; i++) {
            token[i] = token[i + 1];
            pair[i - 1] = pair[i];
        }
        if (best > 0)
            pair[best - 1] = find_pair(b, token[best - 1], token[best]);
        if (best + 1 < n)
            pair[best] = find_pair(b, token[best], token[best + 1]);
    }
    for (size_t i = 0; i < n; i++)
        add_token(f, token[i]);
}

/* ---- long words ---- */

typedef struct node {
    uint32_t token;
    int32_t before, after;   /* -1: none */
    const mp_bpe_pair *pair; /* with the one after it; NULL: none, or this node is gone */
} node;

/* Rank above, place below: the order in which merges happen. An entry whose node has another pair
 * by now is passed over. */
typedef struct heap {
    uint64_t *entry;
    size_t n;
} heap;

static void sink(heap *h, size_t at)
{
    uint64_t one = h->entry[at];
    for (size_t child; (child = 2 * at + 1) < h->n; at = child) {
        if (child + 1 < h->n && h->entry[child + 1] < h->entry[child])
            child++;
        if (one <= h->entry[child])
            break;
        h->entry[at] = h->entry[child];
    }
    h->entry[at] = one;
}

static void push(heap *h, uint64_t one)
{
    size_t at = h->n++;
    for (; at > 0 && h->entry[(at - 1) / 2] > one; at = (at - 1) / 2)
        h->entry[at] = h->entry[(at - 1) / 2];
    h->entry[at] = one;
}

static uint64_t pop(heap *h)
{
    uint64_t first = h->entry[0];
    h->entry[0] = h->entry[--h->n];
    if (h->n)
        sink(h, 0);
    return first;
}

/* Looks up the pair that begins at a node; true: there is one to merge. */
static bool pair_up(const mp_bpe *b, node *nodes, int32_t at)
{
    int32_t after = nodes[at].after;
    const mp_bpe_pair *pair = after < 0 ? NULL : find_pair(b, nodes[at].token, nodes[after].token);
    nodes[at].pair = pair && pair->rank != MP_BPE_NO_RANK ? pair : NULL;
    return nodes[at].pair;
}

static uint64_t entry_of(const node *nodes, int32_t at)
{
    return (uint64_t)nodes[at].pair->rank << 32 | (uint32_t)at;
}

/* Makes one node of that at `at` and the one after it. */
static void merge_at(const mp_bpe *b, node *nodes, int32_t at, heap *h)
{
    int32_t gone = nodes[at].after;
    nodes[at].token = nodes[at].pair->made;
    nodes[at].after = nodes[gone].after;
    nodes[gone].pair = NULL;
    if (nodes[at].after >= 0)
        nodes[nodes[at].after].before = at;
    if (pair_up(b, nodes, at))
        push(h, entry_of(nodes, at));
    int32_t before = nodes[at].before;
    if (before >= 0 && pair_up(b, nodes, before))
        push(h, entry_of(nodes, before));
}

static void merge_long(const mp_bpe *b, mp_str word, found *f)
{
    int32_t n = (int32_t)word.n;
    node *nodes = mp_xmalloc((size_t)n * sizeof *nodes);
    /* n - 1 at first, and at most two more for each of n - 1 merges. */
    heap h = {.entry = mp_xmalloc(3 * (size_t)n * sizeof *h.entry)};
    for (int32_t i = 0; i < n; i++)
        nodes[i] = (node){token_at(b, word, (size_t)i), i - 1, i + 1 < n ? i + 1 : -1, NULL};
    for (int32_t i = 0; i + 1 < n; i++)
        if (pair_up(b, nodes, i))
            h.entry[h.n++] = entry_of(nodes, i);
    for (size_t i = h.n / 2; i-- > 0;)
        sink(&h, i);
    while (h.n) {
        uint64_t first = pop(&h);
        int32_t at = (int32_t)(uint32_t)first;
        if (nodes[at].pair && nodes[at].pair->rank == first >> 32)
            merge_at(b, nodes, at, &h);
    }
    for (int32_t i = 0; i >= 0; i = nodes[i].after)
        add_token(f, nodes[i].token);
    free(nodes);
    free(h.entry);
}

/* ---- texts ---- */

static void encode_word(const mp_bpe *b, mp_str word, found *f)
{
    while (word.n) {
        mp_str part = {word.p, MP_MIN(word.n, (size_t)LONGEST)};
        if (part.n <= SHORT)
            merge_short(b, part, f);
        else
            merge_long(b, part, f);
        word = (mp_str){word.p + part.n, word.n - part.n};
    }
}

int mp_bpe_encode(const mp_bpe *b, mp_str text, int32_t ids[MP_BPE_MOST], size_t *dropped)
{
    found f = {.ids = ids};
    mp_buf clean = {0};
    mp_str word;
    mp_bpe_clean(&clean, text);
    mp_str rest = {clean.p, clean.n};
    add_token(&f, b->start);
    while (mp_bpe_word(&rest, &word)) {
        if (!dropped && f.n == MP_BPE_MOST - 1)
            break;
        encode_word(b, word, &f);
    }
    ids[f.n] = (int32_t)b->end;
    if (dropped)
        *dropped = f.dropped;
    mp_buf_free(&clean);
    return f.n + 1;
}
