/* command.h - one row per command, and the documents that are made from the rows. */
#ifndef MP_COMMAND_H
#define MP_COMMAND_H

#include "config/args.h"
#include "config/settings.h"

struct mp_app; /* what a running command has at hand: src/app/app.h */

typedef enum mp_operand { MP_OPERAND_NONE, MP_OPERAND_WORDS, MP_OPERAND_FILES } mp_operand;

typedef struct mp_command {
    const char *name;
    const char *summary; /* a few words, for lists */
    const char *usage;   /* without "magpie "; several forms are lines */
    const char *about;   /* paragraphs as lines; a line that begins with a blank is kept as it is */
    const mp_option *options;
    size_t n_options;
    const char *words;  /* first operands to complete: "plan apply undo"; NULL: none */
    mp_operand operand; /* what else completes */
    bool hidden;
    /* A service: its options are read from the environment and the file, too (settings.h). */
    bool configured;
    bool dash_operands; /* see mp_args_rules */
    int (*run)(struct mp_app *app);
} mp_command;

typedef struct mp_exit_row {
    int code;
    const char *meaning;
} mp_exit_row;

typedef struct mp_program {
    const char *version, *tagline;
    const char *tour; /* lines */
    const mp_command *const *commands;
    size_t n_commands;
    mp_option_table common; /* of every command, on the command line alone */
    const mp_exit_row *exits;
    size_t n_exits;
} mp_program;

const mp_command *mp_program_find(const mp_program *p, const char *name);
/* The nearest command's name, or NULL. */
const char *mp_program_suggest(const mp_program *p, const char *word);

/* ---- documents; each appends to `out` ---- */
void mp_doc_short(const mp_program *p, mp_buf *out); /* what `magpie` alone says */
void mp_doc_overview(const mp_program *p, int width, mp_buf *out);
void mp_doc_command(const mp_program *p, const mp_command *c, int width, mp_buf *out);
void mp_doc_man(const mp_program *p, mp_buf *out);
void mp_doc_markdown(const mp_program *p, mp_buf *out);
void mp_doc_env(const mp_program *p, mp_buf *out);  /* .env.example */
void mp_doc_toml(const mp_program *p, mp_buf *out); /* magpie.example.toml */
void mp_doc_bash(const mp_program *p, mp_buf *out);
void mp_doc_zsh(const mp_program *p, mp_buf *out);
void mp_doc_fish(const mp_program *p, mp_buf *out);

/* What holds for a service, each value with where it comes from: a configuration file that gives
 * the same again. Secrets are comments that say no more than that they are set. */
void mp_doc_effective(const mp_settings *s, const mp_args *args, const mp_command *c, mp_buf *out);

/* All that there is to say of an option: its help, what may be given, the default (unless it stands
 * elsewhere), other names. */
void mp_doc_option(const mp_option *o, bool fallback, mp_buf *out);
/* `text` filled into lines of `width` columns, each indented; the first line's indent is taken as
 * written already. */
void mp_doc_wrap(mp_buf *out, const char *text, int indent, int width);

#endif
