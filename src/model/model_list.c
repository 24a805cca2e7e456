/* model_list.c - which models there are: those that this build knows, and others that were
 * installed with a manifest of their own. */
#include "model/model.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

const char *mp_model_id_of(const char *name)
{
    static const struct {
        const char *name, *id;
    } others[] = {
        {"ViT-B-32", "clip-vit-b32"}, {"ViT-B-16", "clip-vit-b16"}, {"ViT-L-14", "clip-vit-l14"}};
    for (size_t i = 0; i < MP_COUNT(others); i++)
        if (strcmp(others[i].name, name) == 0)
            return others[i].id;
    return name;
}

static bool is_listed(const char *const *ids, size_t n, const char *id)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(ids[i], id) == 0)
            return true;
    return false;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

size_t mp_model_list(const char *models_dir, const char **ids, size_t cap)
{
    const char *const *known = mp_model_known();
    size_t n = 0, own;
    while (known[n] && n < cap) {
        ids[n] = known[n];
        n++;
    }
    own = n;
    DIR *dir = models_dir ? opendir(models_dir) : NULL;
    for (const struct dirent *e; dir && n < cap && (e = readdir(dir));) {
        mp_model_info info;
        if (mp_model_installed(e->d_name, models_dir, &info) && strcmp(info.id, e->d_name) == 0 &&
            !is_listed(ids, n, info.id))
            ids[n++] = info.id;
    }
    if (dir)
        closedir(dir);
    qsort(ids + own, n - own, sizeof *ids, by_text);
    return n;
}
