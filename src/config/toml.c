/* toml.c - keys, tables and sections. See toml.h.
 *
 * A table is defined by its own header, or by the dotted keys of one section; a second definition
 * is an error. Tables that only stand on the way to another one ([a.b] makes a) are not defined
 * yet. */
#include "config/toml_read.h"

#include <stdio.h>
#include <string.h>

enum { NOT_DEFINED = -1, SHOWN_KEY = 60 };

/* ---- text ---- */

size_t mp_toml_utf8(const char *p, size_t n)
{
    const uint8_t *s = (const uint8_t *)p;
    size_t length = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (length == 0 || s[0] > 0xf4 || length > n)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
    bool surrogate = s[0] == 0xed && s[1] > 0x9f;
    bool beyond = s[0] == 0xf4 && s[1] > 0x8f;
    return overlong || surrogate || beyond ? 0 : length;
}

/* Control characters stand nowhere in a document but as tabs and line ends. */
static mp_err check_text(toml_reader *r)
{
    for (const char *p = r->p; p < r->end;) {
        size_t n = mp_toml_utf8(p, (size_t)(r->end - p));
        unsigned char c = (unsigned char)*p;
        if (n == 0)
            return mp_fail(r->why, MP_INVALID, "a byte that is not UTF-8");
        if (c == '\r' && (p + 1 == r->end || p[1] != '\n'))
            return mp_fail(r->why, MP_INVALID, "a carriage return without a line end");
        if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f)
            return mp_fail(r->why, MP_INVALID, "a control character, 0x%02x", c);
        r->line += c == '\n';
        p += n;
    }
    r->line = 1;
    return MP_OK;
}

bool toml_at(const toml_reader *r, char c)
{
    return r->p < r->end && *r->p == c;
}

void toml_skip_blanks(toml_reader *r)
{
    while (toml_at(r, ' ') || toml_at(r, '\t'))
        r->p++;
}

static bool skip_line_end(toml_reader *r)
{
    if (toml_at(r, '\r')) /* a line feed follows: check_text */
        r->p++;
    if (!toml_at(r, '\n'))
        return false;
    r->p++;
    r->line++;
    return true;
}

static void skip_comment(toml_reader *r)
{
    if (toml_at(r, '#'))
        while (r->p < r->end && *r->p != '\r' && *r->p != '\n')
            r->p++;
}

void toml_skip_lines(toml_reader *r)
{
    do {
        toml_skip_blanks(r);
        skip_comment(r);
    } while (skip_line_end(r));
}

/* A key as it can be shown in one line. */
static const char *shown(const char *key, char out[SHOWN_KEY + 1])
{
    size_t n = 0, length;
    while (key[n] && n < SHOWN_KEY) {
        length = mp_toml_utf8(key + n, strlen(key + n));
        if (n + length > SHOWN_KEY)
            break;
        memcpy(out + n, key + n, length);
        if ((unsigned char)out[n] < 0x20 || out[n] == 0x7f)
            out[n] = '?';
        n += length;
    }
    out[n] = '\0';
    return out;
}

/* ---- the tree ---- */

mp_err toml_add(toml_reader *r, mp_toml *parent, const char *key, mp_toml **out)
{
    mp_toml *node = NULL;
    *out = NULL;
    if (++r->nodes > MP_TOML_NODES)
        return mp_fail(r->why, MP_TOO_BIG, "more than %d names and values", MP_TOML_NODES);
    node = mp_arena_alloc(r->arena, sizeof *node);
    if (!node)
        return mp_fail(r->why, MP_NOMEM, "the file is too large");
    *node = (mp_toml){.key = key, .line = r->line, .defined_in = NOT_DEFINED};
    if (parent->last)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    *out = node;
    return MP_OK;
}

static mp_toml *find(const mp_toml *table, const char *key)
{
    for (mp_toml *node = table->first; node; node = node->next)
        if (strcmp(node->key, key) == 0)
            return node;
    return NULL;
}

const mp_toml *mp_toml_get(const mp_toml *table, const char *key)
{
    return find(table, key);
}

static mp_err twice(toml_reader *r, const mp_toml *old)
{
    char name[SHOWN_KEY + 1];
    return mp_fail(r->why, MP_INVALID, "'%s' is there already, in line %d", shown(old->key, name),
                   old->line);
}

static mp_err no_table(toml_reader *r, const mp_toml *old)
{
    char name[SHOWN_KEY + 1];
    return mp_fail(r->why, MP_INVALID, "'%s' is a value, in line %d, and no table",
                   shown(old->key, name), old->line);
}

/* ---- keys ---- */

