/* catalogue.h - the models that this build knows how to fetch: models/, built in. Static data; any
 * thread. */
#ifndef MP_CATALOGUE_H
#define MP_CATALOGUE_H

#include "model/manifest.h"

/* In the order of the ids; NULL-terminated. */
extern const char *const mp_catalogue_ids[];
extern const char *const mp_catalogue_texts[];

/* NULL: no such id. */
const mp_manifest *mp_catalogue_find(const char *id);

#endif
