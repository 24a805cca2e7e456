/* catalogue.c - see catalogue.h. */
#include "model/catalogue.h"

#include <string.h>

bool mp_catalogue_find(const char *id, mp_manifest *out)
{
    for (size_t i = 0; mp_catalogue_ids[i]; i++)
        if (strcmp(mp_catalogue_ids[i], id) == 0)
            return mp_manifest_read(out, mp_str_of(mp_catalogue_texts[i]), NULL) == MP_OK;
    return false;
}
