/* What every metadata store promises of pages (meta.h): each order, up and down, whole and without
 * a gap, whether few match or so many that the store answers in another way. */
#include "../unit/test.h"
#include "base/os.h"
#include "meta/meta.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 12000, FEW = 40, LIMIT = 997 };

typedef struct store {
    char dir[64], url[128];
    mp_meta *m;
    mp_item *items; /* N, by id */
} store;

static mp_item item_of(int i, mp_rng *rng)
{
    static char path[N][32];
    snprintf(path[i], sizeof path[i], "/p/%05u.jpg", (unsigned)(mp_rng_u64(rng) % 100000));
    snprintf(path[i] + 12, sizeof path[i] - 12, "-%d", i);
    mp_item item = {.path = path[i],
                    .name = path[i] + 3,
                    .title = "",
                    .description = "",
                    .format = i < FEW ? "png" : "jpeg",
                    .width = 100,
                    .height = 50,
                    .frames = 1,
                    .bytes = (int64_t)(mp_rng_u64(rng) % 5000),
                    .mtime_ns = (int64_t)(mp_rng_u64(rng) % 3000) * 86400000000000,
                    .added_ms = (int64_t)(mp_rng_u64(rng) % 1000)};
    /* Of some it is known when they were taken; many have the same date as others. */
    if (i % 3)
        item.taken_ms = (int64_t)(1 + mp_rng_u64(rng) % 3000) * 86400000;
    memcpy(item.sha256, &i, sizeof i);
    return item;
}

static int set_up(void **state)
{
    mp_why why;
    mp_rng rng = {7};
    store *s = mp_xcalloc(1, sizeof *s);
    mp_put *put = mp_xcalloc(N, sizeof *put);
    mp_meta_options opt = {.create = true, .busy_ms = 5000};
    *state = s;
    snprintf(s->dir, sizeof s->dir, "/tmp/magpie-pages-XXXXXX");
    if (!mkdtemp(s->dir))
        return -1;
    snprintf(s->url, sizeof s->url, "sqlite:%s/magpie.db", s->dir);
    assert_ok(mp_meta_open(&s->m, s->url, &opt, &why));
    for (int i = 0; i < N; i++)
        put[i].item = item_of(i, &rng);
    assert_ok(mp_meta_put_items(s->m, put, N, &why));
    s->items = mp_xcalloc(N, sizeof *s->items);
    for (int i = 0; i < N; i++)
        s->items[i] = put[i].item;
    free(put);
    return 0;
}

static int tear_down(void **state)
{
    store *s = *state;
    char command[96];
    mp_meta_close(s->m);
    snprintf(command, sizeof command, "rm -rf %s", s->dir);
    int code = system(command);
    free(s->items);
    free(s);
    return code;
}

static mp_page_order order_of_test;

static int by_order(const void *x, const void *y)
{
    const mp_item *a = x, *b = y;
    mp_page_mark p = mp_meta_mark(a, order_of_test), q = mp_meta_mark(b, order_of_test);
    if (order_of_test == MP_BY_NAME && strcmp(p.text, q.text) != 0)
        return strcmp(p.text, q.text);
    if (order_of_test != MP_BY_NAME && p.number != q.number)
        return p.number < q.number ? -1 : 1;
    return (a->id > b->id) - (a->id < b->id);
}

/* All pages of a filter that the items match for which `first` <= position < `end`. */
static void check(store *s, const char *where, size_t first, size_t end, mp_page_order order,
                  bool descending)
{
    mp_why why;
    mp_arena *arena = mp_arena_new(0);
    const mp_filter *filter;
    size_t n_want = end - first, seen = 0, n;
    mp_item *want = mp_xcalloc(n_want, sizeof *want), *got;
    mp_page_mark mark;
    mp_page page = {.order = order, .descending = descending};
    memcpy(want, s->items + first, n_want * sizeof *want);
    order_of_test = order;
    qsort(want, n_want, sizeof *want, by_order);
    assert_ok(mp_filter_parse(where, arena, &filter, &why));
    do {
        assert_ok(mp_meta_page(s->m, filter, &page, LIMIT, arena, &got, &n, &why));
        assert_true(seen + n <= n_want);
        for (size_t i = 0; i < n; i++, seen++)
            assert_int_equal(got[i].id, want[descending ? n_want - 1 - seen : seen].id);
        if (n)
            mark = mp_meta_mark(&got[n - 1], order);
        page.after = &mark;
    } while (n == LIMIT);
    assert_int_equal(seen, n_want);
    free(want);
    mp_arena_free(arena);
}

static void pages_are_whole_and_in_order(void **state)
{
    static const mp_page_order orders[] = {MP_BY_ID, MP_BY_ADDED, MP_BY_DATE, MP_BY_SIZE,
                                           MP_BY_NAME};
    for (size_t i = 0; i < MP_COUNT(orders); i++)
        for (int down = 0; down < 2; down++) {
            check(*state, "", 0, N, orders[i], down);
            check(*state, "format:jpeg", FEW, N, orders[i], down);
            check(*state, "format:png", 0, FEW, orders[i], down);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_whole_and_in_order),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
