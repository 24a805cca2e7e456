/* toml_value.c - strings, numbers, booleans and arrays. See toml.h. */
#include "config/toml_read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static mp_err keep(toml_reader *r, mp_str text, const char **out)
{
    *out = mp_arena_strdup(r->arena, text);
    return *out ? MP_OK : mp_fail(r->why, MP_NOMEM, "the file is too large");
}

/* ---- strings ---- */

static void add_code_point(mp_buf *b, uint32_t code)
{
    char c[4];
    size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n; i-- > 1; code >>= 6)
        c[i] = (char)(0x80 | (code & 0x3f));
    c[0] = (char)(lead[n] | code);
    mp_buf_add(b, c, n);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The digits of \u and \U. */
static mp_err read_code_point(toml_reader *r, int digits, mp_buf *b)
{
    uint32_t code = 0;
    for (int i = 0; i < digits; i++, r->p++) {
        int digit = r->p < r->end ? hex_digit(*r->p) : -1;
        if (digit < 0)
            return mp_fail(r->why, MP_INVALID, "\\%c takes %d hexadecimal digits",
                           digits == 4 ? 'u' : 'U', digits);
        code = code << 4 | (uint32_t)digit;
    }
    if (code == 0)
        return mp_fail(r->why, MP_INVALID, "U+0000 cannot be in a setting");
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return mp_fail(r->why, MP_INVALID, "U+%X is no character", (unsigned)code);
    add_code_point(b, code);
    return MP_OK;
}

/* A backslash at the end of a line: the blanks and line ends behind it are not there. False: it is
 * not at the end of a line. */
static bool skip_folded(toml_reader *r)
{
    const char *p = r->p;
    while (p < r->end && (*p == ' ' || *p == '\t'))
        p++;
    if (p == r->end || (*p != '\n' && *p != '\r'))
        return false;
    for (; p < r->end && strchr(" \t\r\n", *p); p++)
        r->line += *p == '\n';
    r->p = p;
    return true;
}

static mp_err read_escape(toml_reader *r, bool lines, mp_buf *b)
{
    static const char letters[] = "btnfr\"\\", bytes[] = "\b\t\n\f\r\"\\";
    if (lines && skip_folded(r))
        return MP_OK;
    char c = r->p < r->end ? *r->p++ : '\n';
    const char *at = c ? strchr(letters, c) : NULL;
    if (c == 'u' || c == 'U')
        return read_code_point(r, c == 'u' ? 4 : 8, b);
    if (!at)
        return mp_fail(r->why, MP_INVALID,
                       "a backslash in a string is followed by one of b t n f r \" \\ u U; strings "
                       "in single quotes take it as it is");
    mp_buf_add(b, &bytes[at - letters], 1);
    return MP_OK;
}

/* Behind the last quote of a multi-line string; up to two quotes before the last three belong to
 * it. False: there are fewer than three, which have been taken as text. */
static bool end_of_lines(toml_reader *r, char quote, mp_buf *b)
{
    size_t n = 0;
    while (n < 5 && r->p + n < r->end && r->p[n] == quote)
        n++;
    mp_buf_add(b, r->p, n < 3 ? n : n - 3);
    r->p += n;
    return n >= 3;
}

/* began: the line of the first quote, where one that is not closed must be looked for. */
static mp_err read_string(toml_reader *r, char quote, bool lines, int began, mp_buf *b)
{
    while (r->p < r->end && (lines || *r->p != '\n')) {
        char c = *r->p;
        if (c == quote && !lines) {
            r->p++;
            return MP_OK;
        }
        if (c == quote) {
            if (end_of_lines(r, quote, b))
                return MP_OK;
            continue;
        }
        r->p++;
        if (c == '\\' && quote == '"') {
            mp_err err = read_escape(r, lines, b);
            if (err)
                return err;
        } else if (c != '\r') { /* line ends are line feeds, however they are written */
            r->line += c == '\n';
            mp_buf_add(b, &c, 1);
        }
    }
    r->line = began;
    return mp_fail(r->why, MP_INVALID, "the quotes are not closed");
}

mp_err toml_string(toml_reader *r, bool lines, const char **out)
{
    mp_buf b = {0};
    int began = r->line;
    char quote = *r->p++;
    *out = NULL;
    lines = lines && r->end - r->p >= 2 && r->p[0] == quote && r->p[1] == quote;
    if (lines) {
        r->p += 2;
        if (toml_at(r, '\r'))
            r->p++;
        if (toml_at(r, '\n')) { /* the first line end is not part of it */
            r->p++;
            r->line++;
        }
    }
    mp_err err = read_string(r, quote, lines, began, &b);
    if (!err)
        err = keep(r, (mp_str){b.p, b.n}, out);
    mp_buf_free(&b);
    return err;
}

bool mp_toml_quote(mp_buf *out, const char *text)
{
    size_t left = strlen(text);
    for (size_t i = 0, n; i < left; i += n)
        if ((n = mp_toml_utf8(text + i, left - i)) == 0)
            return false;
    mp_buf_str(out, "\"");
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            mp_buf_printf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            mp_buf_printf(out, "\\u%04X", c);
        else
            mp_buf_add(out, text, 1);
    }
    mp_buf_str(out, "\"");
    return true;
}

/* ---- numbers and words ---- */

/* Digits with single underscores between them, which are left out. */
static bool take_digits(const char **p, int base, mp_buf *out)
{
    const char *s = *p;
    for (bool first = true;; first = false) {
        if (!first && *s == '_')
            s++;
        int digit = hex_digit(*s);
        if (digit < 0 || digit >= base)
            break;
        mp_buf_add(out, s++, 1);
    }
    bool fine = s > *p && s[-1] != '_';
    *p = s;
    return fine;
}

