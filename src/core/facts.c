/* facts.c - what the camera wrote into a picture, read from the original when it is asked for. */
#include "core/core.h"

#include "core/ports.h"

#include <math.h>
#include <unistd.h>

enum { MOST = 17 };

typedef struct list {
    mp_arena *arena;
    mp_core_fact *facts;
    size_t n;
} list;

static void add_text(list *l, const char *name, const char *text)
{
    const char *kept = *text ? mp_arena_strdup(l->arena, mp_str_of(text)) : NULL;
    if (kept)
        l->facts[l->n++] = (mp_core_fact){.name = name, .text = kept};
}

static void add_number(list *l, const char *name, double number)
{
    if (!isnan(number))
        l->facts[l->n++] = (mp_core_fact){.name = name, .number = number};
}

static void list_facts(list *l, const mp_exif *e)
{
    add_text(l, "make", e->make);
    add_text(l, "model", e->model);
    add_text(l, "lens", e->lens);
    add_text(l, "software", e->software);
    add_text(l, "artist", e->artist);
    add_text(l, "copyright", e->copyright);
    add_text(l, "taken", e->taken);
    add_number(l, "exposure_s", e->exposure_s);
    add_number(l, "f_number", e->f_number);
    add_number(l, "iso", e->iso);
    add_number(l, "focal_length_mm", e->focal_mm);
    add_number(l, "focal_length_35mm", e->focal_35mm);
    add_number(l, "exposure_bias_ev", e->bias_ev);
    if (!isnan(e->flash))
        l->facts[l->n++] =
            (mp_core_fact){.name = "flash", .is_flag = true, .number = (double)((int)e->flash & 1)};
    add_number(l, "latitude", e->latitude);
    add_number(l, "longitude", e->longitude);
    add_number(l, "altitude_m", e->altitude_m);
}

mp_err mp_core_facts(magpie *m, int64_t id, mp_arena *arena, mp_core_fact **out, size_t *n,
                     mp_why *why)
{
    static const mp_decode_spec spec = {.header = true};
    list l = {.arena = arena, .facts = mp_arena_alloc(arena, MOST * sizeof *l.facts)};
    mp_decoder *decoder;
    mp_decoded decoded = {0};
    mp_item item;
    int fd = -1;
    *out = l.facts;
    *n = 0;
    mp_err err = l.facts ? mp_meta_get_item(m->meta, id, arena, &item, why)
                         : mp_fail(why, MP_NOMEM, "no memory for facts");
    if (!err)
        err = mp_core_open_original(m, &item, &fd, why);
    if (!err)
        err = mp_core_decoder(m, &decoder, why);
    if (!err)
        err = mp_decode_fd(decoder, fd, &spec, &decoded, why);
    if (!err) {
        list_facts(&l, &decoded.exif);
        *n = l.n;
    }
    mp_decoded_free(&decoded);
    if (fd >= 0)
        close(fd);
    return err;
}
