/* nfc.c - see nfc.h.
 *
 * One pass: characters come decomposed; a starter (combining class 0) waits together with the marks
 * after it until the next starter, then the marks are put in order and what composes is composed
 * (The Unicode Standard, 3.11). */
#include "model/nfc.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

enum { CLASSES = 256, FEW_MARKS = 16 };

typedef struct mark {
    gunichar c;
    int class;
} mark;

typedef struct composer {
    mp_buf *out;
    gunichar starter;
    bool has_starter; /* false only before the first one */
    mark *marks;
    size_t n, cap;
} composer;

static void add_point(mp_buf *out, gunichar c)
{
    char utf8[6];
    mp_buf_add(out, utf8, (size_t)g_unichar_to_utf8(c, utf8));
}

/* By class; equal ones keep their order. */
static void order_few(mark *marks, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        mark one = marks[i];
        size_t at = i;
        for (; at > 0 && marks[at - 1].class > one.class; at--)
            marks[at] = marks[at - 1];
        marks[at] = one;
    }
}

static void order_many(mark *marks, size_t n)
{
    size_t at[CLASSES + 1] = {0};
    mark *sorted = mp_xmalloc(n * sizeof *sorted);
    for (size_t i = 0; i < n; i++)
        at[marks[i].class + 1]++;
    for (int k = 0; k < CLASSES; k++)
        at[k + 1] += at[k];
    for (size_t i = 0; i < n; i++)
        sorted[at[marks[i].class]++] = marks[i];
    memcpy(marks, sorted, n * sizeof *sorted);
    free(sorted);
}

/* Orders the marks and takes those into the starter that compose with it: ones that no mark of the
 * same class stays before. */
static void settle(composer *k)
{
    size_t kept = 0;
    if (k->n <= FEW_MARKS)
        order_few(k->marks, k->n);
    else
        order_many(k->marks, k->n);
    for (size_t i = 0; i < k->n; i++) {
        bool blocked = kept && k->marks[kept - 1].class == k->marks[i].class;
        gunichar made;
        if (k->has_starter && !blocked && g_unichar_compose(k->starter, k->marks[i].c, &made))
            k->starter = made;
        else
            k->marks[kept++] = k->marks[i];
    }
    k->n = kept;
}

static void flush(composer *k)
{
    if (k->has_starter)
        add_point(k->out, k->starter);
    for (size_t i = 0; i < k->n; i++)
        add_point(k->out, k->marks[i].c);
    k->has_starter = false;
    k->n = 0;
}

static void take_mark(composer *k, gunichar c, int class)
{
    if (k->n == k->cap) {
        k->cap = k->cap ? 2 * k->cap : FEW_MARKS;
        k->marks = mp_xrealloc(k->marks, k->cap * sizeof *k->marks);
    }
    k->marks[k->n++] = (mark){c, class};
}

/* Some starters compose with the one right before them: Hangul's vowels, vowel signs of India. */
static void take_starter(composer *k, gunichar c)
{
    gunichar made;
    settle(k);
    if (k->has_starter && k->n == 0 && g_unichar_compose(k->starter, c, &made)) {
        k->starter = made;
        return;
    }
    flush(k);
    k->starter = c;
    k->has_starter = true;
}

static void take(composer *k, gunichar c)
{
    gunichar parts[G_UNICHAR_MAX_DECOMPOSITION_LENGTH];
    gsize n = g_unichar_fully_decompose(c, FALSE, parts, MP_COUNT(parts));
    for (gsize i = 0; i < n; i++) {
        int class = g_unichar_combining_class(parts[i]);
        if (class)
            take_mark(k, parts[i], class);
        else
            take_starter(k, parts[i]);
    }
}

/* A run of ASCII, of which only the last character can meet a mark. */
static void take_plain(composer *k, const char *p, size_t n)
{
    settle(k);
    flush(k);
    mp_buf_add(k->out, p, n - 1);
    k->starter = (gunichar)p[n - 1];
    k->has_starter = true;
}

void mp_nfc(mp_buf *out, mp_str text)
{
    composer k = {.out = out};
    if (!text.n)
        return;
    for (const char *at = text.p, *end = text.p + text.n; at < end;) {
        const char *run = at;
        while (run < end && !(*run & 0x80))
            run++;
        if (run > at) {
            take_plain(&k, at, (size_t)(run - at));
            at = run;
        } else {
            take(&k, g_utf8_get_char(at));
            at = g_utf8_next_char(at);
        }
    }
    settle(&k);
    flush(&k);
    free(k.marks);
}
