/* table.c - aligned columns. All cells are kept until the widths are known. */
#include "app/term.h"
#include "app/text.h"

#include <limits.h>
#include <stdlib.h>

enum { GAP = 2, LEAST = 12 };

typedef struct cell {
    char *text;
    paint p;
} cell;

struct table {
    const column *columns; /* the caller's; static */
    size_t n_columns;
    cell *cells;
    size_t n, cap;
};

table *table_new(const column *columns, size_t n)
{
    table *t = mp_xcalloc(1, sizeof *t);
    t->columns = columns;
    t->n_columns = n;
    return t;
}

void table_free(table *t)
{
    for (size_t i = 0; i < t->n; i++)
        free(t->cells[i].text);
    free(t->cells);
    free(t);
}

void table_cell(table *t, paint p, const char *text)
{
    mp_buf b = {0};
    if (t->n == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 64;
        t->cells = mp_xrealloc(t->cells, t->cap * sizeof *t->cells);
    }
    text_for_terminal(&b, text);
    t->cells[t->n++] = (cell){.text = b.p ? b.p : mp_xstrdup(""), .p = p};
}

void table_cellf(table *t, paint p, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    table_cell(t, p, n < 0 ? "" : text);
    free(n < 0 ? NULL : text);
}

static bool has_titles(const table *t)
{
    for (size_t c = 0; c < t->n_columns; c++)
        if (*t->columns[c].title)
            return true;
    return false;
}

/* Natural widths, then the flexible columns give way, the widest first. */
static void measure(const table *t, int room, int *width)
{
    int total = GAP * (int)(t->n_columns - 1);
    for (size_t c = 0; c < t->n_columns; c++) {
        width[c] = text_width(t->columns[c].title);
        for (size_t i = c; i < t->n; i += t->n_columns)
            width[c] = MP_MAX(width[c], text_width(t->cells[i].text));
        total += width[c];
    }
    while (total > room) {
        size_t widest = t->n_columns;
        for (size_t c = 0; c < t->n_columns; c++)
            if (t->columns[c].flexible && width[c] > LEAST &&
                (widest == t->n_columns || width[c] > width[widest]))
                widest = c;
        if (widest == t->n_columns)
            return;
        width[widest]--;
        total--;
    }
}

static void put(const table *t, const term *to, size_t c, int width, const char *text, paint p)
{
    mp_buf b = {0};
    text_clip(&b, text, width, term_ellipsis(to));
    const char *shown = b.p ? b.p : "";
    int pad = MP_MAX(width - text_width(shown), 0);
    if (t->columns[c].right)
        fprintf(to->to, "%*s", pad, "");
    term_print(to, p, shown);
    if (c + 1 < t->n_columns) /* the last column leaves no blanks behind */
        fprintf(to->to, "%*s", (t->columns[c].right ? 0 : pad) + GAP, "");
    mp_buf_free(&b);
}

void table_print(const table *t, const term *to, int indent)
{
    int *width = mp_xcalloc(t->n_columns, sizeof *width);
    measure(t, to->width == INT_MAX ? INT_MAX : to->width - indent, width);
    if (has_titles(t)) {
        fprintf(to->to, "%*s", indent, "");
        for (size_t c = 0; c < t->n_columns; c++)
            put(t, to, c, width[c], t->columns[c].title, PAINT_DIM);
        fputc('\n', to->to);
    }
    for (size_t i = 0; i + t->n_columns <= t->n; i += t->n_columns) {
        fprintf(to->to, "%*s", indent, "");
        for (size_t c = 0; c < t->n_columns; c++)
            put(t, to, c, width[c], t->cells[i + c].text, t->cells[i + c].p);
        fputc('\n', to->to);
    }
    free(width);
}
