/* manifest.c - see manifest.h. */
#include "model/manifest.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static bool file_has(const char *folder, const json_t *row)
{
    char path[PATH_MAX];
    struct stat st;
    const char *name = json_string_value(json_object_get(row, "name"));
    if (!name || strchr(name, '/') ||
        snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        return false;
    return stat(path, &st) == 0 && st.st_size == json_integer_value(json_object_get(row, "bytes"));
}

bool mp_manifest_check(const char *folder, char sha256[65])
{
    char path[PATH_MAX];
    size_t i;
    json_t *row;
    if (snprintf(path, sizeof path, "%s/manifest.json", folder) >= (int)sizeof path)
        return false;
    json_t *m = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    const char *hash = json_string_value(json_object_get(m, "sha256"));
    json_t *files = json_object_get(m, "files");
    bool ok = json_integer_value(json_object_get(m, "magpie_model")) == 1 && hash &&
              strlen(hash) == 64 && json_array_size(files) > 0;
    json_array_foreach(files, i, row) ok = ok && file_has(folder, row);
    if (ok && sha256)
        memcpy(sha256, hash, 65);
    json_decref(m);
    return ok;
}
