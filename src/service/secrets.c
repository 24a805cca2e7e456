/* secrets.c - see secrets.h. */
#include "service/secrets.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char STARS[] = "***";
enum { PLACE = 200 };

/* ---- what is one ---- */

static bool names_secret(const char *name)
{
    static const char *const words[] = {"secret",     "password",    "passphrase",
                                        "token",      "api_key",     "apikey",
                                        "access_key", "private_key", "authorization"};
    size_t n = strlen(name);
    for (size_t i = 0; i < MP_COUNT(words); i++) {
        size_t k = strlen(words[i]);
        if (n >= k && strcasecmp(name + n - k, words[i]) == 0 &&
            (n == k || name[n - k - 1] == '_' || name[n - k - 1] == '-'))
            return true;
    }
    return false;
}

/* The part of a URL that is hidden: begin and length; 0: none. */
static size_t url_secret(const char *text, const char **at)
{
    const char *host = strstr(text, "://");
    if (!host)
        return 0;
    host += 3;
    size_t n = strcspn(host, "/?#"), end = n;
    while (end && host[end - 1] != '@')
        end--;
    if (!end)
        return 0;
    end--; /* the @ */
    const char *colon = memchr(host, ':', end);
    *at = colon ? colon + 1 : host;
    return (size_t)(host + end - *at);
}

/* The string as it is shown; NULL: as it is. */
static json_t *shown(const char *name, const json_t *value)
{
    const char *text = json_string_value(value), *at;
    if (!text || !*text)
        return NULL;
    if (name && names_secret(name))
        return json_string(STARS);
    size_t n = url_secret(text, &at);
    if (!n)
        return NULL;
    mp_buf url = {0};
    mp_buf_add(&url, text, (size_t)(at - text));
    mp_buf_str(&url, STARS);
    mp_buf_str(&url, at + n);
    json_t *out = json_string(url.p);
    mp_buf_free(&url);
    return out;
}

/* Does a writer say that this is to stay as it is? */
static bool stands_for_one(const char *name, const json_t *value)
{
    const char *text = json_string_value(value), *at;
    if (!text)
        return false;
    if (name && names_secret(name))
        return strcmp(text, STARS) == 0;
    return url_secret(text, &at) == strlen(STARS) && memcmp(at, STARS, strlen(STARS)) == 0;
}

static bool has_stars(const char *name, const json_t *value)
{
    const char *key;
    json_t *one;
    size_t i;
    json_object_foreach((json_t *)(uintptr_t)value, key, one)
    {
        if (has_stars(key, one))
            return true;
    }
    json_array_foreach(value, i, one)
    {
        if (has_stars(NULL, one))
            return true;
    }
    return stands_for_one(name, value);
}

/* ---- hiding ---- */

static json_t *hide(const char *name, json_t *value)
{
    json_t *instead = shown(name, value);
    if (!instead)
        mp_secrets_hide(value);
    return instead;
}

void mp_secrets_hide(json_t *settings)
{
    const char *name;
    json_t *value, *instead;
    size_t i;
    json_object_foreach(settings, name, value)
    {
        if ((instead = hide(name, value)))
            json_object_set_new(settings, name, instead);
    }
    json_array_foreach(settings, i, value)
    {
        if ((instead = hide(NULL, value)))
            json_array_set_new(settings, i, instead);
    }
}

/* ---- keeping ---- */

/* Where in the settings; what does not fit is left out. */
typedef struct place {
    char text[PLACE];
    size_t n;
} place;

static place under(const place *p, const char *name, size_t i)
{
    place out = *p;
    int n = name ? snprintf(out.text + out.n, PLACE - out.n, "%s%s", out.n ? "." : "", name)
                 : snprintf(out.text + out.n, PLACE - out.n, "[%zu]", i);
    out.n = MP_MIN(out.n + (size_t)MP_MAX(n, 0), (size_t)PLACE - 1);
    return out;
}

static bool same_address(const json_t *fresh, const json_t *stored)
{
    const json_t *a = json_object_get(fresh, "url"), *b = json_object_get(stored, "url");
    json_t *s = shown("url", b);
    bool same = a == b || json_equal(a, b) || (s && json_equal(a, s));
    json_decref(s);
    return same;
}

/* The element of a stored list that this one stands for. `bare`: the list as it is shown. */
static const json_t *counterpart(const json_t *one, size_t i, const json_t *list,
                                 const json_t *bare)
{
    if (json_equal(one, json_array_get(bare, i)))
        return json_array_get(list, i);
    for (size_t k = 0; k < json_array_size(bare); k++)
        if (json_equal(one, json_array_get(bare, k)))
            return json_array_get(list, k);
    return json_array_get(list, i);
}

static mp_err keep(json_t *fresh, const json_t *stored, const place *at, mp_why *why);

/* *instead: what stands in the place of this value; NULL: it stays. */
static mp_err keep_one(const char *name, json_t *fresh, const json_t *stored, const place *at,
                       json_t **instead, mp_why *why)
{
    *instead = NULL;
    if (!stands_for_one(name, fresh))
        return keep(fresh, stored, at, why);
    json_t *as_shown = stored ? shown(name, stored) : NULL;
    if (as_shown && json_equal(as_shown, fresh))
        *instead = json_deep_copy(stored);
    json_decref(as_shown);
    return *instead ? MP_OK
                    : mp_fail(why, MP_INVALID,
                              "%s: nothing is stored that *** could stand for: say the secret",
                              at->text);
}

static mp_err keep(json_t *fresh, const json_t *stored, const place *at, mp_why *why)
{
    const char *name;
    json_t *value, *instead;
    size_t i;
    mp_err err = MP_OK;
    if (json_is_object(fresh) && !same_address(fresh, stored))
        stored = NULL;
    json_object_foreach(fresh, name, value)
    {
        place inner = under(at, name, 0);
        err = keep_one(name, value, json_object_get(stored, name), &inner, &instead, why);
        if (err)
            return err;
        if (instead)
            json_object_set_new(fresh, name, instead);
    }
    json_t *bare = has_stars(NULL, fresh) && json_is_array(stored) ? json_deep_copy(stored) : NULL;
    mp_secrets_hide(bare);
    json_array_foreach(fresh, i, value)
    {
        place inner = under(at, NULL, i);
        const json_t *other =
            bare && has_stars(NULL, value) ? counterpart(value, i, stored, bare) : NULL;
        err = keep_one(NULL, value, other, &inner, &instead, why);
        if (err)
            break;
        if (instead)
            json_array_set_new(fresh, i, instead);
    }
    json_decref(bare);
    return err;
}

mp_err mp_secrets_keep(json_t *settings, const json_t *stored, mp_why *why)
{
    place at = {.n = 0};
    return keep(settings, stored, &at, why);
}
