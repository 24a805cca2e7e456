/* catalogue.c - see catalogue.h. The entries are read once, when the first is asked for. */
#include "model/catalogue.h"

#include <pthread.h>
#include <string.h>

enum { MOST = 32 };
static mp_manifest entries[MOST];
static size_t n_entries;

static void read_entries(void)
{
    for (size_t i = 0; mp_catalogue_ids[i] && n_entries < MOST; i++)
        if (mp_manifest_read(&entries[n_entries], mp_str_of(mp_catalogue_texts[i]), NULL) == MP_OK)
            n_entries++;
}

const mp_manifest *mp_catalogue_find(const char *id)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, read_entries);
    for (size_t i = 0; i < n_entries; i++)
        if (strcmp(entries[i].id, id) == 0)
            return &entries[i];
    return NULL;
}
