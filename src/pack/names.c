/* names.c - see names.h.
 *
 * The set keeps 64-bit hashes, not names: two names with one hash only cost the second one a suffix
 * that it would not have needed. */
#include "pack/names.h"

#include "base/os.h"
#include "pack/text.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <wctype.h>

/* ---- one name ---- */

/* Each format's own extension first. */
static const struct {
    const char *format, *extension;
} extensions[] = {{"jpeg", ".jpg"},  {"jpeg", ".jpeg"}, {"jpeg", ".jpe"},  {"jpeg", ".jfif"},
                  {"png", ".png"},   {"webp", ".webp"}, {"gif", ".gif"},   {"tiff", ".tif"},
                  {"tiff", ".tiff"}, {"avif", ".avif"}, {"heic", ".heic"}, {"heic", ".heif"},
                  {"ppm", ".ppm"},   {"ppm", ".pgm"},   {"ppm", ".pbm"},   {"ppm", ".pnm"},
                  {"ppm", ".pam"}};

static bool is_picture_extension(const char *extension)
{
    for (size_t i = 0; i < MP_COUNT(extensions); i++)
        if (strcasecmp(extension, extensions[i].extension) == 0)
            return true;
    return false;
}

static const char *extension_of_format(const char *format)
{
    for (size_t i = 0; format && i < MP_COUNT(extensions); i++)
        if (strcmp(format, extensions[i].format) == 0)
            return extensions[i].extension;
    return "";
}

static const char *base_of(const char *name)
{
    const char *base = name;
    for (const char *p = name; *p; p++)
        if (*p == '/' || *p == '\\')
            base = p + 1;
    return base;
}

/* Windows takes what stands before the first dot, without blanks at its end, for a device. */
static bool is_reserved(const char *name)
{
    static const char *const devices[] = {"CON",  "PRN",  "AUX",  "NUL",  "CONIN$", "CONOUT$",
                                          "COM¹", "COM²", "COM³", "LPT¹", "LPT²",   "LPT³"};
    size_t n = strcspn(name, ".");
    while (n && name[n - 1] == ' ')
        n--;
    for (size_t i = 0; i < MP_COUNT(devices); i++)
        if (strlen(devices[i]) == n && strncasecmp(name, devices[i], n) == 0)
            return true;
    return n == 4 && (strncasecmp(name, "COM", 3) == 0 || strncasecmp(name, "LPT", 3) == 0) &&
           name[3] >= '0' && name[3] <= '9';
}

/* Character by character: what cannot stay becomes an underscore. */
static void harmless(mp_buf *out, const char *s)
{
    while (*s == ' ')
        s++;
    while (*s) {
        uint32_t c;
        int n = mp_pack_utf8(s, &c);
        bool bad = n == 0 || mp_pack_is_hidden(c) || (c < 0x80 && strchr("<>:\"|?*", (int)c)) ||
                   (c == '.' && out->n == 0);
        mp_buf_add(out, bad ? "_" : s, bad ? 1 : (size_t)n);
        s += n ? n : 1;
    }
    while (out->n && strchr(" .", out->p[out->n - 1]))
        out->n--;
    if (out->n == 0 || strspn(out->p, "_. ") >= out->n) {
        out->n = 0;
        mp_buf_str(out, "picture");
    }
    mp_buf_add(out, "", 0);
    out->p[out->n] = '\0';
}

/* At most `cap` bytes of s, whole characters only. */
static size_t cut(const char *s, size_t n, size_t cap)
{
    if (n <= cap)
        return n;
    while (cap && ((unsigned char)s[cap] & 0xC0) == 0x80)
        cap--;
    return cap;
}

/* The name in two parts, so that a suffix can go between them. */
typedef struct parts {
    char stem[MP_PACK_NAME_LONGEST + 1], extension[16];
} parts;

