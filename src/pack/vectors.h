/* vectors.h - the look vectors of an export as NumPy files. */
#ifndef MP_PACK_VECTORS_H
#define MP_PACK_VECTORS_H

#include "magpie.h"

#include "base/base.h"
#include "pack/spool.h"
#include "pack/tick.h"
#include "pack/zip_write.h"

/* Appends vectors.npy, (n, dims) float32 with zeros for a picture without a vector, and
 * vectors_ids.npy, (n,) int64, for the ids in the spool (int64 each). model, dims: of the library
 * when the export began. Errors: BUSY (the library's model was switched meanwhile), CANCELLED, of
 * magpie_vectors and of the writer. */
MP_CHECK mp_err mp_pack_vectors(magpie *library, const char *model, int dims, mp_pack_spool *ids,
                                mp_zip_writer *z, mp_pack_tick *tick, mp_why *why);

/* The library's current model: its id (static storage) and the dims of its look space. */
MP_CHECK mp_err mp_pack_model(magpie *library, const char **id, int *dims, mp_why *why);

#endif
