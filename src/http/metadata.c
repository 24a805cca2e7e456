/* metadata.c - what the camera wrote into a picture. */
#include "http/items.h"
#include "http/server.h"

#include "core/ports.h"

static json_t *value_of(const mp_core_fact *fact)
{
    if (fact->text)
        return json_string(fact->text);
    return fact->is_flag ? json_boolean(fact->number != 0) : json_real(fact->number);
}

void mp_handle_metadata(mp_request *r)
{
    magpie_item *item;
    mp_core_fact *facts;
    size_t n;
    mp_why why = {0};
    if (!mp_item_asked(r, r->param[0], false, &item))
        return;
    mp_err err = mp_core_facts(r->service->library, item->id, r->arena, &facts, &n, &why);
    magpie_item_free(item);
    if (err == MP_NOT_FOUND) {
        mp_reply_problem(r, 410, "the file of this picture is not there");
        return;
    }
    if (err) {
        mp_reply_failure(r, err, &why);
        return;
    }
    json_t *exif = json_object();
    for (size_t i = 0; i < n; i++)
        json_object_set_new(exif, facts[i].name, value_of(&facts[i]));
    mp_reply_json(r, 200, json_pack("{s:o}", "exif", exif));
}
