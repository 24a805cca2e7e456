/* bpe_read.c - vocabularies of CLIP's tokenizer, in two forms:
 *
 *  - merges.txt and vocab.json: a line with "#version", then one merge a line, two tokens with one
 *    space between; and each token's number.
 *  - bpe_simple_vocab_16e6.txt, plain or as gzip: the same list of merges, longer than what is
 * used. Numbers follow from the order: 256 bytes, 256 last bytes of words, the merges, two markers.
 *
 * Both write bytes as printable characters (GPT-2's alphabet). A file is damaged where a merge
 * names a token that is not there, comes twice, or where a token is made by no merge. */
#include "model/bpe_parts.h"

#include "base/os.h"

#include <glib.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum {
    MAX_FILE = 16 * 1024 * 1024,
    MAX_UNPACKED = 64 * 1024 * 1024,
    MAX_TOKENS = 1 << 20,
    CLIP_MERGES = 49152 - 256 - 2, /* of open_clip's list, which goes on */
    GZIP_WINDOW = 15 + 16          /* zlib's word for a gzip frame */
};
#define NO_TOKEN UINT32_MAX

enum { OTHERS = 512 + 2 }; /* tokens that no merge makes: bytes, last bytes, markers */
static const char MERGES[] = "merges.txt", VOCABULARY[] = "vocab.json";
static const char *const SIMPLE[] = {"bpe_simple_vocab_16e6.txt", "bpe_simple_vocab_16e6.txt.gz"};
static const char START[] = "<|startoftext|>", END[] = "<|endoftext|>", LAST[] = "</w>";

/* ---- tokens by their text ---- */

typedef struct name {
    mp_str text; /* NULL: an empty slot */
    uint32_t token;
} name;

typedef struct reader {
    mp_bpe *b;
    char path[4096]; /* of the file that is read */
    mp_why *why;
    name *names; /* open addressing; at least half is empty */
    uint64_t mask;
    uint8_t *made; /* by token: some merge makes it, or it is a byte or a marker */
    mp_arena *arena;
    mp_buf joined;
} reader;

static mp_err corrupt(reader *r, const char *what)
{
    return mp_fail(r->why, MP_CORRUPT, "%s: %s", r->path, what);
}

static name *name_slot(const reader *r, mp_str text)
{
    uint64_t at = mp_checksum64(text.p, text.n, r->b->seed) & r->mask;
    while (r->names[at].text.p && !mp_str_eq(r->names[at].text, text))
        at = (at + 1) & r->mask;
    return &r->names[at];
}

static uint32_t token_of(const reader *r, mp_str text)
{
    const name *slot = name_slot(r, text);
    return slot->text.p ? slot->token : NO_TOKEN;
}

/* False: it is there already. The text stays borrowed. */
static bool add_name(reader *r, mp_str text, uint32_t token)
{
    name *slot = name_slot(r, text);
    if (slot->text.p)
        return false;
    *slot = (name){text, token};
    return true;
}

/* A table of a power of two that n entries fill at most by half. */
static uint64_t mask_for(size_t n)
{
    uint64_t size = 16;
    while (size < 2 * n)
        size *= 2;
    return size - 1;
}

static mp_err make_tables(reader *r, size_t tokens, size_t merges)
{
    mp_bpe *b = r->b;
    r->mask = mask_for(tokens);
    b->mask = mask_for(merges);
    r->names = mp_try_array((size_t)r->mask + 1, sizeof *r->names);
    r->made = mp_try_array(tokens, 1);
    b->pairs = mp_try_array((size_t)b->mask + 1, sizeof *b->pairs);
    if (!r->names || !r->made || !b->pairs)
        return mp_fail(r->why, MP_NOMEM, "no memory for the tokens of %s", r->path);
    memset(r->names, 0, ((size_t)r->mask + 1) * sizeof *r->names);
    memset(r->made, 0, tokens);
    memset(b->pairs, 0xFF, ((size_t)b->mask + 1) * sizeof *b->pairs); /* MP_BPE_NO_RANK */
    b->tokens = (uint32_t)tokens;
    return MP_OK;
}

/* ---- the alphabet ---- */

