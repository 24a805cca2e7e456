/* dedup_keep.c - which copy to keep, and why. */
#include "core/dedup.h"

#include <stdio.h>
#include <string.h>

/* Lossless formats keep more than lossy ones of the same size; GIF has 256 colours. */
static int format_rank(const char *format)
{
    static const char *const worst_first[] = {"gif", "webp", "jpeg", "avif", "heic",
                                              "ppm", "tiff", "png"};
    for (size_t i = 0; i < MP_COUNT(worst_first); i++)
        if (strcmp(worst_first[i], format) == 0)
            return (int)i / 2;
    return 0;
}

static int64_t pixels(const mp_keep_candidate *c)
{
    return (int64_t)c->width * c->height;
}

static int64_t age(const mp_keep_candidate *c)
{
    return c->taken_ms ? c->taken_ms : c->mtime_ms;
}

/* > 0 when x is to be kept before y; *why_word: what decided. */
static int compare(const mp_keep_candidate *x, const mp_keep_candidate *y, const char **decided)
{
    const struct {
        const char *word;
        double difference;
    } rows[] = {
        {"present", (double)(y->missing - x->missing)},
        {"largest", (double)(pixels(x) - pixels(y))},
        {"best format", (double)(format_rank(x->format) - format_rank(y->format))},
        {"least compressed", (double)(x->bytes - y->bytes)},
        {"fewest issues", (double)(__builtin_popcount(y->issues) - __builtin_popcount(x->issues))},
        {"sharpest", (double)(x->sharpness - y->sharpness)},
        {"oldest", (double)(age(y) - age(x))},
        {"added first", (double)(y->id - x->id)},
    };
    for (size_t i = 0; i < MP_COUNT(rows); i++)
        if (rows[i].difference != 0) {
            *decided = rows[i].word;
            return rows[i].difference > 0 ? 1 : -1;
        }
    *decided = "any of them";
    return 0;
}

size_t mp_dedup_keep(const mp_keep_candidate *c, size_t n, char *reason, size_t cap)
{
    const char *decided = "only one", *word;
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (compare(&c[i], &c[best], &word) > 0)
            best = i;
    /* The reason is what sets it apart from the runner-up. */
    size_t second = SIZE_MAX;
    for (size_t i = 0; i < n; i++)
        if (i != best && (second == SIZE_MAX || compare(&c[i], &c[second], &word) > 0))
            second = i;
    if (second != SIZE_MAX)
        (void)compare(&c[best], &c[second], &decided);
    snprintf(reason, cap, "%s: %d x %d %s, %lld kB", decided, c[best].width, c[best].height,
             c[best].format, (long long)(c[best].bytes + 1023) / 1024);
    return best;
}
