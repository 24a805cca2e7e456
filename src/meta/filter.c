/* filter.c - recursive descent over the --where expression. See filter.h.
 *
 *   or   := and ( OR and )*
 *   and  := unary ( [AND] unary )*
 *   unary:= ( NOT | '-' ) unary | '(' or ')' | field relation value */
#include "meta/filter.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { MAX_TEXT = 4096, MAX_DEPTH = 64, MAX_NODES = 200 };

typedef enum value_kind { TEXT, NUMBER, SIZE, DATE, ISSUE, STATE, PRODUCT, PRICE } value_kind;

static const struct field_row {
    const char *name;
    mp_field field;
    value_kind kind;
} fields[] = {
    {"tag", MP_FIELD_TAG, TEXT},           {"folder", MP_FIELD_FOLDER, TEXT},
    {"name", MP_FIELD_NAME, TEXT},         {"format", MP_FIELD_FORMAT, TEXT},
    {"size", MP_FIELD_SIZE, SIZE},         {"width", MP_FIELD_WIDTH, NUMBER},
    {"height", MP_FIELD_HEIGHT, NUMBER},   {"date", MP_FIELD_DATE, DATE},
    {"added", MP_FIELD_ADDED, DATE},       {"issue", MP_FIELD_ISSUE, ISSUE},
    {"state", MP_FIELD_STATE, STATE},      {"id", MP_FIELD_ID, NUMBER},
    {"project", MP_FIELD_PROJECT, TEXT},   {"product", MP_FIELD_PRODUCT, PRODUCT},
    {"category", MP_FIELD_CATEGORY, TEXT}, {"price", MP_FIELD_PRICE, PRICE},
};

static const struct word_row {
    const char *word;
    int64_t value;
} issues[] = {{"too_dark", 1}, {"too_bright", 2},    {"blurred", 4},
              {"blank", 8},    {"low_contrast", 16}, {"any", 31}},
  states[] = {{"present", 0}, {"missing", 1}, {"trashed", 2}}, answers[] = {{"no", 0}, {"yes", 1}};

typedef struct parser {
    const char *begin, *at;
    mp_arena *arena;
    int depth, nodes;
    mp_err err;
    mp_why *why;
} parser;

static const mp_filter *parse_or(parser *p);

#define FAIL(p, ...) ((p)->err = (p)->err ? (p)->err : mp_fail((p)->why, MP_INVALID, __VA_ARGS__))

static int column(const parser *p)
{
    return (int)(p->at - p->begin) + 1;
}

static void skip_space(parser *p)
{
    while (*p->at && isspace((unsigned char)*p->at))
        p->at++;
}

/* A keyword stands alone: before a space, a parenthesis or the end. */
static bool take_word(parser *p, const char *word)
{
    size_t n = strlen(word);
    if (strncasecmp(p->at, word, n) != 0)
        return false;
    char next = p->at[n];
    if (next && !isspace((unsigned char)next) && next != '(')
        return false;
    p->at += n;
    return true;
}

static mp_filter *node(parser *p, mp_filter_op op)
{
    mp_filter *f = ++p->nodes <= MAX_NODES ? mp_arena_alloc(p->arena, sizeof *f) : NULL;
    if (!f)
        FAIL(p, "the filter has too many conditions");
    else
        f->op = op;
    return f;
}

static const struct field_row *parse_field(parser *p)
{
    const char *start = p->at;
    while (isalpha((unsigned char)*p->at))
        p->at++;
    size_t n = (size_t)(p->at - start);
    for (size_t i = 0; i < MP_COUNT(fields); i++)
        if (strlen(fields[i].name) == n && strncasecmp(fields[i].name, start, n) == 0)
            return &fields[i];
    p->at = start;
    FAIL(p,
         "unknown field '%.*s' at %d; known: tag, folder, name, format, size, width, height, date, "
         "added, issue, state, id, project, product, category, price",
         (int)MP_MIN(n ? n : 1, (size_t)40), start, column(p));
    return NULL;
}

static bool parse_relation(parser *p, mp_relation *out)
{
    static const struct {
        const char *text;
        mp_relation relation;
    } rows[] = {{"!=", MP_NE}, {"<=", MP_LE}, {">=", MP_GE}, {"<", MP_LT},
                {">", MP_GT},  {"=", MP_EQ},  {":", MP_EQ}};
    for (size_t i = 0; i < MP_COUNT(rows); i++) {
        size_t n = strlen(rows[i].text);
        if (strncmp(p->at, rows[i].text, n) == 0) {
            p->at += n;
            *out = rows[i].relation;
            return true;
        }
    }
    FAIL(p, "expected : = != < <= > or >= at %d", column(p));
    return false;
}