static bool is_bare(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

/* One part of a dotted key, and the blanks around it. */
static mp_err read_key(toml_reader *r, const char **out)
{
    mp_err err = MP_OK;
    toml_skip_blanks(r);
    if (toml_at(r, '"') || toml_at(r, '\'')) {
        err = toml_string(r, false, out);
    } else {
        const char *from = r->p;
        while (r->p < r->end && is_bare(*r->p))
            r->p++;
        if (r->p == from)
            return mp_fail(r->why, MP_INVALID,
                           "here a name is expected: name = value, or [name]; names with other "
                           "characters than letters, digits, - and _ stand in quotes");
        *out = mp_arena_strdup(r->arena, (mp_str){from, (size_t)(r->p - from)});
        if (!*out)
            return mp_fail(r->why, MP_NOMEM, "the file is too large");
    }
    toml_skip_blanks(r);
    return err;
}

/* The tables on the way to the last part of a key, which is left in *key. section: of the dotted
 * key, whose tables it defines; NOT_DEFINED: of a header, which only passes through. */
static mp_err walk(toml_reader *r, mp_toml **table, int section, const char **key)
{
    mp_err err = read_key(r, key);
    while (!err && toml_at(r, '.')) {
        mp_toml *next = find(*table, *key);
        r->p++;
        if (next && next->type != MP_TOML_TABLE)
            return no_table(r, next);
        if (!next && (err = toml_add(r, *table, *key, &next)))
            return err;
        if (section != NOT_DEFINED && next->defined_in != NOT_DEFINED &&
            next->defined_in != section)
            return twice(r, next);
        if (section != NOT_DEFINED)
            next->defined_in = section;
        *table = next;
        err = read_key(r, key);
    }
    return err;
}

static mp_err read_header(toml_reader *r, mp_toml *root, int section, mp_toml **out)
{
    const char *key;
    mp_toml *table = root;
    r->p++;
    if (toml_at(r, '['))
        return mp_fail(r->why, MP_INVALID,
                       "arrays of tables, [[name]], are not read: no setting takes one");
    mp_err err = walk(r, &table, NOT_DEFINED, &key);
    if (err)
        return err;
    if (!toml_at(r, ']'))
        return mp_fail(r->why, MP_INVALID, "a bracket is not closed: [name]");
    r->p++;
    mp_toml *old = find(table, key);
    if (old && old->type != MP_TOML_TABLE)
        return no_table(r, old);
    if (old && old->defined_in != NOT_DEFINED)
        return twice(r, old);
    if (!old && (err = toml_add(r, table, key, &old)))
        return err;
    old->defined_in = section;
    old->line = r->line;
    *out = old;
    return MP_OK;
}

static mp_err read_pair(toml_reader *r, mp_toml *table, int section)
{
    const char *key;
    mp_toml *node;
    mp_err err = walk(r, &table, section, &key);
    if (err)
        return err;
    if (!toml_at(r, '='))
        return mp_fail(r->why, MP_INVALID, "after a name its value is expected: name = value");
    r->p++;
    toml_skip_blanks(r);
    if ((node = find(table, key)))
        return twice(r, node);
    err = toml_add(r, table, key, &node);
    return err ? err : toml_value(r, 0, node);
}

/* ---- the document ---- */

static mp_err end_of_line(toml_reader *r)
{
    toml_skip_blanks(r);
    skip_comment(r);
    if (r->p < r->end && !skip_line_end(r))
        return mp_fail(r->why, MP_INVALID, "only a comment may follow in this line");
    return MP_OK;
}

static mp_err read_document(toml_reader *r, mp_toml *root)
{
    mp_toml *table = root;
    mp_err err = check_text(r);
    for (int section = 0; !err;) {
        toml_skip_lines(r);
        if (r->p == r->end)
            break;
        if (toml_at(r, '['))
            err = read_header(r, root, ++section, &table);
        else
            err = read_pair(r, table, section);
        if (!err)
            err = end_of_line(r);
    }
    return err;
}

mp_err mp_toml_parse(mp_toml **out, mp_str text, mp_arena *arena, int *line, mp_why *why)
{
    toml_reader r = {.p = text.p, .end = text.p + text.n, .line = 1, .arena = arena, .why = why};
    mp_toml *root = mp_arena_alloc(arena, sizeof *root);
    *out = NULL;
    if (!root)
        return mp_fail(why, MP_NOMEM, "the file is too large");
    *root = (mp_toml){.line = 1};
    mp_err err = text.n ? read_document(&r, root) : MP_OK;
    *line = r.line;
    if (!err)
        *out = root;
    return err;
}
