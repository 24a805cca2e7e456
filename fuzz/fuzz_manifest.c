/* fuzz_manifest.c - manifests of models: whatever is taken keeps the bounds, its names stay in one
 * folder, and what is written of it is read as the same. */
#include "model/manifest.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(const mp_manifest *m)
{
    if (m->n_files < 1 || m->n_files > MP_MANIFEST_FILES || !*m->id || strchr(m->id, '/'))
        abort();
    for (size_t i = 0; i < m->n_files; i++)
        if (!*m->files[i].name || *m->files[i].name == '.' || strchr(m->files[i].name, '/') ||
            strstr(m->files[i].path, "..") || m->files[i].bytes < 0)
            abort();
    const mp_manifest_architecture *a = &m->architecture;
    if (a->side && (a->patch < 1 || a->side % a->patch || a->image.width % a->image.heads ||
                    a->text.width % a->text.heads || !(a->deviation[0] > 0)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static mp_manifest m, again;
    mp_buf b = {0};
    mp_why why = {0};
    if (mp_manifest_read(&m, (mp_str){(const char *)data, n}, &why) != MP_OK) {
        if (!*why.text || m.n_files)
            abort();
        return 0;
    }
    check(&m);
    mp_manifest_as_json(&m, &b);
    if (mp_manifest_read(&again, (mp_str){b.p, b.n}, &why) != MP_OK ||
        memcmp(&m, &again, sizeof m) != 0)
        abort();
    mp_buf_free(&b);
    return 0;
}
