/* term.c - see term.h. */
#include "app/term.h"

#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char *const codes[] = {
    [PAINT_NONE] = "",         [PAINT_BOLD] = "\033[1m",  [PAINT_DIM] = "\033[2m",
    [PAINT_GOOD] = "\033[32m", [PAINT_WARN] = "\033[33m", [PAINT_BAD] = "\033[31m"};

int term_width(const term *t)
{
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    if (!t->tty)
        return INT_MAX;
    if (ioctl(fileno(t->to), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    int given = columns ? atoi(columns) : 0;
    return given > 0 ? given : 80;
}

static bool wants_color(const char *color, bool tty)
{
    const char *no = getenv("NO_COLOR"), *kind = getenv("TERM");
    if (strcmp(color, "always") == 0)
        return true;
    if (strcmp(color, "never") == 0 || !tty)
        return false;
    return !(no && *no) && kind && strcmp(kind, "dumb") != 0;
}

/* Asked of the user's locale, not of the one that widths are measured in. */
static bool speaks_utf8(void)
{
    locale_t user = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
    if (!user)
        return false;
    bool yes = strcasecmp(nl_langinfo_l(CODESET, user), "UTF-8") == 0;
    freelocale(user);
    return yes;
}

term term_of(FILE *to, const char *color)
{
    term t = {.to = to, .tty = isatty(fileno(to)), .utf8 = speaks_utf8()};
    t.color = wants_color(color, t.tty);
    t.width = term_width(&t);
    return t;
}

const char *term_ellipsis(const term *t)
{
    return t->utf8 ? "\xE2\x80\xA6" : "...";
}

void term_print(const term *t, paint p, const char *text)
{
    bool painted = t->color && p != PAINT_NONE && *text;
    if (painted)
        fputs(codes[p], t->to);
    fputs(text, t->to);
    if (painted)
        fputs("\033[0m", t->to);
}

void term_printf(const term *t, paint p, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    if (n < 0)
        return;
    term_print(t, p, text);
    free(text);
}