static bool stands_for_itself(int byte)
{
    return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

/* The character of a byte; the others follow behind 255 in order. */
static size_t letter(int byte, char utf8[8])
{
    int others = 0;
    for (int i = 0; i < byte; i++)
        others += !stands_for_itself(i);
    gunichar c = (gunichar)(stands_for_itself(byte) ? byte : 256 + others);
    return (size_t)g_unichar_to_utf8(c, utf8);
}

/* The number of a byte among the first 256 tokens: those that stand for themselves come first. */
static uint32_t place(int byte)
{
    uint32_t before = 0;
    for (int i = 0; i < 256; i++)
        before += stands_for_itself(byte) ? stands_for_itself(i) && i < byte
                                          : stands_for_itself(i) || i < byte;
    return before;
}

/* Calls `take` with the text of each byte's two tokens. */
static mp_err each_byte(reader *r, mp_err (*take)(reader *, mp_str, uint32_t *to, uint32_t place))
{
    mp_err err = MP_OK;
    for (int i = 0; i < 256 && !err; i++) {
        char text[16];
        size_t n = letter(i, text);
        err = take(r, (mp_str){text, n}, &r->b->byte[i], place(i));
        memcpy(text + n, LAST, sizeof LAST - 1);
        if (!err)
            err = take(r, (mp_str){text, n + sizeof LAST - 1}, &r->b->last[i], 256 + place(i));
    }
    return err;
}

/* ---- merges ---- */

/* The next line without its end; false after the last one. */
static bool next_line(mp_str *rest, mp_str *line)
{
    if (!rest->n)
        return false;
    const char *end = memchr(rest->p, '\n', rest->n);
    size_t n = end ? (size_t)(end - rest->p) : rest->n, whole = n + (end != NULL);
    *line = (mp_str){rest->p, n && rest->p[n - 1] == '\r' ? n - 1 : n};
    *rest = (mp_str){rest->p + whole, rest->n - whole};
    return true;
}

static size_t count_lines(mp_str text)
{
    size_t n = 0;
    for (mp_str line; next_line(&text, &line);)
        n += line.n > 0;
    return n;
}

static bool take_version(mp_str *text)
{
    mp_str line;
    return next_line(text, &line) && g_strstr_len(line.p, (gssize)line.n, "#version");
}

/* The token of two halves: looked up, or (open_clip's form) the next number. */
static uint32_t token_made(reader *r, mp_str left, mp_str right, bool numbered, uint32_t rank)
{
    r->joined.n = 0;
    mp_buf_add(&r->joined, left.p, left.n);
    mp_buf_add(&r->joined, right.p, right.n);
    mp_str text = {r->joined.p, r->joined.n};
    if (numbered)
        return token_of(r, text);
    char *kept = mp_arena_strdup(r->arena, text);
    return kept && add_name(r, (mp_str){kept, text.n}, 512 + rank) ? 512 + rank : NO_TOKEN;
}

static mp_err add_merge(reader *r, mp_str line, bool numbered, uint32_t rank)
{
    mp_bpe *b = r->b;
    const char *space = memchr(line.p, ' ', line.n);
    size_t n = space ? (size_t)(space - line.p) : line.n;
    mp_str left = {line.p, n}, right = {line.p + n + 1, space ? line.n - n - 1 : 0};
    if (!left.n || !right.n || memchr(right.p, ' ', right.n))
        return mp_fail(r->why, MP_CORRUPT, "%s: merge %u is not two tokens", r->path, rank + 1);
    uint32_t one = token_of(r, left), two = token_of(r, right);
    if (one == NO_TOKEN || two == NO_TOKEN)
        return mp_fail(r->why, MP_CORRUPT, "%s: merge %u names a token that is not known", r->path,
                       rank + 1);
    uint32_t made = token_made(r, left, right, numbered, rank);
    if (made == NO_TOKEN)
        return mp_fail(r->why, MP_CORRUPT, "%s: merge %u makes a token that is %s", r->path,
                       rank + 1, numbered ? "not in vocab.json" : "there already");
    uint64_t at = mp_bpe_slot(b, one, two);
    for (; b->pairs[at].rank != MP_BPE_NO_RANK; at = (at + 1) & b->mask)
        if (b->pairs[at].left == one && b->pairs[at].right == two)
            return mp_fail(r->why, MP_CORRUPT, "%s: merge %u comes twice", r->path, rank + 1);
    b->pairs[at] = (mp_bpe_pair){.left = one, .right = two, .made = made, .rank = rank};
    r->made[made] = 1;
    return MP_OK;
}

static mp_err add_merges(reader *r, mp_str text, size_t most, bool numbered)
{
    mp_err err = MP_OK;
    uint32_t rank = 0;
    for (mp_str line; !err && rank < most && next_line(&text, &line);)
        if (line.n)
            err = add_merge(r, line, numbered, rank++);
    return err;
}

/* ---- files ---- */

/* The path of a file in the folder, for reading and for messages. */
static void turn_to(reader *r, const char *folder, const char *file)
{
    snprintf(r->path, sizeof r->path, "%s/%s", folder, file);
}

static bool has_file(reader *r, const char *folder, const char *file)
{
    turn_to(r, folder, file);
    return access(r->path, F_OK) == 0;
}

static mp_err unpack(reader *r, mp_span packed, mp_buf *out)
{
    uint8_t block[64 * 1024];
    z_stream z = {.next_in = (Bytef *)packed.p, .avail_in = (uInt)packed.n};
    int state = inflateInit2(&z, GZIP_WINDOW);
    if (state != Z_OK)
        return mp_fail(r->why, MP_NOMEM, "no memory to unpack %s", r->path);
    while (state == Z_OK && out->n <= MAX_UNPACKED) {
        z.next_out = block;
        z.avail_out = sizeof block;
        state = inflate(&z, Z_NO_FLUSH);
        mp_buf_add(out, block, sizeof block - z.avail_out);
    }
    bool whole = state == Z_STREAM_END && z.avail_in == 0;
    inflateEnd(&z);
    if (out->n > MAX_UNPACKED)
        return corrupt(r, "unpacks to more than any vocabulary has");
    return whole ? MP_OK : corrupt(r, "the gzip file is damaged or cut short");
}

/* The file that r->path names, unpacked where it is packed. Caller frees. */
static mp_err read_text(reader *r, mp_buf *out)
{
    uint8_t *bytes;
    size_t n;
    mp_err err = mp_file_read(r->path, MAX_FILE, &bytes, &n, r->why);
    if (err)
        return err;
    if (n > 1 && bytes[0] == 0x1F && bytes[1] == 0x8B)
        err = unpack(r, (mp_span){bytes, n}, out);
    else
        mp_buf_add(out, bytes, n);
    free(bytes);
    return err;
}

/* ---- open_clip's form ---- */

static mp_err number_byte(reader *r, mp_str text, uint32_t *to, uint32_t place)
{
    char *kept = mp_arena_strdup(r->arena, text);
    if (!kept || !add_name(r, (mp_str){kept, text.n}, place))
        return mp_fail(r->why, MP_NOMEM, "no memory for the tokens of %s", r->path);
    *to = place;
    return MP_OK;
}

static mp_err read_simple(reader *r)
{
    mp_buf file = {0};
    mp_err err = read_text(r, &file);
    mp_str text = {file.p, file.n};
    if (!err && !take_version(&text))
        err = corrupt(r, "does not begin with a line of its version");
    size_t merges = MP_MIN(count_lines(text), (size_t)CLIP_MERGES);
    /* A last line without its end may have lost a part of its token. */
    if (!err && merges < CLIP_MERGES && (!text.n || text.p[text.n - 1] != '\n'))
        err = corrupt(r, "is cut short");
    if (!err)
        err = make_tables(r, 512 + merges + 2, merges);
    if (!err)
        err = each_byte(r, number_byte);
    if (!err)
        err = add_merges(r, text, merges, false);
    r->b->start = (uint32_t)(512 + merges);
    r->b->end = r->b->start + 1;
    mp_buf_free(&file);
    return err;
}

/* ---- Hugging Face's form ---- */

static mp_err find_byte(reader *r, mp_str text, uint32_t *to, uint32_t place)
{
    (void)place;
    *to = token_of(r, text);
    if (*to == NO_TOKEN)
        return corrupt(r, "lacks a token of a single byte");
    r->made[*to] = 1;
    return MP_OK;
}

/* Every number from 0 on, each once. */
static mp_err take_numbers(reader *r, json_t *tokens)
{
    const char *key;
    json_t *value;
    size_t n = json_object_size(tokens);
    json_object_foreach(tokens, key, value)
    {
        json_int_t number = json_is_integer(value) ? json_integer_value(value) : -1;
        if (number < 0 || (size_t)number >= n || r->made[number])
            return corrupt(r, "its tokens are not numbered from 0 on, each number once");
        r->made[number] = 1;
        if (!add_name(r, mp_str_of(key), (uint32_t)number))
            return corrupt(r, "has a token twice");
    }
    memset(r->made, 0, n);
    return MP_OK;
}

static mp_err find_marker(reader *r, const char *text, uint32_t *to)
{
    *to = token_of(r, mp_str_of(text));
    if (*to == NO_TOKEN)
        return mp_fail(r->why, MP_CORRUPT, "%s: lacks the token %s", r->path, text);
    r->made[*to] = 1;
    return MP_OK;
}

/* What no merge makes would never be found in a text; markers ("<|...|>") alone may be so. */
static mp_err check_made(reader *r)
{
    for (uint64_t i = 0; i <= r->mask; i++) {
        mp_str text = r->names[i].text;
        bool marker =
            text.n > 4 && memcmp(text.p, "<|", 2) == 0 && memcmp(text.p + text.n - 2, "|>", 2) == 0;
        if (text.p && !marker && !r->made[r->names[i].token])
            return mp_fail(r->why, MP_CORRUPT, "%s: no merge makes token %u of vocab.json", r->path,
                           r->names[i].token);
    }
    return MP_OK;
}

static mp_err read_vocabulary(reader *r, mp_str merges, json_t *tokens)
{
    size_t n = json_object_size(tokens);
    if (!n || n > MAX_TOKENS)
        return corrupt(r, "is not an object of tokens and their numbers");
    mp_err err = make_tables(r, n, count_lines(merges));
    if (!err)
        err = take_numbers(r, tokens);
    if (!err)
        err = each_byte(r, find_byte);
    if (!err)
        err = find_marker(r, START, &r->b->start);
    if (!err)
        err = find_marker(r, END, &r->b->end);
    return err;
}

static mp_err read_hugging_face(reader *r, const char *folder)
{
    mp_buf merges = {0}, vocabulary = {0};
    json_t *tokens = NULL;
    turn_to(r, folder, MERGES);
    mp_err err = read_text(r, &merges);
    mp_str text = {merges.p, merges.n};
    if (!err && !take_version(&text))
        err = corrupt(r, "does not begin with a line of its version");
    if (!err && count_lines(text) > MAX_TOKENS)
        err = corrupt(r, "has more merges than any vocabulary");
    turn_to(r, folder, VOCABULARY);
    if (!err)
        err = read_text(r, &vocabulary);
    if (!err) {
        json_error_t at;
        tokens = json_loadb(vocabulary.p, vocabulary.n, JSON_REJECT_DUPLICATES, &at);
        err = tokens ? read_vocabulary(r, text, tokens)
                     : mp_fail(r->why, MP_CORRUPT, "%s: line %d is not JSON", r->path, at.line);
    }
    turn_to(r, folder, MERGES);
    size_t room = json_object_size(tokens); /* a longer list is cut, as transformers cuts it */
    if (!err)
        err = add_merges(r, text, room > OTHERS ? room - OTHERS : 0, true);
    if (!err)
        err = check_made(r);
    json_decref(tokens);
    mp_buf_free(&merges);
    mp_buf_free(&vocabulary);
    return err;
}

static mp_err read_any(reader *r, const char *folder)
{
    if (has_file(r, folder, MERGES) || has_file(r, folder, VOCABULARY))
        return read_hugging_face(r, folder);
    for (size_t i = 0; i < MP_COUNT(SIMPLE); i++)
        if (has_file(r, folder, SIMPLE[i]))
            return read_simple(r);
    return mp_fail(r->why, MP_NOT_FOUND, "%s has no %s with %s, and no %s", folder, VOCABULARY,
                   MERGES, SIMPLE[0]);
}

mp_err mp_bpe_read(mp_bpe *b, const char *folder, mp_why *why)
{
    reader r = {.b = b, .why = why, .arena = mp_arena_new(MAX_UNPACKED)};
    mp_random_id(&b->seed, sizeof b->seed);
    mp_err err = read_any(&r, folder);
    mp_arena_free(r.arena);
    mp_buf_free(&r.joined);
    free(r.names);
    free(r.made);
    return err;
}
