/* base.c - errors, views, arenas, buffers. See base.h for the contract. */
#include "base/base.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void flatten(char *text)
{
    for (; *text; text++)
        if (*text == '\n' || *text == '\r')
            *text = ' ';
}

mp_err mp_fail(mp_why *why, mp_err err, const char *format, ...)
{
    if (why) {
        va_list args;
        va_start(args, format);
        vsnprintf(why->text, sizeof why->text, format, args);
        va_end(args);
        flatten(why->text);
    }
    return err;
}

static mp_err err_of_errno(int errnum)
{
    switch (errnum) {
    case ENOENT:
    case ENOTDIR:
        return MP_NOT_FOUND;
    case ENOSPC:
    case EDQUOT:
        return MP_FULL;
    case ENOMEM:
        return MP_NOMEM;
    case EEXIST:
        return MP_EXISTS;
    case EFBIG:
        return MP_TOO_BIG;
    default:
        return MP_IO;
    }
}

mp_err mp_fail_errno(mp_why *why, int errnum, const char *format, ...)
{
    if (why) {
        va_list args;
        va_start(args, format);
        int n = vsnprintf(why->text, sizeof why->text, format, args);
        va_end(args);
        size_t used = n < 0 ? 0 : MP_MIN((size_t)n, sizeof why->text - 1);
        const char *text = strerrordesc_np(errnum); /* glibc 2.32: safe from any thread */
        snprintf(why->text + used, sizeof why->text - used, ": %s", text ? text : "unknown error");
        flatten(why->text);
    }
    return err_of_errno(errnum);
}

const char *mp_err_word(mp_err err)
{
    static const char *const words[] = {
        [MP_OK] = "ok",
        [MP_INVALID] = "invalid",
        [MP_NOT_FOUND] = "not_found",
        [MP_EXISTS] = "exists",
        [MP_UNSUPPORTED] = "unsupported",
        [MP_TOO_BIG] = "too_big",
        [MP_CORRUPT] = "corrupt",
        [MP_IO] = "io",
        [MP_FULL] = "full",
        [MP_BUSY] = "busy",
        [MP_TIMEOUT] = "timeout",
        [MP_CANCELLED] = "cancelled",
        [MP_NOMEM] = "nomem",
        [MP_INTERNAL] = "internal",
    };
    return (unsigned)err < MP_COUNT(words) ? words[err] : "internal";
}

size_t mp_find_sorted(const int64_t *sorted, size_t n, int64_t x)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sorted[middle] < x)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && sorted[low] == x ? low : SIZE_MAX;
}

uint64_t mp_mix64(uint64_t x)
{
    x ^= x >> 33;
    x *= 0xFF51AFD7ED558CCDu;
    return x ^ x >> 33;
}

size_t mp_decimal(int64_t x, char out[MP_DECIMAL])
{
    char text[MP_DECIMAL], *end = text + sizeof text, *at = end;
    uint64_t left = x < 0 ? 0 - (uint64_t)x : (uint64_t)x;
    do
        *--at = (char)('0' + left % 10);
    while (left /= 10);
    if (x < 0)
        *--at = '-';
    size_t n = (size_t)(end - at);
    memcpy(out, at, n);
    out[n] = '\0';
    return n;
}

static void put_digits(char *to, int width, int64_t x)
{
    for (; width > 0; width--, x /= 10)
        to[width - 1] = (char)('0' + x % 10);
}

/* The calendar is counted from the 1st of March, so that a leap day is its year's last, in eras of
 * 400 years (E. G. Richards, Mapping Time, 1998). */
bool mp_utc_text(int64_t ms, char out[MP_UTC_TEXT])
{
    const int64_t day_s = 86400, era_days = 146097, before_1970 = 719468;
    const int64_t first = -62167219200, last = 253402300799; /* 0000-01-01, 9999-12-31 */
    int64_t s = ms / 1000 - (ms % 1000 < 0);
    if (s < first || s > last)
        return false;
    int64_t second = ((s % day_s) + day_s) % day_s, day = (s - second) / day_s + before_1970;
    int64_t era = (day >= 0 ? day : day - era_days + 1) / era_days, of_era = day - era * era_days;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153; /* from March */
    memcpy(out, "0000-00-00T00:00:00Z", sizeof "0000-00-00T00:00:00Z");
    put_digits(out, 4, year + era * 400 + (month >= 10));
    put_digits(out + 5, 2, month < 10 ? month + 3 : month - 9);
    put_digits(out + 8, 2, of_year - (153 * month + 2) / 5 + 1);
    put_digits(out + 11, 2, second / 3600);
    put_digits(out + 14, 2, second / 60 % 60);
    put_digits(out + 17, 2, second % 60);
    return true;
}

