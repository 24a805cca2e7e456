/* manifest_write.c - a manifest as text. See manifest.h. */
#include "model/manifest.h"

#include <jansson.h>
#include <stdlib.h>

/* Nine digits bring a float back as it was. */
enum { LAYOUT = JSON_INDENT(2) | JSON_REAL_PRECISION(9) };

static void put(json_t *to, const char *key, const char *text)
{
    if (*text)
        json_object_set_new(to, key, json_string(text));
}

static void put_part(json_t *to, const char *key, json_t *part)
{
    if (json_object_size(part))
        json_object_set_new(to, key, part);
    else
        json_decref(part);
}

static json_t *channels(const float v[3])
{
    json_t *out = json_array();
    for (size_t i = 0; i < 3; i++)
        json_array_append_new(out, json_real((double)v[i]));
    return out;
}

static json_t *tower(const mp_manifest_tower *t)
{
    return json_pack("{si si si si}", "width", t->width, "layers", t->layers, "heads", t->heads,
                     "hidden", t->hidden);
}

static json_t *architecture(const mp_manifest_architecture *a)
{
    if (!a->side)
        return json_object();
    return json_pack("{si si si si so so ss so so}", "side", a->side, "patch", a->patch,
                     "vocabulary", a->vocabulary, "dims", a->dims, "image", tower(&a->image),
                     "text", tower(&a->text), "activation", a->activation, "mean",
                     channels(a->mean), "deviation", channels(a->deviation));
}

static json_t *files(const mp_manifest *m)
{
    json_t *out = json_array();
    for (size_t i = 0; i < m->n_files; i++) {
        const mp_manifest_file *f = &m->files[i];
        json_t *row = json_pack("{ss}", "name", f->name);
        put(row, "path", f->path);
        if (f->bytes)
            json_object_set_new(row, "bytes", json_integer(f->bytes));
        put(row, "sha256", f->sha256);
        json_array_append_new(out, row);
    }
    return out;
}

void mp_manifest_as_json(const mp_manifest *m, mp_buf *out)
{
    json_t *o = json_pack("{si ss ss}", "magpie_model", 1, "id", m->id, "family", m->family);
    json_t *source = json_object(), *tokenizer = json_object();
    put(o, "about", m->about);
    put(o, "licence", m->licence);
    put(o, "sha256", m->sha256);
    put(source, "repository", m->repository);
    put(source, "revision", m->revision);
    put_part(o, "source", source);
    json_object_set_new(o, "files", files(m));
    put_part(o, "architecture", architecture(&m->architecture));
    put(o, "weights", m->weights);
    put(tokenizer, "vocabulary", m->vocabulary);
    put(tokenizer, "merges", m->merges);
    put_part(o, "tokenizer", tokenizer);
    char *text = json_dumps(o, LAYOUT);
    mp_buf_str(out, text ? text : "");
    mp_buf_str(out, "\n");
    free(text);
    json_decref(o);
}
