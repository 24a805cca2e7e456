/* dedup_keep.c - which copy to keep: a table of questions, asked in turn until one decides. */
#include "core/dedup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Formats from best to worst as a master: lossless, then lossy by how faithful they usually are. */
static int format_rank(const char *format)
{
    static const char *const order[] = {"tiff", "png",  "ppm",  "heic",
                                        "avif", "jpeg", "webp", "gif"};
    for (size_t i = 0; i < MP_COUNT(order); i++)
        if (format && !strcmp(format, order[i]))
            return (int)i;
    return MP_COUNT(order);
}

static int64_t pixels(const mp_keep_candidate *c)
{
    return (int64_t)((double)c->width * c->height * (double)(1 - c->added));
}

static int64_t born(const mp_keep_candidate *c)
{
    int64_t t = c->taken_ms ? c->taken_ms : c->mtime_ms;
    return t ? t : INT64_MAX;
}

static int compare(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* Each answers > 0 when `a` is the better one. Small differences do not count. */
static int present(const mp_keep_candidate *a, const mp_keep_candidate *b)
{
    return (int)b->missing - (int)a->missing;
}

static int larger(const mp_keep_candidate *a, const mp_keep_candidate *b)
{
    int64_t x = pixels(a), y = pixels(b);
    /* What was added is measured on small pictures, not to the pixel. */
    int64_t slack = a->added > 0 || b->added > 0 ? MP_MIN(x, y) / 25 : 0;
    return llabs(x - y) <= slack ? 0 : compare(x, y);
}

static int nothing_added(const mp_keep_candidate *a, const mp_keep_candidate *b)
{
    return (int)(b->added > 0) - (int)(a->added > 0);
}

static int in_colour(const mp_keep_candidate *a, const mp_keep_candidate *b)
{
    return (int)b->dull - (int)a->dull;
}

static int better_format(const mp_keep_candidate *a, const mp_keep_candidate *b)
{
    return format_rank(b->format) - format_rank(a->format);
}

static int more_bytes(const mp_keep_candidate *a, const mp_keep_candidate *b)
{
    int64_t slack = MP_MIN(a->bytes, b->bytes) / 50;
    return llabs(a->bytes - b->bytes) <= slack ? 0 : compare(a->bytes, b->bytes);
}

static int fewer_issues(const mp_keep_candidate *a, const mp_keep_candidate *b)
{
    return __builtin_popcount(b->issues) - __builtin_popcount(a->issues);
}

static int sharper(const mp_keep_candidate *a, const mp_keep_candidate *b)
{
    float more = a->sharpness - b->sharpness, slack = MP_MIN(a->sharpness, b->sharpness) / 20;
    return more > slack ? 1 : more < -slack ? -1 : 0;
}

static int older(const mp_keep_candidate *a, const mp_keep_candidate *b)
{
    return compare(born(b), born(a));
}

static int first_added(const mp_keep_candidate *a, const mp_keep_candidate *b)
{
    return compare(b->id, a->id);
}

typedef struct question {
    int (*better)(const mp_keep_candidate *a, const mp_keep_candidate *b);
    const char *reason;
} question;

static const question QUESTIONS[] = {
    {present, "still there"},
    {larger, "most pixels"},
    {nothing_added, "no frame or caption"},
    {in_colour, "in colour"},
    {better_format, "best format"},
    {more_bytes, "least compressed"},
    {fewer_issues, "fewest flaws"},
    {sharper, "sharpest"},
    {older, "oldest"},
    {first_added, "added first"},
};

/* Leaves those that no other one beats by this question; true when some had to go. */
static bool sift(const mp_keep_candidate *c, const question *q, size_t *left, size_t *n)
{
    size_t best = left[0], kept = 0, before = *n;
    for (size_t i = 1; i < *n; i++)
        if (q->better(&c[left[i]], &c[best]) > 0)
            best = left[i];
    for (size_t i = 0; i < *n; i++)
        if (q->better(&c[best], &c[left[i]]) <= 0)
            left[kept++] = left[i];
    *n = kept;
    return kept < before;
}

size_t mp_dedup_keep(const mp_keep_candidate *c, size_t n, char *reason, size_t cap)
{
    size_t *left = mp_xcalloc(n, sizeof *left), n_left = n;
    mp_buf words = {0};
    for (size_t i = 0; i < n; i++)
        left[i] = i;
    for (size_t i = 0; i < MP_COUNT(QUESTIONS) && n_left > 1; i++) {
        const question *q = &QUESTIONS[i];
        if (!sift(c, q, left, &n_left))
            continue;
        mp_buf_printf(&words, "%s%s", words.n ? ", then " : "", q->reason);
        if (q->better == larger)
            mp_buf_printf(&words, " (%d x %d)", (int)c[left[0]].width, (int)c[left[0]].height);
        if (q->better == better_format)
            mp_buf_printf(&words, " (%s)", c[left[0]].format);
    }
    size_t keep = left[0];
    snprintf(reason, cap, "%s", words.n ? words.p : "the only one");
    mp_buf_free(&words);
    free(left);
    return keep;
}
