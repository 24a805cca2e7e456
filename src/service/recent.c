/* recent.c - see recent.h. */
#include "service/recent.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { PLACES = 256, HASH = 32 };

typedef struct place {
    uint8_t hash[HASH];
    int64_t second; /* 0: free */
    mp_claim claim;
} place;

struct mp_recent {
    uint8_t key[crypto_generichash_KEYBYTES]; /* nobody can choose who shares a place */
    pthread_mutex_t mutex;                    /* guards the places */
    place place[PLACES];
};

mp_recent *mp_recent_new(void)
{
    mp_recent *r = mp_xcalloc(1, sizeof *r);
    randombytes_buf(r->key, sizeof r->key);
    pthread_mutex_init(&r->mutex, NULL);
    return r;
}

void mp_recent_free(mp_recent *r)
{
    if (!r)
        return;
    pthread_mutex_destroy(&r->mutex);
    sodium_memzero(r, sizeof *r);
    free(r);
}

static place *place_of(mp_recent *r, const char *token, uint8_t hash[HASH])
{
    crypto_generichash(hash, HASH, (const uint8_t *)token, strlen(token), r->key, sizeof r->key);
    return &r->place[hash[0] % PLACES];
}

bool mp_recent_find(mp_recent *r, const char *token, int64_t now_s, mp_claim *out)
{
    uint8_t hash[HASH];
    const place *p = place_of(r, token, hash);
    pthread_mutex_lock(&r->mutex);
    bool found = p->second == now_s && memcmp(p->hash, hash, HASH) == 0;
    if (found)
        *out = p->claim;
    pthread_mutex_unlock(&r->mutex);
    return found;
}

void mp_recent_keep(mp_recent *r, const char *token, int64_t now_s, const mp_claim *claim)
{
    uint8_t hash[HASH];
    place *p = place_of(r, token, hash);
    pthread_mutex_lock(&r->mutex);
    memcpy(p->hash, hash, HASH);
    p->second = now_s;
    p->claim = *claim;
    pthread_mutex_unlock(&r->mutex);
}
