/* commands.h - every command's row, one file each, and what they share of options and displays. */
#ifndef MP_APP_COMMANDS_H
#define MP_APP_COMMANDS_H

#include "app/app.h"
#include "app/html.h"
#include "app/progress.h"

extern const mp_program magpie_program; /* commands.c */

extern const mp_command command_init, command_add, command_watch, command_search, command_dupes,
    command_odd, command_list, command_show, command_rm, command_tag, command_map, command_stats,
    command_verify, command_reindex, command_model, command_export, command_doctor, command_demo,
    command_serve, command_worker, command_login, command_upload, command_projects, command_assets,
    command_jobs, command_embed, command_version, command_help;

/* Rows that several commands have. */
#define OPTION_WHERE                                                                               \
    {                                                                                              \
        .name = "where", .type = MP_OPT_TEXT, .value = "FILTER",                                   \
        .help = "Only items that match, e.g. 'tag:rome size>200kb date>=2024-05'."                 \
    }
#define OPTION_HTML                                                                                \
    {                                                                                              \
        .name = "html", .type = MP_OPT_PATH, .value = "FILE",                                      \
        .help = "Also write a page with the pictures, scores and reasons."                         \
    }
#define OPTION_PROJECT(what)                                                                       \
    {                                                                                              \
        .name = "project", .letter = 'p', .type = MP_OPT_INT, .value = "ID", .min = 1,             \
        .max = 9e15, .help = what                                                                  \
    }
#define OPTION_YES(what)                                                                           \
    {                                                                                              \
        .name = "yes", .letter = 'y', .type = MP_OPT_FLAG, .help = what                            \
    }
#define OPTION_PRINT_CONFIG                                                                        \
    {                                                                                              \
        .name = "print-config", .type = MP_OPT_FLAG, .flag_only = true,                            \
        .help = "Print every setting and option that holds, with where it comes from, as a "       \
                "magpie.toml, and end."                                                            \
    }
#define OPTIONS_OF(rows) .options = rows, .n_options = MP_COUNT(rows)

/* One kind of result shown in three ways; used by its command and by demo. */
void hits_print(mp_app *app, const magpie_hits *hits); /* convincing or not */
json_t *hits_json(const magpie_hits *hits);
void hits_html(html *h, const magpie_hits *hits);

void groups_print(mp_app *app, const magpie_groups *groups);
json_t *groups_json(const magpie_groups *groups);
void groups_html(html *h, const magpie_groups *groups);

void odds_print(mp_app *app, const magpie_odds *odds);
json_t *odds_json(const magpie_odds *odds);
/* normals as in magpie_odd_options; the first `heatmaps` get their odd regions overlaid. */
void odds_html(html *h, const magpie_odds *odds, const char *normals, size_t heatmaps);

/* Puts the members of `from` into `into`; takes the reference. */
void json_join(json_t *into, json_t *from);
/* Asks on the terminal; false without one. */
bool app_confirm(const char *question);

#endif