static char *parse_value(parser *p)
{
    char text[MAX_TEXT + 1];
    size_t n = 0;
    bool quoted = *p->at == '"';
    int began = column(p);
    if (quoted)
        p->at++;
    while (*p->at) {
        char c = *p->at;
        if (quoted ? c == '"' : isspace((unsigned char)c) || c == ')' || c == '(')
            break;
        if (quoted && c == '\\' && (p->at[1] == '"' || p->at[1] == '\\'))
            c = *++p->at;
        text[n++] = c;
        p->at++;
    }
    if (quoted && *p->at != '"') {
        FAIL(p, "the quote at %d is not closed", began);
        return NULL;
    }
    if (quoted)
        p->at++;
    else if (n == 0)
        FAIL(p, "a value is missing at %d", began);
    return p->err ? NULL : mp_arena_strdup(p->arena, (mp_str){text, n});
}

/* ---- values ---- */

static bool read_number(const char *text, const char **rest, double *out)
{
    char *end;
    if (!isdigit((unsigned char)*text))
        return false;
    *out = strtod(text, &end);
    *rest = end;
    return end != text && *out >= 0 && *out < 9e15;
}

static bool read_size(const char *text, int64_t *out)
{
    static const struct {
        const char *unit;
        double factor;
    } units[] = {{"", 1}, {"b", 1}, {"kb", 1024}, {"mb", 1048576}, {"gb", 1073741824}};
    const char *rest;
    double value;
    if (!read_number(text, &rest, &value))
        return false;
    for (size_t i = 0; i < MP_COUNT(units); i++)
        if (strcasecmp(rest, units[i].unit) == 0) {
            double bytes = value * units[i].factor;
            if (bytes >= 9e18) /* beyond int64_t, where the conversion has no meaning */
                return false;
            *out = (int64_t)bytes;
            return true;
        }
    return false;
}

static int64_t utc_ms(int year, int month, int day)
{
    struct tm t = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
    return (int64_t)timegm(&t) * 1000;
}

static bool digits(const char *text, int n, int *out)
{
    *out = 0;
    for (int i = 0; i < n; i++) {
        if (!isdigit((unsigned char)text[i]))
            return false;
        *out = *out * 10 + (text[i] - '0');
    }
    return true;
}

/* YYYY, YYYY-MM or YYYY-MM-DD as the interval [low, high). */
static bool read_date(const char *text, int64_t *low, int64_t *high)
{
    size_t n = strlen(text);
    int year, month = 1, day = 1;
    if ((n != 4 && n != 7 && n != 10) || !digits(text, 4, &year) || year < 1)
        return false;
    if (n >= 7 && (text[4] != '-' || !digits(text + 5, 2, &month) || month < 1 || month > 12))
        return false;
    if (n == 10 && (text[7] != '-' || !digits(text + 8, 2, &day) || day < 1 || day > 31))
        return false;
    *low = utc_ms(year, month, day);
    *high = n == 4   ? utc_ms(year + 1, 1, 1)
            : n == 7 ? utc_ms(year, month + 1, 1)
                     : utc_ms(year, month, day + 1);
    return true;
}

static bool read_word(const struct word_row *rows, size_t n, const char *text, int64_t *out)
{
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(rows[i].word, text) == 0) {
            *out = rows[i].value;
            return true;
        }
    return false;
}

static void read_value(parser *p, const struct field_row *row, mp_filter *f)
{
    const char *rest;
    double number;
    switch (row->kind) {
    case TEXT:
        if (f->relation != MP_EQ && f->relation != MP_NE)
            FAIL(p, "%s takes only : and !=", row->name);
        break;
    case NUMBER:
        if (!read_number(f->text, &rest, &number) || *rest)
            FAIL(p, "%s needs a number, not '%.40s'", row->name, f->text);
        else
            f->low = (int64_t)number;
        break;
    case SIZE:
        if (!read_size(f->text, &f->low))
            FAIL(p, "size needs a number with b, kb, mb or gb, not '%.40s'", f->text);
        break;
    case DATE:
        if (!read_date(f->text, &f->low, &f->high))
            FAIL(p, "%s needs YYYY, YYYY-MM or YYYY-MM-DD, not '%.40s'", row->name, f->text);
        break;
    case ISSUE:
        if (!read_word(issues, MP_COUNT(issues), f->text, &f->low))
            FAIL(p,
                 "unknown issue '%.40s'; known: too_dark, too_bright, blurred, blank, "
                 "low_contrast, any",
                 f->text);
        break;
    case PRICE: /* in ten-thousandths, as products keep it */
        if (!read_number(f->text, &rest, &number) || *rest || number > 999999999)
            FAIL(p, "price needs a number, not '%.40s'", f->text);
        else
            f->low = (int64_t)(number * 10000 + 0.5);
        break;
    case PRODUCT:
        if (!read_word(answers, MP_COUNT(answers), f->text, &f->low))
            FAIL(p, "product takes yes and no");
        break;
    case STATE:
        if (!read_word(states, MP_COUNT(states), f->text, &f->low))
            FAIL(p, "unknown state '%.40s'; known: present, missing, trashed", f->text);
        break;
    }
    if ((row->kind == ISSUE || row->kind == STATE || row->kind == PRODUCT) &&
        f->relation != MP_EQ && f->relation != MP_NE)
        FAIL(p, "%s takes only : and !=", row->name);
}

