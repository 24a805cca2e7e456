/* dupes.h - what the files of magpie_duplicates share. */
#ifndef MP_DUPES_H
#define MP_DUPES_H

#include "core/core.h"
#include "core/dedup.h"

/* One run: the items by position, and their small pictures once they were needed. */
typedef struct mp_dupes {
    magpie *m;
    const magpie_dupe_options *opt;
    mp_arena *arena;
    mp_item *items;
    int64_t *ids; /* sorted; position i is items[i] */
    size_t n;
    mp_source *spare; /* files with the same bytes as another, by item */
    size_t n_spare;
    pthread_mutex_t mutex; /* guards those below */
    float *colour;         /* n; how colourful, levels; below 0 until looked at */
    bool *unread;          /* n; whose small picture could not be had */
    size_t n_unread;
    mp_why unread_why; /* of the first */
    mp_image *small;   /* n, grey; empty until loaded */
    size_t cached_bytes;
    mp_ticker ticker;
} mp_dupes;

/* Groups for the caller; `pairs` say how their members relate. */
magpie_groups *mp_dupes_publish(const mp_dupes *d, const mp_grouping *g, const mp_pair *pairs,
                                size_t n_pairs);

#endif
