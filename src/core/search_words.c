/* search_words.c - words that are asked with: which ones may be, and their vectors, remembered. See
 * search.h. */
#include "core/search.h"

#include <stdlib.h>
#include <string.h>

mp_err mp_core_check_question(const char *text, mp_why *why)
{
    size_t n = text ? strlen(text) : 0;
    if (n > MAGPIE_TEXT_BYTES)
        return mp_fail(why, MP_INVALID, "the text has %zu bytes; at most %d are allowed", n,
                       MAGPIE_TEXT_BYTES);
    return mp_model_check_text((mp_str){text, n}, why);
}

static void make_key(mp_buf *key, char kind, const mp_model *model, mp_str text)
{
    mp_buf_add(key, &kind, 1);
    mp_buf_add(key, &model, sizeof(const mp_model *));
    mp_buf_add(key, text.p, text.n);
}

static mp_span span_of(const mp_buf *b)
{
    return (mp_span){(const uint8_t *)b->p, b->n};
}

/* The value under the key, when it has that size. */
static bool remembered(mp_search *s, const mp_buf *key, void *out, size_t size)
{
    mp_buf value = {0};
    bool found = mp_cache_get(s->m->words, span_of(key), &value) && value.n == size;
    if (found)
        memcpy(out, value.p, size);
    mp_buf_free(&value);
    return found;
}

mp_err mp_search_encode_text(mp_search *s, const char *text, float *word_and_aim,
                             mp_text_info *info, mp_why *why)
{
    size_t dims = (size_t)s->info->space[MP_SPACE_WORD].dims;
    size_t both = (dims + (size_t)s->info->space[MP_SPACE_COPY].dims) * sizeof(float);
    mp_buf key = {0}, value = {0};
    mp_err err = MP_OK;
    make_key(&key, 'w', s->model, mp_str_of(text));
    uint8_t *bytes = mp_try_array(1, sizeof *info + both);
    if (!bytes)
        err = mp_fail(why, MP_NOMEM, "no memory for a query");
    if (!err && remembered(s, &key, bytes, sizeof *info + both)) {
        memcpy(info, bytes, sizeof *info);
        memcpy(word_and_aim, bytes + sizeof *info, both);
    } else if (!err) {
        memset(info, 0, sizeof *info);
        err = mp_model_encode_text(s->model, mp_str_of(text), word_and_aim, word_and_aim + dims,
                                   info, why);
        mp_buf_add(&value, info, sizeof *info);
        mp_buf_add(&value, word_and_aim, both);
        if (!err)
            mp_cache_put(s->m->words, span_of(&key), span_of(&value));
    }
    free(bytes);
    mp_buf_free(&value);
    mp_buf_free(&key);
    return err;
}

mp_err mp_search_encode_sentence(mp_search *s, mp_str text, float *out, mp_why *why)
{
    size_t size = (size_t)s->info->space[MP_SPACE_SENTENCE].dims * sizeof *out;
    mp_buf key = {0};
    mp_err err = MP_OK;
    make_key(&key, 's', s->model, text);
    if (!remembered(s, &key, out, size)) {
        err = mp_model_encode_sentences(s->model, &text, 1, out, why);
        if (!err)
            mp_cache_put(s->m->words, span_of(&key), (mp_span){(const uint8_t *)out, size});
    }
    mp_buf_free(&key);
    return err;
}
