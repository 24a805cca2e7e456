/* folder.c - the folder that somebody says a picture lay in, made one that can be kept: it names
 * nothing on this machine, but it is shown, compared and taken apart at its slashes. */
#include "core/core.h"

#include <jansson.h>
#include <string.h>

static bool is_utf8(const char *p, size_t n)
{
    json_t *text = json_stringn(p, n);
    json_decref(text);
    return text != NULL;
}

/* "", ".", "..", and what a Windows path begins with. */
static bool says_nothing(const char *p, size_t n, bool first)
{
    bool letter = n == 2 && ((*p | 32) >= 'a' && (*p | 32) <= 'z');
    return n == 0 || (n == 1 && *p == '.') || (n == 2 && memcmp(p, "..", 2) == 0) ||
           (first && letter && p[1] == ':');
}

static void add_name(const char *p, size_t n, char *to)
{
    bool whole = is_utf8(p, n);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        to[i] = c < 32 || c == 127 || (c >= 128 && !whole) ? '_' : p[i];
    }
}

void mp_core_clean_folder(const char *folder, char out[MP_FOLDER_BYTES + 1])
{
    size_t at = 0;
    for (const char *p = folder ? folder : ""; *p; p += *p != '\0') {
        size_t n = strcspn(p, "/\\");
        if (!says_nothing(p, n, at == 0)) {
            if (at + (at > 0) + n > MP_FOLDER_BYTES)
                break;
            if (at)
                out[at++] = '/';
            add_name(p, n, out + at);
            at += n;
        }
        p += n;
    }
    out[at] = '\0';
}
