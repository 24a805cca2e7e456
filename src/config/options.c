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
    {"", 1000}, {"s", 1000}, {"sec", 1000}, {"ms", 1}, {"min", 60000}, {"h", 3600000},
};

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

static const char *shown(const mp_option *o, const char *text)
{
    return o->secret ? "the value" : text;
}

static mp_err check_bounds(const mp_option *o, const char *text, double number, mp_why *why)
{
    if (o->min == 0 && o->max == 0)
        return MP_OK;
    if (number < o->min)
        return mp_fail(why, MP_INVALID, "'%.80s' is below the least allowed, %.10g", shown(o, text),
                       o->min);
    if (number > o->max)
        return mp_fail(why, MP_INVALID, "'%.80s' is above the most allowed, %.10g", shown(o, text),
                       o->max);
    return MP_OK;
}

static mp_err parse_int(const mp_option *o, const char *text, mp_value *out, mp_why *why)
{
    char *end;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (end == text || *end || errno)
        return mp_fail(why, MP_INVALID, "'%.80s' is not a whole number", shown(o, text));
    out->integer = n;
    out->number = (double)n;
    return check_bounds(o, text, out->number, why);
}

static mp_err parse_number(const mp_option *o, const char *text, mp_value *out, mp_why *why)
{
    char *end;
    double n = strtod(text, &end);
    if (end == text || *end || !isfinite(n))
        return mp_fail(why, MP_INVALID, "'%.80s' is not a number", shown(o, text));
    out->number = n;
    return check_bounds(o, text, n, why);
}

/* A number with a unit, rounded to whole bytes or milliseconds. */
static mp_err parse_measure(const mp_option *o, const char *text, const unit *units, size_t n,
                            const char *example, mp_value *out, mp_why *why)
{
    char *end;
    double number = strtod(text, &end);
    if (end == text || !isfinite(number) || fabs(number) > 1e15)
        return mp_fail(why, MP_INVALID, "'%.80s' should look like %s", shown(o, text), example);
    while (*end == ' ')
        end++;
    for (size_t i = 0; i < n; i++) {
        if (strcasecmp(end, units[i].word) != 0)
            continue;
        out->integer = (int64_t)llround(number * units[i].factor);
        out->number = (double)out->integer;
        return check_bounds(o, text, out->number, why);
    }
    return mp_fail(why, MP_INVALID, "'%.80s' should look like %s", shown(o, text), example);
}

static mp_err parse_flag(const mp_option *o, const char *text, mp_value *out, mp_why *why)
{
    static const char *const yes[] = {"yes", "true", "on", "1"};
    static const char *const no[] = {"no", "false", "off", "0", ""};
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
    return mp_fail(why, MP_INVALID, "'%.80s' should be yes or no", shown(o, text));
}

static mp_err parse_choice(const mp_option *o, const char *text, mp_why *why)
{
    size_t n = strlen(text);
    bool one = n && !strchr(text, '|');
    for (const char *p = o->choices; one && p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL)
        if (strncmp(p, text, n) == 0 && (p[n] == '|' || p[n] == '\0'))
            return MP_OK;
    return mp_fail(why, MP_INVALID, "'%.80s' should be one of %s", shown(o, text), o->choices);
}

mp_err mp_option_parse(const mp_option *o, const char *text, mp_value *out, mp_why *why)
{
    *out = (mp_value){.text = text};
    switch (o->type) {
    case MP_OPT_FLAG:
        return parse_flag(o, text, out, why);
    case MP_OPT_INT:
        return parse_int(o, text, out, why);
    case MP_OPT_NUMBER:
        return parse_number(o, text, out, why);
    case MP_OPT_SIZE:
        return parse_measure(o, text, size_units, MP_COUNT(size_units), "200kb or 25MiB", out, why);
    case MP_OPT_DURATION:
        return parse_measure(o, text, time_units, MP_COUNT(time_units), "10s or 500ms", out, why);
    case MP_OPT_CHOICE:
        return parse_choice(o, text, why);
    case MP_OPT_PATH:
        return *text ? MP_OK : mp_fail(why, MP_INVALID, "an empty path");
    case MP_OPT_TEXT:
        break;
    }
    return MP_OK;
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
