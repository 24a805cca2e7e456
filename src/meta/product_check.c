/* product_check.c - the limits of a product's fields, and prices between text and ten-thousandths.
 */
#include "meta/products.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* ---- UTF-8 ---- */

/* Bytes of the character at p, 0 when it is not well-formed (overlong, surrogate, beyond U+10FFFF).
 */
static size_t character(const uint8_t *p, size_t n)
{
    static const struct {
        uint8_t first, last, low, high; /* of the lead byte; of the second byte */
        size_t bytes;
    } forms[] = {
        {0x01, 0x7F, 0, 0, 1},       {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
        {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
        {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
    };
    size_t i = 0;
    while (i < MP_COUNT(forms) && (p[0] < forms[i].first || p[0] > forms[i].last))
        i++;
    if (i == MP_COUNT(forms) || forms[i].bytes > n)
        return 0;
    if (forms[i].bytes > 1 && (p[1] < forms[i].low || p[1] > forms[i].high))
        return 0;
    for (size_t k = 2; k < forms[i].bytes; k++)
        if ((p[k] & 0xC0) != 0x80)
            return 0;
    return forms[i].bytes;
}

bool mp_utf8_valid(const char *p, size_t n)
{
    for (size_t at = 0, step; at < n; at += step) {
        step = character((const uint8_t *)p + at, n - at);
        if (!step)
            return false;
    }
    return true;
}

/* ---- prices ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

mp_err mp_price_parse(mp_str text, int64_t *e4, mp_why *why)
{
    size_t at = 0, end = text.n, decimals = 0;
    int64_t value = 0;
    bool fits = true, zeros = true;
    *e4 = 0;
    while (at < end && is_blank(text.p[at]))
        at++;
    while (end > at && is_blank(text.p[end - 1]))
        end--;
    size_t begin = at;
    for (; at < end && is_digit(text.p[at]); at++) {
        value = value * 10 + (text.p[at] - '0') * INT64_C(10000);
        if (value > MP_PRICE_E4_MAX) {
            fits = false;
            value = 0;
        }
    }
    bool formed = at > begin;
    if (formed && at + 1 < end && text.p[at] == '.') {
        static const int64_t worth[] = {1000, 100, 10, 1};
        for (at++; at < end && is_digit(text.p[at]); at++, decimals++) {
            if (decimals < MP_COUNT(worth))
                value += (text.p[at] - '0') * worth[decimals];
            else
                zeros = zeros && text.p[at] == '0';
        }
    }
    if (!formed || at != end)
        return mp_fail(why, MP_INVALID, "price: it is not a decimal number such as 12.50");
    if (!fits)
        return mp_fail(why, MP_INVALID, "price: it must be between 0 and 999999999.9999");
    if (!zeros)
        return mp_fail(why, MP_INVALID, "price: it has more than four decimals");
    *e4 = value;
    return MP_OK;
}

void mp_price_format(int64_t e4, char out[MP_PRICE_TEXT])
{
    int n = snprintf(out, MP_PRICE_TEXT, "%" PRId64 ".%04" PRId64, e4 / 10000, e4 % 10000);
    for (int dropped = 0; dropped < 2 && out[n - 1] == '0'; dropped++)
        out[--n] = '\0';
}

/* ---- fields ---- */

typedef struct text_field {
    const char *name;
    unsigned field;
    size_t offset, least, most; /* bytes */
} text_field;

static const text_field texts[] = {
    {"external_id", MP_PRODUCT_EXTERNAL_ID, offsetof(mp_product, external_id), 1,
     MP_EXTERNAL_ID_MAX},
    {"title", MP_PRODUCT_TITLE, offsetof(mp_product, title), 1, MP_TITLE_MAX},
    {"description", MP_PRODUCT_DESCRIPTION, offsetof(mp_product, description), 0,
     MP_DESCRIPTION_MAX},
    {"category", MP_PRODUCT_CATEGORY, offsetof(mp_product, category), 0, MP_CATEGORY_MAX},
    {"currency", MP_PRODUCT_CURRENCY, offsetof(mp_product, currency), 0, 3},
    {"image_url", MP_PRODUCT_IMAGE_URL, offsetof(mp_product, image_url), 0, MP_IMAGE_URL_MAX},
    {"metadata", MP_PRODUCT_METADATA, offsetof(mp_product, metadata), 0, MP_METADATA_MAX},
    {"index_error", MP_PRODUCT_INDEX, offsetof(mp_product, index_error), 0, MP_INDEX_ERROR_MAX},
};

static mp_err check_text(const text_field *f, const char *text, mp_why *why)
{
    size_t n = text ? strlen(text) : 0;
    if (n < f->least)
        return mp_fail(why, MP_INVALID, "%s: it must not be empty", f->name);
    if (n > f->most)
        return mp_fail(why, MP_INVALID, "%s: it has %zu bytes; %zu are the most", f->name, n,
                       f->most);
    if (n && !mp_utf8_valid(text, n))
        return mp_fail(why, MP_INVALID, "%s: it is not valid UTF-8", f->name);
    return MP_OK;
}

static mp_err check_currency(const char *text, mp_why *why)
{
    size_t n = text ? strlen(text) : 0, upper = 0;
    while (upper < n && text[upper] >= 'A' && text[upper] <= 'Z')
        upper++;
    if (n == 0 || (n == 3 && upper == 3))
        return MP_OK;
    return mp_fail(why, MP_INVALID, "currency: it must be three upper-case letters, such as EUR");
}

/* The parser's own words are not passed on: they quote the text, and may cut a character in two. */
static mp_err no_json(const json_error_t *at, mp_why *why)
{
    switch (json_error_code(at)) {
    case json_error_duplicate_key:
        return mp_fail(why, MP_INVALID, "metadata: it has a name twice (byte %d)", at->position);
    case json_error_numeric_overflow:
        return mp_fail(why, MP_INVALID, "metadata: a number is too large (byte %d)", at->position);
    default:
        return mp_fail(why, MP_INVALID, "metadata: it is not JSON (byte %d)", at->position);
    }
}

static mp_err check_metadata(const char *text, mp_why *why)
{
    json_error_t at;
    if (!text || !*text)
        return MP_OK;
    json_t *object = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &at);
    if (!object)
        return no_json(&at, why);
    bool right = json_is_object(object);
    json_decref(object);
    return right ? MP_OK : mp_fail(why, MP_INVALID, "metadata: it must be a JSON object");
}

mp_err mp_product_check(const mp_product *p, unsigned fields, mp_why *why)
{
    mp_err err = MP_OK;
    for (size_t i = 0; !err && i < MP_COUNT(texts); i++)
        if (fields & texts[i].field)
            err = check_text(&texts[i], *(const char *const *)((const char *)p + texts[i].offset),
                             why);
    if (!err && (fields & MP_PRODUCT_PRICE) && p->has_price &&
        (p->price_e4 < 0 || p->price_e4 > MP_PRICE_E4_MAX))
        err = mp_fail(why, MP_INVALID, "price: it must be between 0 and 999999999.9999");
    if (!err && (fields & MP_PRODUCT_CURRENCY))
        err = check_currency(p->currency, why);
    if (!err && (fields & MP_PRODUCT_METADATA))
        err = check_metadata(p->metadata, why);
    if (!err && (fields & MP_PRODUCT_INDEX) && (unsigned)p->index_state > (unsigned)MP_INDEX_FAILED)
        err = mp_fail(why, MP_INVALID, "index_state: there is no state %d", (int)p->index_state);
    return err;
}