static void split(parts *out, const char *name, const char *format)
{
    mp_buf b = {0};
    harmless(&b, base_of(name));
    const char *dot = strrchr(b.p, '.');
    const char *extension = dot ? dot : "";
    size_t stem = dot ? (size_t)(dot - b.p) : b.n;
    const char *own = extension_of_format(format);
    bool keep = is_picture_extension(extension) || !*own;
    if (!keep || strlen(extension) >= sizeof out->extension) {
        extension = own;
        stem = b.n;
    }
    snprintf(out->extension, sizeof out->extension, "%s", extension);
    const char *guard = is_reserved(b.p) ? "_" : "";
    size_t room = MP_PACK_NAME_LONGEST - strlen(out->extension) - strlen(guard);
    snprintf(out->stem, sizeof out->stem, "%s%.*s", guard, (int)cut(b.p, stem, room), b.p);
    mp_buf_free(&b);
}

void mp_pack_safe_name(char out[MP_PACK_NAME], const char *name, const char *format)
{
    parts p;
    split(&p, name, format);
    snprintf(out, MP_PACK_NAME, "%s%s", p.stem, p.extension);
}

/* ---- no two alike ---- */

struct mp_pack_names {
    uint64_t *slot; /* hashes, 0: free; a power of two of them, at most half taken */
    size_t slots, taken;
    locale_t letters; /* (locale_t)0: only ASCII letters are told to be the same */
};

mp_pack_names *mp_pack_names_new(void)
{
    mp_pack_names *s = mp_xcalloc(1, sizeof *s);
    s->slots = 1024;
    s->slot = mp_xcalloc(s->slots, sizeof *s->slot);
    s->letters = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    return s;
}

void mp_pack_names_free(mp_pack_names *s)
{
    if (!s)
        return;
    if (s->letters)
        freelocale(s->letters);
    free(s->slot);
    free(s);
}

/* Never 0. */
static uint64_t hash_of(const mp_pack_names *s, const char *name)
{
    uint64_t hash = 0;
    while (*name) {
        uint32_t c;
        name += mp_pack_utf8(name, &c); /* safe names are valid */
        c = s->letters ? (uint32_t)towlower_l((wint_t)c, s->letters)
                       : c + 32 * (uint32_t)(c >= 'A' && c <= 'Z');
        hash = mp_mix64(hash ^ c) + 1;
    }
    return hash ? hash : 1;
}

static uint64_t *find(uint64_t *slot, size_t slots, uint64_t hash)
{
    size_t at = (size_t)mp_mix64(hash) & (slots - 1);
    while (slot[at] && slot[at] != hash)
        at = (at + 1) & (slots - 1);
    return &slot[at];
}

static mp_err grow(mp_pack_names *s, mp_why *why)
{
    size_t slots = s->slots * 2;
    uint64_t *slot = mp_try_array(slots, sizeof *slot);
    if (!slot)
        return mp_fail(why, MP_NOMEM, "no memory for the names of %zu pictures", s->taken);
    memset(slot, 0, slots * sizeof *slot);
    for (size_t i = 0; i < s->slots; i++)
        if (s->slot[i])
            *find(slot, slots, s->slot[i]) = s->slot[i];
    free(s->slot);
    s->slot = slot;
    s->slots = slots;
    return MP_OK;
}

static bool take(mp_pack_names *s, const char *name)
{
    uint64_t hash = hash_of(s, name), *slot = find(s->slot, s->slots, hash);
    if (*slot)
        return false;
    *slot = hash;
    s->taken++;
    return true;
}

mp_err mp_pack_names_take(mp_pack_names *s, const char *name, const char *format, int64_t id,
                          char out[MP_PACK_NAME], mp_why *why)
{
    enum { COUNTED = 9 }; /* then the id: thousands of "image.jpg" shall not be counted through */
    parts p;
    split(&p, name, format);
    mp_err err = s->taken >= s->slots / 2 ? grow(s, why) : MP_OK;
    *out = '\0';
    for (int i = 1; !err; i++) {
        char suffix[48] = "";
        if (i > COUNTED + 1)
            snprintf(suffix, sizeof suffix, "-%lld-%d", (long long)id, i - COUNTED);
        else if (i > COUNTED)
            snprintf(suffix, sizeof suffix, "-%lld", (long long)id);
        else if (i > 1)
            snprintf(suffix, sizeof suffix, " (%d)", i);
        snprintf(out, MP_PACK_NAME, "%s%s%s", p.stem, suffix, p.extension);
        if (take(s, out))
            break;
    }
    return err;
}