/* ---- grammar ---- */

static const mp_filter *parse_test(parser *p)
{
    const struct field_row *row = parse_field(p);
    mp_relation relation;
    if (!row || !parse_relation(p, &relation))
        return NULL;
    char *text = parse_value(p);
    mp_filter *f = text ? node(p, MP_F_TEST) : NULL;
    if (!f)
        return NULL;
    f->field = row->field;
    f->relation = relation;
    f->text = text;
    read_value(p, row, f);
    return f;
}

static const mp_filter *parse_unary(parser *p)
{
    skip_space(p);
    if (++p->depth > MAX_DEPTH) {
        FAIL(p, "the filter is nested too deeply");
        return NULL;
    }
    const mp_filter *out = NULL;
    if (*p->at == '-' || take_word(p, "NOT")) {
        p->at += *p->at == '-';
        mp_filter *f = node(p, MP_F_NOT);
        const mp_filter *inner = f ? parse_unary(p) : NULL;
        if (f && inner)
            f->left = inner;
        out = inner ? f : NULL;
    } else if (*p->at == '(') {
        p->at++;
        out = parse_or(p);
        skip_space(p);
        if (!p->err && *p->at != ')')
            FAIL(p, "a ) is missing at %d", column(p));
        else if (!p->err)
            p->at++;
    } else if (!*p->at) {
        FAIL(p, "a condition is missing at %d", column(p));
    } else {
        out = parse_test(p);
    }
    p->depth--;
    return p->err ? NULL : out;
}

static const mp_filter *join(parser *p, mp_filter_op op, const mp_filter *a, const mp_filter *b)
{
    mp_filter *f = a && b ? node(p, op) : NULL;
    if (f) {
        f->left = a;
        f->right = b;
    }
    return f;
}

static const mp_filter *parse_and(parser *p)
{
    const mp_filter *left = parse_unary(p);
    while (left) {
        skip_space(p);
        const char *here = p->at;
        if (!*p->at || *p->at == ')' || take_word(p, "OR")) {
            p->at = here;
            break;
        }
        (void)take_word(p, "AND");
        left = join(p, MP_F_AND, left, parse_unary(p));
    }
    return left;
}

static const mp_filter *parse_or(parser *p)
{
    const mp_filter *left = parse_and(p);
    while (left) {
        skip_space(p);
        if (!take_word(p, "OR"))
            break;
        left = join(p, MP_F_OR, left, parse_and(p));
    }
    return left;
}

mp_err mp_filter_parse(const char *text, mp_arena *arena, const mp_filter **out, mp_why *why)
{
    *out = NULL;
    if (!text || strspn(text, " \t\r\n") == strlen(text))
        return MP_OK;
    if (strlen(text) > MAX_TEXT)
        return mp_fail(why, MP_INVALID, "a filter has at most %d bytes", MAX_TEXT);
    parser p = {.begin = text, .at = text, .arena = arena, .why = why};
    const mp_filter *f = parse_or(&p);
    skip_space(&p);
    if (!p.err && *p.at)
        FAIL(&p, "unexpected '%c' at %d", *p.at, column(&p));
    if (!p.err && !f)
        FAIL(&p, "the filter is not understood");
    if (!p.err)
        *out = f;
    return p.err;
}

bool mp_filter_wants_trashed(const mp_filter *f)
{
    if (!f)
        return false;
    if (f->op == MP_F_TEST)
        return f->field == MP_FIELD_STATE && f->low == 2;
    return mp_filter_wants_trashed(f->left) || mp_filter_wants_trashed(f->right);
}
