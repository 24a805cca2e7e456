/* base.h - what every room shares: error codes, views, arenas.
 *
 * Conventions of the whole code base:
 *  - A function that can fail returns mp_err and takes a last argument
 *    `mp_why *why` (may be NULL) that receives one line of text where the failure
 *    is detected. On failure every output is NULL or 0.
 *  - Views (mp_str, mp_span) never own. Owners are named at each declaration.
 *  - Units are part of names (timeout_ms, size_bytes).
 * Everything here is safe from any thread; an arena belongs to one thread at a time. */
#ifndef MP_BASE_H
#define MP_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__)
#define MP_CHECK        __attribute__((warn_unused_result))
#define MP_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define MP_CHECK
#define MP_PRINTF(f, a)
#endif

#define MP_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MP_MIN(a, b)    ((a) < (b) ? (a) : (b))
#define MP_MAX(a, b)    ((a) > (b) ? (a) : (b))

/* Numbers are those of magpie_err in magpie.h (asserted in core). */
typedef enum mp_err {
    MP_OK = 0,
    MP_INVALID,     /* the caller's argument or a malformed query */
    MP_NOT_FOUND,   /* no such object, file or library */
    MP_EXISTS,      /* it is there already */
    MP_UNSUPPORTED, /* well-formed, but nothing here can handle it */
    MP_TOO_BIG,     /* over a stated limit (pixels, bytes, arena) */
    MP_CORRUPT,     /* damaged bytes: picture, snapshot, database, weights */
    MP_IO,          /* the system refused a read or a write */
    MP_FULL,        /* no space left on the device */
    MP_BUSY,        /* another process or thread holds it */
    MP_TIMEOUT,     /* a deadline passed */
    MP_CANCELLED,   /* the caller asked to stop */
    MP_NOMEM,       /* an input-derived allocation failed */
    MP_INTERNAL     /* a bug of ours, or a library answered what it never should */
} mp_err;

/* One line of text about a failure; never contains a newline. */
typedef struct mp_why {
    char text[512];
} mp_why;

/* Formats into `why` (NULL allowed) and returns `err`, so that a failure is one statement. */
mp_err mp_fail(mp_why *why, mp_err err, const char *format, ...) MP_PRINTF(3, 4);
/* The same for a failed system call: maps errno to a code (ENOSPC, EDQUOT -> MP_FULL, ENOENT ->
 * MP_NOT_FOUND, ENOMEM -> MP_NOMEM, others MP_IO) and appends ": " and strerror text. */
mp_err mp_fail_errno(mp_why *why, int errnum, const char *format, ...) MP_PRINTF(3, 4);
/* "invalid", "not_found", ...: the stable word for JSON and logs. Static storage. */
const char *mp_err_word(mp_err err);

/* Views. `p` need not be NUL-terminated; a NULL `p` has n == 0. */
typedef struct mp_str {
    const char *p;
    size_t n;
} mp_str;

typedef struct mp_span {
    const uint8_t *p;
    size_t n;
} mp_span;

mp_str mp_str_of(const char *c_string); /* NULL gives the empty view */

/* As printf's %lld; how many characters. A tenth of its time: answers are full of numbers. */
enum { MP_DECIMAL = 24 };
size_t mp_decimal(int64_t x, char out[MP_DECIMAL]);
/* Milliseconds since 1970 as 2026-01-31T23:59:59Z (RFC 3339); false outside the years 0 to 9999. */
enum { MP_UTC_TEXT = 24 };
bool mp_utc_text(int64_t ms, char out[MP_UTC_TEXT]);
bool mp_str_eq(mp_str a, mp_str b);

/* Position of x in the ascending array, or SIZE_MAX. */
size_t mp_find_sorted(const int64_t *sorted, size_t n, int64_t x);
/* Spreads the bits of a key over a table of a power of two; a bijection. */
uint64_t mp_mix64(uint64_t x);

/* An arena: allocations that are freed together, under a cap. In builds with
 * MP_ARENA_DEBUG each allocation is its own malloc, so that ASan sees overruns. */
typedef struct mp_arena mp_arena;
/* Aborts when out of memory (a small, fixed allocation). cap_bytes 0: no cap. */
mp_arena *mp_arena_new(size_t cap_bytes);
/* 16-byte aligned and zeroed; NULL once the cap or memory is used up. */
void *mp_arena_alloc(mp_arena *a, size_t n);
char *mp_arena_strdup(mp_arena *a, mp_str s); /* NUL-terminated copy, or NULL */
void mp_arena_reset(mp_arena *a);
void mp_arena_free(mp_arena *a); /* NULL allowed */

/* malloc that aborts: only for small allocations whose size no input decides. */
void *mp_xmalloc(size_t n);
void *mp_xcalloc(size_t count, size_t size);
void *mp_xrealloc(void *p, size_t n);
char *mp_xstrdup(const char *s);
/* NULL on overflow of count * size or when memory is short: for input-derived sizes. */
void *mp_try_array(size_t count, size_t size);

/* A growing, NUL-terminated byte string. Aborts when out of memory. */
typedef struct mp_buf {
    char *p;
    size_t n, cap;
} mp_buf;
void mp_buf_grow(mp_buf *b, size_t extra); /* room for so many more, and the NUL */
/* Inline: answers are made of thousands of pieces of a few bytes. */
static inline void mp_buf_add(mp_buf *b, const void *data, size_t n)
{
    if (b->cap - b->n <= n)
        mp_buf_grow(b, n);
    if (n)
        memcpy(b->p + b->n, data, n);
    b->n += n;
    b->p[b->n] = '\0';
}
static inline void mp_buf_str(mp_buf *b, const char *s)
{
    mp_buf_add(b, s, strlen(s));
}
void mp_buf_printf(mp_buf *b, const char *format, ...) MP_PRINTF(2, 3);
void mp_buf_free(mp_buf *b);

#endif
