/* embed.c - vectors of pictures and words: the embedding service, inside `serve` and alone as
 * `magpie embed`. */
#include "http/body.h"
#include "http/items.h"
#include "http/search.h"
#include "http/server.h"

#include "core/ports.h"

#include "base/os.h"

#include <stdlib.h>
#include <string.h>

static json_t *vector_json(const float *v, int dims)
{
    json_t *list = json_array();
    for (int i = 0; i < dims; i++)
        json_array_append_new(list, json_real((double)v[i]));
    return list;
}

/* `one`: {"embedding": [...]}; else {"embeddings": [[...], ...]}. */
static void embed(mp_request *r, const magpie_term *terms, size_t n, magpie_space space, bool one)
{
    static const char *const words[] = {"look", "word"};
    magpie_why why = {0};
    float *v;
    int dims;
    double began = mp_monotonic_s();
    magpie_err err = magpie_embed(r->service->library, terms, n, space, &v, &dims, &why);
    mp_metrics_observe(r->service->metrics, MP_IMAGE_PROCESSING, "embed", mp_monotonic_s() - began);
    if (err == MAGPIE_UNSUPPORTED && terms[0].kind == MAGPIE_TEXT) {
        mp_reply_problem(r, 422, "%s", why.text);
        return;
    }
    if (err) {
        mp_search_fail(r, err, &why);
        return;
    }
    char model[64], version[65];
    mp_core_model_name(r->service->library, model, version);
    json_t *o = json_pack("{s:s, s:s, s:i, s:s}", "model", model, "model_version", version, "dims",
                          dims, "space", words[space]);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, vector_json(v + i * (size_t)dims, dims));
    if (one)
        json_object_set(o, "embedding", json_array_get(list, 0));
    else
        json_object_set(o, "embeddings", list);
    json_decref(list);
    magpie_free(v);
    mp_reply_json(r, 200, o);
}

static void embed_files(mp_request *r, size_t most)
{
    magpie_term *terms = mp_arena_alloc(r->arena, (r->n_parts + 1) * sizeof *terms);
    size_t n = 0;
    int space;
    for (size_t i = 0; terms && i < r->n_parts && n < most; i++)
        if (r->parts[i].file_name && r->parts[i].bytes)
            terms[n++] =
                (magpie_term){.kind = MAGPIE_FILE,
                              .text = mp_request_text(r, "/proc/self/fd/%d", r->parts[i].fd)};
    if (!mp_request_choice(r, "space", "look|word", &space))
        return;
    if (!n)
        mp_reply_problem(r, 422, "there is no file in the body");
    else
        embed(r, terms, n, (magpie_space)space, most == 1);
}

void mp_handle_embed_image(mp_request *r)
{
    embed_files(r, 1);
}

void mp_handle_embed_images(mp_request *r)
{
    embed_files(r, SIZE_MAX);
}

void mp_handle_embed_text(mp_request *r)
{
    static const mp_member members[] = {{"text", JSON_STRING, true, 1, MAGPIE_TEXT_BYTES}};
    if (!mp_body_read(r, members, MP_COUNT(members)))
        return;
    magpie_term term = {.kind = MAGPIE_TEXT, .text = mp_body_text(r, "text")};
    embed(r, &term, 1, MAGPIE_WORD, true);
}
