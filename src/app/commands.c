/* commands.c - the program as a table. */
#include "app/commands.h"

static const mp_command *const table_of_commands[] = {
    &command_init,   &command_add,     &command_watch,    &command_search,  &command_dupes,
    &command_odd,    &command_list,    &command_show,     &command_rm,      &command_tag,
    &command_map,    &command_stats,   &command_verify,   &command_reindex, &command_model,
    &command_export, &command_doctor,  &command_demo,     &command_serve,   &command_worker,
    &command_login,  &command_upload,  &command_projects, &command_assets,  &command_jobs,
    &command_embed,  &command_version, &command_help,
};

static const mp_option common_rows[] = {
    {.name = "json", .type = MP_OPT_FLAG, .help = "Print JSON (docs/json.md has the shapes)."},
    {.name = "quiet", .letter = 'q', .type = MP_OPT_FLAG, .help = "Results and errors only."},
    {.name = "verbose", .letter = 'v', .type = MP_OPT_FLAG, .help = "Say more."},
    {.name = "config",
     .type = MP_OPT_PATH,
     .value = "FILE",
     .help = "Configuration file (default: ~/.config/magpie/magpie.toml)."},
    {.name = "help", .letter = 'h', .type = MP_OPT_FLAG, .help = "Explain the command."},
};

const mp_program magpie_program = {
    .version = MAGPIE_VERSION,
    .tagline = "Magpie finds pictures: from words, from pictures, copies, and odd ones.",
    .tour = "  magpie add ~/Pictures         look at a folder of pictures\n"
            "  magpie search tabby cat       find some by words (or --image FILE)\n"
            "  magpie dupes                  see the copies among them\n",
    .commands = table_of_commands,
    .n_commands = MP_COUNT(table_of_commands),
    .common = {common_rows, MP_COUNT(common_rows)},
    .exits = exit_rows,
    .n_exits = EXIT_ROWS,
};
