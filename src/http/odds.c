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

static bool draining(void *context, const magpie_progress *p)
{
    (void)p;
    return atomic_load(&((mp_service *)context)->draining);
}

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

static bool judge(mp_request *r, const char *where, const char *normals, mp_buf *out)
{
    magpie_odd_options opt = {
        .where = where, .normals = normals, .on_progress = draining, .context = r->service};
    magpie_odds *odds;
    magpie_why why = {0};
    double began = mp_monotonic_s();
    magpie_err err = magpie_odd_ones(r->service->library, &opt, &odds, &why);
    double seconds = mp_monotonic_s() - began;
    mp_metrics_observe(r->service->metrics, MP_IMAGE_PROCESSING, "anomalies", seconds);
    if (err) {
        mp_reply_error(r, err, &why);
        return false;
    }
    pack(odds, seconds, out);
    magpie_odds_free(odds);
    return true;
}

/* The state is read before anything is judged: what changes meanwhile gives the list a name that is
 * too old, never one that is too new. */
static bool find_bytes(mp_request *r, const char *where, const char *normals, mp_buf *out)
{
    mp_generation now;
    mp_why why = {0};
    mp_buf key = {0};
    mp_err err = mp_meta_generation(mp_core_meta(r->service->library), &now, &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return false;
    }
    mp_buf_printf(&key, "odd %llu %lld %s\n%s",
                  (unsigned long long)mp_core_model_turn(r->service->library),
                  (long long)now.changes, where ? where : "*", normals ? normals : "*");
    mp_span name = {(const uint8_t *)key.p, key.n};
    bool found = mp_cache_get(r->service->groups, name, out);
    if (!found && judge(r, where, normals, out)) {
        mp_cache_put(r->service->groups, name, (mp_span){(const uint8_t *)out->p, out->n});
        found = true;
    }
    mp_buf_free(&key);
    return found;
}

bool mp_odds_find(mp_request *r, const char *where, const char *normals, mp_odd_list *out)
{
    mp_buf bytes = {0};
    head *h = NULL;
    *out = (mp_odd_list){0};
    bool found = find_bytes(r, where, normals, &bytes);
    if (found)
        h = mp_arena_alloc(r->arena, bytes.n);
    if (h) {
        memcpy(h, bytes.p, bytes.n);
        *out = (mp_odd_list){.row = (const mp_odd_row *)(h + 1),
                             .n = h->n,
                             .n_normals = h->n_normals,
                             .method = h->method,
                             .seconds = h->seconds};
    } else if (found) {
        mp_reply_problem(r, 503, "no memory for so many pictures; try again");
    }
    mp_buf_free(&bytes);
    return h != NULL;
}
