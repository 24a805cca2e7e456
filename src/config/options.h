/* options.h - one row per option, and what its text may be.
 *
 * Settings (settings.h) and the options of each command are rows of this one shape. From the rows
 * come the command line's parser, the environment variables, the configuration file's keys, --help,
 * the manual page, docs/cli.md, .env.example and the shells' completions: a new option is one new
 * row. Everything here is a pure function; any thread. */
#ifndef MP_OPTIONS_H
#define MP_OPTIONS_H

#include "base/base.h"

typedef enum mp_option_type {
    MP_OPT_FLAG,     /* given or not; in the environment: yes, no, on, off, 1, 0, ... */
    MP_OPT_SWITCH,   /* yes or no, in those words */
    MP_OPT_TEXT,     /* any words; min and max: how many bytes */
    MP_OPT_URL,      /* with one of `schemes` */
    MP_OPT_PATH,     /* a file or a folder; completed as one */
    MP_OPT_INT,      /* a whole number */
    MP_OPT_NUMBER,   /* a decimal number */
    MP_OPT_SIZE,     /* bytes: 1000, 200kb, 25MiB, 1.5g (powers of 1024) */
    MP_OPT_DURATION, /* milliseconds, from 500ms, 10s, 2min; a plain number means seconds */
    MP_OPT_CHOICE    /* one of `choices` */
} mp_option_type;

/* A name that other programs and their documents use for the same thing. */
typedef struct mp_alias {
    const char *name; /* "JWT_SECRET" */
    const char *path; /* what is added to such a value: it is the base of several URLs; or NULL */
} mp_alias;

enum { MP_ALIASES = 2 };

typedef struct mp_option {
    const char *name; /* "max-side": --max-side, MAGPIE_MAX_SIDE, max-side = in the file */
    char letter;      /* -k; 0: none */
    mp_option_type type;
    bool many;      /* may be given several times; else the last one counts */
    bool secret;    /* its value is never shown */
    bool flag_only; /* what one run is to do: neither in the environment nor in the file */
    mp_alias alias[MP_ALIASES]; /* read by services, where MAGPIE_NAME is not set */
    const char *value;          /* what stands for the value in help: "FILE" */
    const char *choices;        /* "auto|always|never" */
    /* "http://|https://", or "sqlite: (what that means)". One that ends in // begins the value, any
     * other is the whole of it. */
    const char *schemes;
    const char *fallback; /* the default as text; NULL: none */
    double min, max;      /* of numbers, sizes (bytes) and durations (ms); both 0: no bounds */
    /* What else must hold, without the value's name; NULL: nothing. It may not repeat a secret. */
    mp_err (*check)(const char *text, mp_why *why);
    const char *help; /* one sentence or two */
} mp_option;

typedef struct mp_value {
    const char *text; /* as given; owned by whoever gave it */
    bool flag;
    int64_t integer; /* INT, SIZE (bytes), DURATION (ms) */
    double number;   /* NUMBER; the same as integer for the others */
} mp_value;

/* Where a value comes from, the weakest first. */
typedef enum mp_origin {
    MP_FROM_DEFAULT,
    MP_FROM_FILE,
    MP_FROM_ALIAS,
    MP_FROM_ENV,
    MP_FROM_FLAG
} mp_origin;

typedef struct mp_value_source {
    mp_origin origin;
    int line;          /* FROM_FILE */
    const char *alias; /* FROM_ALIAS: its name */
} mp_value_source;

/* Reads `text` as the option wants it. INVALID with a text that names the value and what is
 * allowed, but not the option: the caller knows where it stood. Neither a secret's value is
 * repeated nor what may be a password in a URL. */
MP_CHECK mp_err mp_option_parse(const mp_option *o, const char *text, mp_value *out, mp_why *why);
/* What is allowed: "0 to 65535", "100ms to 1h", "auto, always, never"; "" where all is. */
void mp_option_range(const mp_option *o, char *out, size_t cap);
/* May this value be shown? No: it is a secret, or a URL that may have a password in it. */
bool mp_option_may_show(const mp_option *o, const char *text);
/* "MAGPIE_MAX_SIDE". */
void mp_option_env(const mp_option *o, char *out, size_t cap);
bool mp_option_takes_value(const mp_option *o);
bool mp_option_is_switch(const mp_option *o); /* a flag, or yes and no */

/* The candidate that `word` probably meant, by edit distance with swaps (Damerau, 1964; the
 * restricted form): at most a third of the word may differ. NULL if none is near. `next` gives the
 * i-th candidate, NULL at the end. */
typedef const char *(*mp_candidate_fn)(const void *context, size_t i);
const char *mp_suggest(const char *word, mp_candidate_fn next, const void *context);

#endif