static mp_err keep_integer(toml_reader *r, const char *digits, int base, mp_toml *out)
{
    char text[24];
    errno = 0;
    long long n = strtoll(digits, NULL, base);
    if (errno)
        return mp_fail(r->why, MP_INVALID, "a number has at most 64 bits");
    int length = snprintf(text, sizeof text, "%lld", n);
    out->type = MP_TOML_INTEGER;
    return keep(r, (mp_str){text, (size_t)length}, &out->text);
}

/* What stands behind the whole part of a float. False: nothing that belongs there. */
static bool take_fraction(const char **p, mp_buf *b)
{
    bool fine = **p == '.' || **p == 'e' || **p == 'E';
    if (fine && **p == '.') {
        mp_buf_add(b, (*p)++, 1);
        fine = take_digits(p, 10, b);
    }
    if (fine && (**p == 'e' || **p == 'E')) {
        mp_buf_add(b, (*p)++, 1);
        if (**p == '+' || **p == '-')
            mp_buf_add(b, (*p)++, 1);
        fine = take_digits(p, 10, b);
    }
    return fine && !**p;
}

static mp_err no_value(toml_reader *r)
{
    return mp_fail(r->why, MP_INVALID,
                   "a value is a string in quotes, a number, true or false, or an array of them in "
                   "brackets");
}

static mp_err read_decimal(toml_reader *r, const char *word, mp_buf *b, mp_toml *out)
{
    const char *p = word;
    if (*p == '-')
        mp_buf_add(b, p, 1);
    p += *p == '-' || *p == '+';
    if (strcmp(p, "inf") == 0 || strcmp(p, "nan") == 0) {
        mp_buf_str(b, p);
        out->type = MP_TOML_FLOAT;
        return keep(r, (mp_str){b->p, b->n}, &out->text);
    }
    const char *digits = p;
    if (!take_digits(&p, 10, b) || (digits[0] == '0' && p > digits + 1))
        return no_value(r);
    if (!*p)
        return keep_integer(r, b->p, 10, out);
    out->type = MP_TOML_FLOAT;
    return take_fraction(&p, b) ? keep(r, (mp_str){b->p, b->n}, &out->text) : no_value(r);
}

/* 1979-05-27..., 07:32:00... */
static bool looks_like_a_date(const char *word)
{
    size_t digits = strspn(word, "0123456789");
    return (digits == 4 && word[4] == '-') || (digits == 2 && word[2] == ':');
}

static mp_err read_word(toml_reader *r, const char *word, mp_toml *out)
{
    static const struct {
        char letter;
        int base;
    } bases[] = {{'x', 16}, {'o', 8}, {'b', 2}};
    mp_buf b = {0};
    mp_err err;
    if (strcmp(word, "true") == 0 || strcmp(word, "false") == 0) {
        out->type = MP_TOML_BOOLEAN;
        out->text = word;
        return MP_OK;
    }
    if (looks_like_a_date(word))
        return mp_fail(r->why, MP_INVALID, "dates and times are not read: no setting takes one");
    for (size_t i = 0; i < MP_COUNT(bases); i++) {
        if (word[0] != '0' || word[1] != bases[i].letter)
            continue;
        const char *p = word + 2;
        bool fine = take_digits(&p, bases[i].base, &b) && !*p;
        err = fine ? keep_integer(r, b.p, bases[i].base, out) : no_value(r);
        mp_buf_free(&b);
        return err;
    }
    err = read_decimal(r, word, &b, out);
    mp_buf_free(&b);
    return err;
}

static bool is_of_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("_+-.:", c));
}

/* ---- values ---- */

/* At the end of the document the line is where the array began: there it must be looked for. */
static mp_err broken_array(toml_reader *r, int began)
{
    r->line = r->p == r->end ? began : r->line;
    return mp_fail(r->why, MP_INVALID, "an array is not closed, or a comma is missing");
}

static mp_err read_array(toml_reader *r, int depth, mp_toml *out)
{
    int began = r->line;
    out->type = MP_TOML_ARRAY;
    r->p++;
    if (depth == MP_TOML_DEPTH)
        return mp_fail(r->why, MP_TOO_BIG, "arrays that lie more than %d deep", MP_TOML_DEPTH);
    for (;;) {
        mp_toml *element;
        toml_skip_lines(r);
        if (toml_at(r, ']'))
            break;
        if (r->p == r->end)
            return broken_array(r, began);
        mp_err err = toml_add(r, out, NULL, &element);
        if (!err)
            err = toml_value(r, depth + 1, element);
        if (err)
            return err;
        toml_skip_lines(r);
        if (toml_at(r, ']'))
            break;
        if (!toml_at(r, ','))
            return broken_array(r, began);
        r->p++;
    }
    r->p++;
    return MP_OK;
}

mp_err toml_value(toml_reader *r, int depth, mp_toml *out)
{
    const char *from = r->p, *word;
    if (toml_at(r, '"') || toml_at(r, '\'')) {
        out->type = MP_TOML_STRING;
        return toml_string(r, true, &out->text);
    }
    if (toml_at(r, '['))
        return read_array(r, depth, out);
    if (toml_at(r, '{'))
        return mp_fail(r->why, MP_INVALID,
                       "inline tables, {...}, are not read: no setting takes one");
    while (r->p < r->end && is_of_word(*r->p))
        r->p++;
    if (r->p == from)
        return no_value(r);
    mp_err err = keep(r, (mp_str){from, (size_t)(r->p - from)}, &word);
    return err ? err : read_word(r, word, out);
}
