/* bpe_parts.h - what the reader of vocabularies (bpe_read.c) makes and the encoder (bpe.c) uses. */
#ifndef MP_BPE_PARTS_H
#define MP_BPE_PARTS_H

#include "model/bpe.h"

#define MP_BPE_NO_RANK UINT32_MAX

/* A merge: left and right, side by side, become made. The lowest rank goes first. */
typedef struct mp_bpe_pair {
    uint32_t left, right, made;
    uint32_t rank; /* MP_BPE_NO_RANK: an empty slot */
} mp_bpe_pair;

struct mp_bpe {
    uint32_t byte[256]; /* the token of a byte inside a word */
    uint32_t last[256]; /* of the last byte of one */
    uint32_t start, end, tokens;
    mp_bpe_pair *pairs; /* open addressing; at least half is empty */
    uint64_t mask, seed;
};

/* Where a pair's search begins. The seed is random, so that no file can make them all collide. */
static inline uint64_t mp_bpe_slot(const mp_bpe *b, uint32_t left, uint32_t right)
{
    return mp_mix64(((uint64_t)left << 32 | right) ^ b->seed) & b->mask;
}

/* Fills *b, which is all zero. After an error, too, the caller closes it. */
MP_CHECK mp_err mp_bpe_read(mp_bpe *b, const char *folder, mp_why *why);

#endif
