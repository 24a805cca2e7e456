/* table.h - from the hash of a key to the nodes that may have it: open addressing, 8 bytes a slot.
 *
 * The keys are not in the table: whoever asks looks at the nodes that it offers. One writer, or any
 * number of readers. */
#ifndef MP_INDEX_TABLE_H
#define MP_INDEX_TABLE_H

#include "base/base.h"

#define NO_NODE UINT32_MAX

typedef struct mp_table_slot {
    uint32_t hash, node; /* node NO_NODE: empty, NO_NODE - 1: removed */
} mp_table_slot;

typedef struct mp_table {
    mp_table_slot *slots;
    size_t cap, used; /* used counts removed ones too */
} mp_table;

MP_CHECK bool mp_table_add(mp_table *t, uint32_t hash, uint32_t node); /* false: no memory */
/* The node of the next slot with this hash, NO_NODE at the end. *at: SIZE_MAX to begin with. */
uint32_t mp_table_next(const mp_table *t, uint32_t hash, size_t *at);
void mp_table_remove_at(mp_table *t, size_t at); /* a position that mp_table_next gave */
void mp_table_free(mp_table *t);

#endif
