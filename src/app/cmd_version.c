/* cmd_version.c - which magpie this is. */
#include "app/commands.h"

#include "simd/cpu.h"

static int run(mp_app *app)
{
    if (app->json) {
        json_t *o = app_json(app);
        json_object_set_new(o, "version", json_string(MAGPIE_VERSION));
        json_object_set_new(o, "library_version", json_string(magpie_version()));
        json_object_set_new(o, "simd", json_string(mp_isa_word(mp_simd_isa())));
        app_json_print(o);
        return EXIT_DONE;
    }
    printf("magpie %s\n", MAGPIE_VERSION);
    if (app->verbose)
        printf("libmagpie %s, %s instructions, jansson %s\n", magpie_version(),
               mp_isa_word(mp_simd_isa()), jansson_version_str());
    return EXIT_DONE;
}

const mp_command command_version = {
    .name = "version",
    .summary = "Print the version",
    .usage = "version",
    .about = "Prints the version; with -v also what it runs on.",
    .run = run,
};
