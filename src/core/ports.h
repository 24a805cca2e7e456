/* ports.h - what the rooms above core may know of an open library: its ports. They are the
 * library's; they live as long as it does. */
#ifndef MP_PORTS_H
#define MP_PORTS_H

#include "magpie.h"

#include "blob/blob.h"
#include "cache/cache.h"
#include "meta/meta.h"

mp_meta *mp_core_meta(magpie *m);
mp_blob *mp_core_blobs(magpie *m);
/* Takes the write lock of this process and of the library: while it is held nobody else writes
 * pictures or removes bytes and projects. Errors: BUSY (with the holder's pid), IO (read-only). */
MP_CHECK mp_err mp_core_begin_write(magpie *m, mp_why *why);
void mp_core_end_write(magpie *m);
/* The blob store's name for these bytes. */
void mp_core_original_key(const uint8_t sha256[32], char out[96]);
/* SHA-256 of what fd holds from its start; *bytes its length. Leaves the offset at 0. */
MP_CHECK mp_err mp_core_hash_fd(int fd, uint8_t out[32], uint64_t *bytes, mp_why *why);
/* The library's model, and the SHA-256 of its weights ("" when it is not installed). */
void mp_core_model_name(magpie *m, char id[64], char sha256[65]);
/* May this be asked with? Whatever the model: 1 to MAGPIE_TEXT_BYTES, UTF-8, not blank. INVALID. */
MP_CHECK mp_err mp_core_check_question(const char *text, mp_why *why);
/* Can the library's model be used? Opens it where it is not open yet. The errors of that. */
MP_CHECK mp_err mp_core_model_usable(magpie *m, mp_why *why);
/* How often the model was replaced while the library is open: what was found by one model is not
 * what another would find, so that what is kept of answers has this in its name. */
uint64_t mp_core_model_turn(magpie *m);
/* Of the vectors of queries in words. */
mp_cache_stats mp_core_word_cache(magpie *m);
/* The public shape of an item; free it with magpie_item_free. */
magpie_item *mp_core_publish(const mp_item *item);
/* Forgets assets of any type (magpie_remove: pictures alone) with the bytes of all their versions
 * that nothing else needs. Unknown ids are fine; *removed counts the others. BUSY, IO, FULL. */
MP_CHECK mp_err mp_core_remove(magpie *m, const int64_t *ids, size_t n, size_t *removed,
                               mp_why *why);
/* One thing that a camera wrote into a picture: a text, or (text NULL) a number or a flag. */
typedef struct mp_core_fact {
    const char *name, *text;
    double number;
    bool is_flag;
} mp_core_fact;
/* All that is said, read from the original by a decode worker. Texts are valid UTF-8 without
 * control characters; all in `arena`. NOT_FOUND: no such picture, or its file is gone. */
MP_CHECK mp_err mp_core_facts(magpie *m, int64_t id, mp_arena *arena, mp_core_fact **out, size_t *n,
                              mp_why *why);
/* The most bytes that a picture may have. */
int64_t mp_core_max_bytes(const magpie *m);

#endif
