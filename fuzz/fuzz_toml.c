/* fuzz_toml.c - the reader of the configuration file. Whatever the bytes are, what is read keeps
 * the bounds, every text is UTF-8, and a string that is written again is read as the same. */
#include "config/toml.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_string(const char *text)
{
    mp_buf b = {0};
    mp_toml *root;
    mp_why why;
    int line;
    mp_arena *arena = mp_arena_new(0);
    mp_buf_str(&b, "v = ");
    if (!mp_toml_quote(&b, text) ||
        mp_toml_parse(&root, (mp_str){b.p, b.n}, arena, &line, &why) != MP_OK ||
        strcmp(mp_toml_get(root, "v")->text, text) != 0)
        abort();
    mp_arena_free(arena);
    mp_buf_free(&b);
}

/* The members of all tables; as many arrays deep as there may be, and tables as deep as names go.
 */
static size_t check_members(const mp_toml *parent, int last_line)
{
    size_t nodes = 0;
    for (const mp_toml *v = parent->first; v; v = v->next) {
        bool inner = v->type == MP_TOML_TABLE || v->type == MP_TOML_ARRAY;
        if (v->line < 1 || v->line > last_line || (v->text != NULL) == inner)
            abort();
        if ((v->key != NULL) != (parent->type == MP_TOML_TABLE))
            abort();
        if (v->type == MP_TOML_STRING)
            check_string(v->text);
        nodes += 1 + check_members(v, last_line);
    }
    return nodes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    mp_toml *root;
    mp_why why = {0};
    int line = 0;
    mp_arena *arena = mp_arena_new(0);
    mp_err err = mp_toml_parse(&root, (mp_str){(const char *)data, n}, arena, &line, &why);
    if (line < 1 || (err && (root || !*why.text)))
        abort();
    if (!err && check_members(root, line) > MP_TOML_NODES)
        abort();
    mp_arena_free(arena);
    return 0;
}