mp_str mp_str_of(const char *c_string)
{
    return (mp_str){c_string, c_string ? strlen(c_string) : 0};
}

bool mp_str_eq(mp_str a, mp_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* ---- arena ---- */

enum { ARENA_BLOCK = 64 * 1024, ARENA_ALIGN = 16 };

typedef struct arena_block {
    struct arena_block *next;
    size_t used, size;
} arena_block;

_Static_assert(sizeof(arena_block) <= 32, "block header fits its reserved space");
enum { ARENA_HEAD = 32 }; /* keeps the data behind the header aligned to 16 */

struct mp_arena {
    arena_block *head;
    size_t cap, total;
};

mp_arena *mp_arena_new(size_t cap_bytes)
{
    mp_arena *a = mp_xcalloc(1, sizeof *a);
    a->cap = cap_bytes;
    return a;
}

static arena_block *arena_grow(mp_arena *a, size_t need)
{
#ifdef MP_ARENA_DEBUG
    size_t size = need;
#else
    size_t size = MP_MAX(need, (size_t)ARENA_BLOCK);
#endif
    arena_block *block = aligned_alloc(ARENA_ALIGN, ARENA_HEAD + size);
    if (!block)
        return NULL;
    *block = (arena_block){.next = a->head, .size = size};
    a->head = block;
    return block;
}

void *mp_arena_alloc(mp_arena *a, size_t n)
{
    if (n > SIZE_MAX - ARENA_HEAD - ARENA_ALIGN)
        return NULL;
    size_t need = (n + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
    need = MP_MAX(need, (size_t)ARENA_ALIGN);
    if (a->cap && need > a->cap - MP_MIN(a->cap, a->total))
        return NULL;
    arena_block *block = a->head;
    if (!block || block->size - block->used < need)
        block = arena_grow(a, need);
    if (!block)
        return NULL;
    void *out = (char *)block + ARENA_HEAD + block->used;
    block->used += need;
    a->total += need;
    memset(out, 0, need);
    return out;
}

char *mp_arena_strdup(mp_arena *a, mp_str s)
{
    char *out = mp_arena_alloc(a, s.n + 1);
    if (out && s.n)
        memcpy(out, s.p, s.n);
    return out;
}

void mp_arena_reset(mp_arena *a)
{
    while (a->head) {
        arena_block *next = a->head->next;
        free(a->head);
        a->head = next;
    }
    a->total = 0;
}

void mp_arena_free(mp_arena *a)
{
    if (!a)
        return;
    mp_arena_reset(a);
    free(a);
}

/* ---- allocation ---- */

static void *or_abort(void *p)
{
    if (!p) {
        fputs("magpie: out of memory\n", stderr);
        abort();
    }
    return p;
}

void *mp_xmalloc(size_t n)
{
    return or_abort(malloc(n ? n : 1));
}

void *mp_xcalloc(size_t count, size_t size)
{
    return or_abort(calloc(count ? count : 1, size ? size : 1));
}

void *mp_xrealloc(void *p, size_t n)
{
    return or_abort(realloc(p, n ? n : 1));
}

char *mp_xstrdup(const char *s)
{
    return or_abort(strdup(s));
}

void *mp_try_array(size_t count, size_t size)
{
    return calloc(count ? count : 1, size ? size : 1);
}

/* ---- buffer ---- */

void mp_buf_grow(mp_buf *b, size_t extra)
{
    if (b->cap - b->n > extra)
        return;
    size_t cap = MP_MAX(b->cap * 2, b->n + extra + 1);
    b->p = mp_xrealloc(b->p, MP_MAX(cap, (size_t)64));
    b->cap = MP_MAX(cap, (size_t)64);
}

void mp_buf_printf(mp_buf *b, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    mp_buf_grow(b, 0);
    size_t room = b->cap - b->n;
    int n = vsnprintf(b->p + b->n, room, format, args);
    va_end(args);
    if (n > 0 && (size_t)n >= room) {
        mp_buf_grow(b, (size_t)n);
        vsnprintf(b->p + b->n, (size_t)n + 1, format, again);
    }
    b->n += n > 0 ? (size_t)n : 0;
    b->p[b->n] = '\0';
    va_end(again);
}

void mp_buf_free(mp_buf *b)
{
    free(b->p);
    *b = (mp_buf){0};
}
