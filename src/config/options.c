/* options.c - reading values, with the bounds of their rows. See options.h. */
#include "config/options.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct unit {
    const char *word;
    double factor;
} unit;

static const unit size_units[] = {
    {"", 1},           {"b", 1},           {"k", 1024},         {"kb", 1024},
    {"kib", 1024},     {"m", 1048576},     {"mb", 1048576},     {"mib", 1048576},
    {"g", 1073741824}, {"gb", 1073741824}, {"gib", 1073741824},
};
static const unit time_units[] = {
    {"", 1000},   {"s", 1000},    {"sec", 1000},  {"ms", 1},
    {"m", 60000}, {"min", 60000}, {"h", 3600000}, {"d", 86400000},
};
/* How bounds are written; the largest that goes without a remainder. */
static const unit size_names[] = {
    {" bytes", 1}, {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}};
static const unit time_names[] = {{"ms", 1}, {"s", 1000}, {"min", 60000}, {"h", 3600000}};

bool mp_option_takes_value(const mp_option *o)
{
    return o->type != MP_OPT_FLAG;
}

void mp_option_env(const mp_option *o, char *out, size_t cap)
{
    snprintf(out, cap, "MAGPIE_%s", o->name);
    for (char *p = out + strlen("MAGPIE_"); *p; p++)
        *p = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
}

bool mp_option_is_switch(const mp_option *o)
{
    return o->type == MP_OPT_FLAG || o->type == MP_OPT_SWITCH;
}

/* ---- what is allowed, and what is shown ---- */

static void measure_text(int64_t n, const unit *units, size_t n_units, char *out, size_t cap)
{
    const unit *best = NULL;
    for (size_t i = 0; i < n_units; i++) {
        int64_t factor = (int64_t)units[i].factor;
        if (n % factor == 0 && (n != 0 || !best) && (!best || factor > (int64_t)best->factor))
            best = &units[i];
    }
    if (best)
        snprintf(out, cap, "%lld%s", (long long)(n / (int64_t)best->factor), best->word);
}

static void bound_text(const mp_option *o, double bound, char *out, size_t cap)
{
    if (o->type == MP_OPT_SIZE)
        measure_text((int64_t)bound, size_names, MP_COUNT(size_names), out, cap);
    else if (o->type == MP_OPT_DURATION)
        measure_text((int64_t)bound, time_names, MP_COUNT(time_names), out, cap);
    else if (o->type == MP_OPT_INT)
        snprintf(out, cap, "%.0f", bound);
    else
        snprintf(out, cap, "%.10g%s", bound, o->type == MP_OPT_TEXT ? " bytes" : "");
}

/* "a|b" as "a, b". */
static void list_text(const char *list, char *out, size_t cap)
{
    size_t n = 0;
    for (; *list && n + 3 < cap; list++) {
        out[n++] = *list == '|' ? ',' : *list;
        if (*list == '|')
            out[n++] = ' ';
    }
    out[n] = '\0';
}

void mp_option_range(const mp_option *o, char *out, size_t cap)
{
    char least[32] = "", most[32] = "";
    *out = '\0';
    if (o->choices || o->schemes) {
        list_text(o->choices ? o->choices : o->schemes, out, cap);
    } else if (mp_option_is_switch(o)) {
        snprintf(out, cap, "yes, no");
    } else if (o->min != 0 || o->max != 0) {
        bound_text(o, o->min, least, sizeof least);
        bound_text(o, o->max, most, sizeof most);
        snprintf(out, cap, "%s to %s", least, most);
    }
}

/* A name and a password stand before an @; keys among the parameters of a query, or of a list such
 * as "host=a password=b". */
bool mp_option_may_show(const mp_option *o, const char *text)
{
    return !o->secret && (o->type != MP_OPT_URL || !strpbrk(text, "@?="));
}

static const char *shown(const mp_option *o, const char *text, char *out, size_t cap)
{
    size_t scheme = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789+.-");
    if (mp_option_may_show(o, text))
        snprintf(out, cap, "'%.80s'", text);
    else if (!o->secret && scheme > 0 && strncmp(text + scheme, "://", 3) == 0)
        snprintf(out, cap, "'%.*s://...'", (int)MP_MIN(scheme, (size_t)40), text);
    else
        snprintf(out, cap, "the value");
    return out;
}

static mp_err fault(const mp_option *o, const char *text, const char *what, mp_why *why)
{
    char value[100], range[160];
    mp_option_range(o, range, sizeof range);
    return mp_fail(why, MP_INVALID, "%s %s%s%s", shown(o, text, value, sizeof value), what,
                   *range ? "; allowed: " : "", range);
}

/* ---- reading ---- */

static mp_err check_bounds(const mp_option *o, const char *text, double number, mp_why *why)
{
    if (o->min == 0 && o->max == 0)
        return MP_OK;
    if (number < o->min)
        return fault(o, text, o->type == MP_OPT_TEXT ? "is too short" : "is too small", why);
    if (number > o->max)
        return fault(o, text, o->type == MP_OPT_TEXT ? "is too long" : "is too large", why);
    return MP_OK;
}

static mp_err parse_int(const mp_option *o, const char *text, mp_value *out, mp_why *why)
{
    char *end;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (end == text || *end || errno)
        return fault(o, text, "is not a whole number", why);
    out->integer = n;
    out->number = (double)n;
    return check_bounds(o, text, out->number, why);
}

static mp_err parse_number(const mp_option *o, const char *text, mp_value *out, mp_why *why)
{
    char *end;
    double n = strtod(text, &end);
    if (end == text || *end || !isfinite(n))
        return fault(o, text, "is not a number", why);
    out->number = n;
    return check_bounds(o, text, n, why);
}

