/* odds.c - see odds.h. */
#include "http/odds.h"

#include "http/server.h"

#include "base/os.h"
#include "core/ports.h"

#include <stdio.h>
#include <string.h>

/* What is kept: this, and the rows behind it. */
typedef struct head {
    uint64_t n, n_normals;
    double seconds;
    char method[32];
} head;

static void pack(const magpie_odds *odds, double seconds, mp_buf *out)
{
    head h = {.n = odds->n, .n_normals = odds->n_normals, .seconds = seconds};
    snprintf(h.method, sizeof h.method, "%s", odds->method);
    mp_buf_add(out, &h, sizeof h);
    for (size_t i = 0; i < odds->n; i++) {
        const magpie_odd *o = &odds->odd[i];
        mp_odd_row row = {.id = o->id, .p = o->p, .score = o->score, .nearest = o->nearest};
        mp_buf_add(out, &row, sizeof row);
    }
}

static mp_err judge(mp_request *r, const char *where, const char *normals, mp_buf *out, mp_why *why)
{
    magpie_odd_options opt = {.where = where,
                              .normals = normals,
                              .on_progress = mp_service_draining,
                              .context = r->service};
    magpie_odds *odds;
    double began = mp_monotonic_s();
    mp_err err =
        (mp_err)magpie_odd_ones(r->service->library, &opt, &odds, (magpie_why *)(void *)why);
    double seconds = mp_monotonic_s() - began;
    mp_metrics_observe(r->service->metrics, MP_IMAGE_PROCESSING, "anomalies", seconds);
    if (err)
        return err;
    pack(odds, seconds, out);
    magpie_odds_free(odds);
    return MP_OK;
}

/* The state is read before anything is judged: what changes meanwhile gives the list a name that is
 * too old, never one that is too new. */
static mp_err find_bytes(mp_request *r, const char *where, const char *normals, mp_buf *out,
                         mp_why *why)
{
    mp_generation now;
    mp_buf key = {0};
    mp_err err = mp_meta_generation(mp_core_meta(r->service->library), &now, why);
    if (err)
        return err;
    mp_buf_printf(&key, "odd %llu %lld %s\n%s",
                  (unsigned long long)mp_core_model_turn(r->service->library),
                  (long long)now.changes, where ? where : "*", normals ? normals : "*");
    mp_span name = {(const uint8_t *)key.p, key.n};
    if (!mp_cache_get(r->service->groups, name, out)) {
        err = judge(r, where, normals, out, why);
        if (!err)
            mp_cache_put(r->service->groups, name, (mp_span){(const uint8_t *)out->p, out->n});
    }
    mp_buf_free(&key);
    return err;
}

mp_err mp_odds_find(mp_request *r, const char *where, const char *normals, mp_odd_list *out,
                    mp_why *why)
{
    mp_buf bytes = {0};
    *out = (mp_odd_list){0};
    mp_err err = find_bytes(r, where, normals, &bytes, why);
    head *h = err ? NULL : mp_arena_alloc(r->arena, bytes.n);
    if (h) {
        memcpy(h, bytes.p, bytes.n);
        *out = (mp_odd_list){.row = (const mp_odd_row *)(h + 1),
                             .n = h->n,
                             .n_normals = h->n_normals,
                             .method = h->method,
                             .seconds = h->seconds};
    } else if (!err) {
        err = mp_fail(why, MP_NOMEM, "no memory for so many pictures");
    }
    mp_buf_free(&bytes);
    return err;
}
