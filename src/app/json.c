/* json.c - the parts that the commands' JSON shapes share. docs/json.md is the contract. */
#include "app/commands.h"
#include "pack/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FORMAT = 1 }; /* raised when a shape changes incompatibly */

json_t *json_text(const char *s)
{
    mp_buf b = {0};
    mp_pack_clean(&b, s);
    json_t *text = json_stringn(b.p, b.n);
    mp_buf_free(&b);
    return text;
}

json_t *json_float(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

json_t *app_json(const mp_app *app)
{
    json_t *o = json_object();
    json_object_set_new(o, "command", json_string(app->command ? app->command->name : ""));
    json_object_set_new(o, "format", json_integer(FORMAT));
    return o;
}

void app_json_print(json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(7));
    json_decref(object);
    if (!text)
        return;
    fprintf(stdout, "%s\n", text);
    fflush(stdout);
    free(text);
}

static json_t *issues_of(uint32_t issues)
{
    json_t *list = json_array();
    for (uint32_t bit = 1; bit <= MAGPIE_LOW_CONTRAST; bit <<= 1)
        if (issues & bit)
            json_array_append_new(list, json_string(magpie_issue_word(bit)));
    return list;
}

static json_t *instant(int64_t unix_ms)
{
    char text[TEXT_SMALL];
    return unix_ms ? json_string(text_instant(text, unix_ms)) : json_null();
}

json_t *json_item(const magpie_item *item)
{
    static const char *const states[] = {"present", "missing", "trashed"};
    char phash[20];
    json_t *o = json_object(), *tags = json_array();
    snprintf(phash, sizeof phash, "%016llx", (unsigned long long)item->phash);
    for (size_t i = 0; i < item->n_tags; i++)
        json_array_append_new(tags, json_text(item->tags[i]));
    json_object_set_new(o, "id", json_integer(item->id));
    json_object_set_new(o, "path", json_text(item->path));
    json_object_set_new(o, "name", json_text(item->name));
    json_object_set_new(o, "state", json_string(states[item->state]));
    json_object_set_new(o, "copied", json_boolean(item->copied));
    json_object_set_new(o, "title", json_text(item->title));
    json_object_set_new(o, "description", json_text(item->description));
    json_object_set_new(o, "tags", tags);
    json_object_set_new(o, "format", json_text(item->format));
    json_object_set_new(o, "width", json_integer(item->width));
    json_object_set_new(o, "height", json_integer(item->height));
    json_object_set_new(o, "bytes", json_integer(item->bytes));
    json_object_set_new(o, "sha256", json_text(item->sha256));
    json_object_set_new(o, "phash", json_string(phash));
    json_object_set_new(o, "modified", instant(item->mtime_ms));
    json_object_set_new(o, "taken", instant(item->taken_ms));
    json_object_set_new(o, "added", instant(item->added_ms));
    json_object_set_new(o, "sharpness", json_float(item->sharpness));
    json_object_set_new(o, "brightness", json_float(item->brightness));
    json_object_set_new(o, "contrast", json_float(item->contrast));
    json_object_set_new(o, "entropy", json_float(item->entropy));
    json_object_set_new(o, "issues", issues_of(item->issues));
    return o;
}

void json_join(json_t *into, json_t *from)
{
    json_object_update(into, from);
    json_decref(from);
}