/* A number with a unit, rounded to whole bytes or milliseconds. */
static mp_err parse_measure(const mp_option *o, const char *text, mp_value *out, mp_why *why)
{
    bool size = o->type == MP_OPT_SIZE;
    const unit *units = size ? size_units : time_units;
    size_t n = size ? MP_COUNT(size_units) : MP_COUNT(time_units);
    const char *example =
        size ? "should look like 200kb or 25MiB" : "should look like 10s or 500ms";
    char *end;
    double number = strtod(text, &end);
    if (end == text || !isfinite(number) || fabs(number) > 1e15)
        return fault(o, text, example, why);
    while (*end == ' ')
        end++;
    for (size_t i = 0; i < n; i++) {
        if (strcasecmp(end, units[i].word) != 0)
            continue;
        out->number = round(number * units[i].factor);
        mp_err err = check_bounds(o, text, out->number, why);
        if (err)
            return err;
        if (fabs(out->number) > 9e18)
            return fault(o, text, "is too large", why);
        out->integer = (int64_t)out->number;
        return MP_OK;
    }
    return fault(o, text, example, why);
}

static mp_err parse_switch(const mp_option *o, const char *text, mp_value *out, mp_why *why)
{
    static const char *const yes[] = {"yes", "true", "on", "1"};
    static const char *const no[] = {"no", "false", "off", "0"};
    for (size_t i = 0; i < MP_COUNT(yes); i++) {
        if (strcasecmp(text, yes[i]) == 0) {
            out->flag = true;
            out->integer = 1;
            return MP_OK;
        }
    }
    for (size_t i = 0; i < MP_COUNT(no); i++)
        if (strcasecmp(text, no[i]) == 0)
            return MP_OK;
    return fault(o, text, "is neither yes nor no", why);
}

static mp_err parse_choice(const mp_option *o, const char *text, mp_why *why)
{
    size_t n = strlen(text);
    bool one = n && !strchr(text, '|');
    for (const char *p = o->choices; one && p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL)
        if (strncmp(p, text, n) == 0 && (p[n] == '|' || p[n] == '\0'))
            return MP_OK;
    return fault(o, text, "is none of these", why);
}

static mp_err parse_url(const mp_option *o, const char *text, mp_why *why)
{
    bool elsewhere = true; /* do the schemes name places, or what is part of this build? */
    for (const char *p = o->schemes; p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL) {
        size_t n = strcspn(p, " |");
        elsewhere = p[n - 1] == '/';
        if (strncmp(text, p, n) == 0 && elsewhere == (text[n] != '\0'))
            return MP_OK;
    }
    if (elsewhere)
        return fault(o, text, "is no such address", why);
    mp_err err = fault(o, text, "is not a back end of this build", why);
    if (why)
        strncat(why->text, "; unset it to go on", sizeof why->text - strlen(why->text) - 1);
    return err;
}

static mp_err parse_typed(const mp_option *o, const char *text, mp_value *out, mp_why *why)
{
    switch (o->type) {
    case MP_OPT_FLAG:
    case MP_OPT_SWITCH:
        return parse_switch(o, text, out, why);
    case MP_OPT_INT:
        return parse_int(o, text, out, why);
    case MP_OPT_NUMBER:
        return parse_number(o, text, out, why);
    case MP_OPT_SIZE:
    case MP_OPT_DURATION:
        return parse_measure(o, text, out, why);
    case MP_OPT_CHOICE:
        return parse_choice(o, text, why);
    case MP_OPT_URL:
        return parse_url(o, text, why);
    case MP_OPT_PATH:
        return *text ? MP_OK : mp_fail(why, MP_INVALID, "an empty path");
    case MP_OPT_TEXT:
        return check_bounds(o, text, (double)strlen(text), why);
    }
    return MP_OK;
}

mp_err mp_option_parse(const mp_option *o, const char *text, mp_value *out, mp_why *why)
{
    *out = (mp_value){.text = text};
    mp_err err = parse_typed(o, text, out, why);
    return err || !o->check ? err : o->check(text, why);
}

/* ---- "did you mean" ---- */

enum { MAX_WORD = 40 };

static int smallest(int a, int b, int c)
{
    return MP_MIN(MP_MIN(a, b), c);
}

static int distance(const char *a, const char *b)
{
    int row[3][MAX_WORD + 1];
    int na = (int)strlen(a), nb = (int)strlen(b);
    for (int j = 0; j <= nb; j++)
        row[0][j] = j;
    for (int i = 1; i <= na; i++) {
        int *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];
        now[0] = i;
        for (int j = 1; j <= nb; j++) {
            int same = a[i - 1] == b[j - 1] ? 0 : 1;
            now[j] = smallest(last[j] + 1, now[j - 1] + 1, last[j - 1] + same);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = MP_MIN(now[j], before[j - 2] + 1);
        }
    }
    return row[na % 3][nb];
}

const char *mp_suggest(const char *word, mp_candidate_fn next, const void *context)
{
    const char *best = NULL;
    size_t n = strlen(word);
    int allowed = (int)n / 3 + 1, nearest = allowed + 1;
    if (n < 2 || n > MAX_WORD)
        return NULL;
    for (size_t i = 0;; i++) {
        const char *candidate = next(context, i);
        if (!candidate)
            return best;
        if (strlen(candidate) > MAX_WORD)
            continue;
        int d = distance(word, candidate);
        if (strncmp(candidate, word, n) ==
            0) /* a word cut short is near, however much is missing */
            d = MP_MIN(d, 1);
        if (d < nearest) {
            nearest = d;
            best = candidate;
        }
    }
}
