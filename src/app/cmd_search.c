/* cmd_search.c - finds pictures from words and pictures. */
#include "app/commands.h"
#include "app/remote.h"
#include "app/remote_search.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_TERMS = 16 };

static const mp_option rows[] = {
    {.name = "image",
     .letter = 'i',
     .type = MP_OPT_PATH,
     .many = true,
     .value = "FILE",
     .help = "Pictures that look like this file, which need not be in the library; - reads one "
             "from standard input."},
    {.name = "like",
     .letter = 'l',
     .type = MP_OPT_TEXT,
     .many = true,
     .value = "ID",
     .help = "Pictures that look like this item."},
    {.name = "not",
     .type = MP_OPT_TEXT,
     .many = true,
     .value = "WORDS",
     .help = "Pictures that do not fit these words."},
    {.name = "not-like",
     .type = MP_OPT_TEXT,
     .many = true,
     .value = "ID",
     .help = "Pictures that do not look like this item."},
    {.name = "weight",
     .letter = 'w',
     .type = MP_OPT_NUMBER,
     .many = true,
     .value = "N",
     .min = 0.001,
     .max = 1000,
     .help = "How much what stands before it counts (1 if not said)."},
    OPTION_WHERE,
    {.name = "count",
     .letter = 'k',
     .type = MP_OPT_INT,
     .value = "N",
     .fallback = "20",
     .min = 1,
     .max = 10000,
     .help = "At most this many."},
    {.name = "min-score",
     .type = MP_OPT_NUMBER,
     .value = "X",
     .min = -100,
     .max = 100,
     .help = "Only from this score on (default: what convinces with this model)."},
    {.name = "all", .type = MP_OPT_FLAG, .help = "The nearest ones, convincing or not."},
    {.name = "exact",
     .type = MP_OPT_FLAG,
     .help = "Compare with every picture, without the index."},
    {.name = "copies",
     .type = MP_OPT_FLAG,
     .help = "Of one picture (--image or --like): only what shows the very same, whatever was done "
             "to it - resized, recoded, cropped, turned, framed, tilted."},
    OPTION_PROJECT("Only in this project of a service."),
    OPTION_HTML,
    {.name = "paths", .type = MP_OPT_FLAG, .help = "Print paths alone, one per line."},
    {.name = "null",
     .letter = '0',
     .type = MP_OPT_FLAG,
     .help = "Print paths alone, each ended by a NUL: for xargs -0."},
};

typedef struct request {
    mp_app *app;
    magpie_term terms[MAX_TERMS];
    size_t n;
    int words;        /* place of the operands' term; -1 none */
    mp_buf text;      /* of that term */
    uint8_t *picture; /* from standard input */
    int last;         /* term that --weight is about; -1 none */
} request;

/* ---- from arguments to terms ---- */

static int add_term(request *r, magpie_term wanted)
{
    if (r->n == MAX_TERMS)
        return app_usage(r->app, "at most %d things can be searched for at once", MAX_TERMS);
    r->last = (int)r->n;
    r->terms[r->n++] = wanted;
    return EXIT_DONE;
}

static int add_word(request *r, const char *word)
{
    if (r->words >= 0) {
        mp_buf_str(&r->text, " ");
        r->last = r->words;
    } else {
        int code = add_term(r, (magpie_term){.kind = MAGPIE_TEXT, .weight = 1});
        if (code)
            return code;
        r->words = r->last;
    }
    mp_buf_str(&r->text, word);
    return EXIT_DONE;
}

static int add_item(request *r, const char *text, float weight)
{
    int64_t id;
    if (!app_parse_id(text, &id))
        return app_usage(r->app, "'%.100s' is not an id (a number such as 12, from magpie list)",
                         text);
    return add_term(r, (magpie_term){.kind = MAGPIE_ID, .id = id, .weight = weight});
}

static int read_picture(request *r)
{
    int64_t cap = mp_settings_int(&r->app->settings, MP_SET_MAX_BYTES);
    mp_buf b = {0};
    mp_why why = {0};
    char room[65536];
    ssize_t n;
    if (r->picture)
        return app_usage(r->app, "standard input holds one picture only");
    while ((n = read(STDIN_FILENO, room, sizeof room)) > 0 && (int64_t)b.n <= cap)
        mp_buf_add(&b, room, (size_t)n);
    r->picture = (uint8_t *)b.p;
    if (n < 0)
        return app_fail_inner(r->app, mp_fail_errno(&why, errno, "cannot read standard input"),
                              &why);
    if ((int64_t)b.n > cap)
        return app_fail_inner(
            r->app, mp_fail(&why, MP_TOO_BIG, "standard input: over the limit of --max-bytes"),
            &why);
    return add_term(r,
                    (magpie_term){.kind = MAGPIE_BYTES, .data = r->picture, .n = b.n, .weight = 1});
}

static int weigh(request *r, double weight)
{
    if (r->last < 0)
        return app_usage(r->app, "--weight stands behind what it is about");
    magpie_term *t = &r->terms[r->last];
    t->weight = t->weight < 0 ? -(float)weight : (float)weight;
    return EXIT_DONE;
}

static int take_arg(request *r, const mp_arg *a)
{
    const char *name = a->option ? a->option->name : "", *text = a->value.text;
    if (!a->option)
        return add_word(r, text);
    if (strcmp(name, "image") == 0 && strcmp(text, "-") == 0)
        return read_picture(r);
    if (strcmp(name, "image") == 0)
        return add_term(r, (magpie_term){.kind = MAGPIE_FILE, .text = text, .weight = 1});
    if (strcmp(name, "like") == 0)
        return add_item(r, text, 1);
    if (strcmp(name, "not-like") == 0)
        return add_item(r, text, -1);
    if (strcmp(name, "not") == 0)
        return add_term(r, (magpie_term){.kind = MAGPIE_TEXT, .text = text, .weight = -1});
    if (strcmp(name, "weight") == 0)
        return weigh(r, a->value.number);
    return EXIT_DONE;
}

static int read_terms(request *r)
{
    int code = EXIT_DONE;
    for (size_t i = 0; !code && i < r->app->args.n; i++)
        code = take_arg(r, &r->app->args.arg[i]);
    if (r->words >= 0)
        r->terms[r->words].text = r->text.p;
    if (!code && r->n == 0)
        code = app_usage(r->app, "search for what? Give words, --image FILE or --like ID");
    return code;
}

static float floor_of(const mp_args *args)
{
    if (mp_args_flag(args, "all"))
        return -1000; /* below every score of every measure */
    float x = (float)mp_args_number(args, "min-score", 0);
    return mp_args_get(args, "min-score") && x == 0 ? 1e-9f : x; /* 0 would mean "the default" */
}

/* ---- results ---- */

static void print_paths(const mp_app *app, const magpie_hits *hits)
{
    bool null = mp_args_flag(&app->args, "null");
    for (size_t i = 0; i < hits->n; i++) {
        if (!*hits->hit[i].path)
            continue; /* bytes without a file */
        if (null) {
            fwrite(hits->hit[i].path, 1, strlen(hits->hit[i].path) + 1, stdout);
        } else {
            char *path = app->out.tty ? app_escaped(hits->hit[i].path) : NULL;
            printf("%s\n", path ? path : hits->hit[i].path);
            free(path);
        }
    }
}

static void title_of(const request *r, mp_buf *out)
{
    mp_buf_str(out, "Pictures");
    for (size_t i = 0; i < r->n; i++) {
        const magpie_term *t = &r->terms[i];
        mp_buf_str(out, i ? ", " : ": ");
        mp_buf_str(out, t->weight < 0 ? "not " : "");
        if (t->kind == MAGPIE_TEXT)
            mp_buf_printf(out, "\"%s\"", t->text);
        else if (t->kind == MAGPIE_ID)
            mp_buf_printf(out, "like #%lld", (long long)t->id);
        else
            mp_buf_printf(out, "like %s", t->kind == MAGPIE_FILE ? t->text : "standard input");
    }
}

static int write_page(const request *r, const char *path, const magpie_hits *hits)
{
    html h;
    mp_why why = {0};
    mp_buf title = {0};
    title_of(r, &title);
    mp_err err = html_open(&h, r->app, path, title.p, &why);
    if (!err) {
        hits_html(&h, hits);
        err = html_commit(&h, &why);
    }
    mp_buf_free(&title);
    return err ? app_fail_inner(r->app, err, &why) : EXIT_DONE;
}

static int show(const request *r, const magpie_hits *hits)
{
    mp_app *app = r->app;
    const char *page = mp_args_text(&app->args, "html", NULL);
    int code = page ? write_page(r, page, hits) : EXIT_DONE;
    if (code)
        return code;
    if (app->json) {
        json_t *o = app_json(app);
        json_join(o, hits_json(hits));
        app_json_print(o);
    } else if (mp_args_flag(&app->args, "paths") || mp_args_flag(&app->args, "null")) {
        print_paths(app, hits);
    } else {
        hits_print(app, hits);
    }
    return hits->n ? EXIT_DONE : EXIT_NOTHING;
}

/* Copies as hits, which are shown in the same ways. */
static int show_copies(const request *r, const magpie_copy *copies, size_t n)
{
    magpie_hit *hit = mp_xcalloc(n + 1, sizeof *hit);
    magpie_item **item = mp_xcalloc(n + 1, sizeof *item);
    magpie_hits hits = {
        .hit = hit, .convincing = n > 0, .measure = "same picture", .note = "", .model = ""};
    for (size_t i = 0; i < n; i++) {
        if (magpie_get(r->app->library, copies[i].id, &item[i], NULL))
            continue; /* removed meanwhile */
        hit[hits.n++] = (magpie_hit){.id = copies[i].id,
                                     .score = copies[i].score,
                                     .picture = copies[i].score,
                                     .words = NAN,
                                     .path = item[i]->path,
                                     .name = item[i]->name,
                                     .reason = copies[i].relation,
                                     .item = item[i]};
        hits.best = MP_MAX(hits.best, copies[i].score);
    }
    int code = show(r, &hits);
    for (size_t i = 0; i < n; i++)
        magpie_item_free(item[i]);
    free(item);
    free(hit);
    return code;
}

static int copies_here(const request *r, const magpie_query *q)
{
    mp_app *app = r->app;
    magpie_why why = {0};
    magpie_copy *copies;
    size_t n;
    if (r->n != 1 || r->terms[0].kind == MAGPIE_TEXT || r->terms[0].weight < 0)
        return app_usage(app, "--copies is of one picture: --image FILE or --like ID");
    int code = app_open(app, APP_READ);
    if (code)
        return code;
    magpie_err err = magpie_copies(app->library, &r->terms[0], q->where, &copies, &n, &why);
    code = err ? app_fail(app, err, &why) : show_copies(r, copies, MP_MIN(n, q->k));
    magpie_free(copies);
    return code;
}

static int search_here(const request *r, const magpie_query *q)
{
    mp_app *app = r->app;
    magpie_why why = {0};
    magpie_hits *hits = NULL;
    if (mp_args_get(&app->args, "project"))
        return app_usage(app, "--project is of a service: say --server URL");
    if (mp_args_flag(&app->args, "copies"))
        return copies_here(r, q);
    int code = app_open(app, APP_READ);
    if (code)
        return code;
    magpie_err err = magpie_search(app->library, q, &hits, &why);
    code = err ? app_fail(app, err, &why) : show(r, hits);
    magpie_hits_free(hits);
    return code;
}

/* What a service tells of pictures has no paths, and no thumbnails for a page. */
static int search_there(const request *r, const magpie_query *q)
{
    static const char *const local[] = {"html", "paths", "null", "copies"};
    mp_app *app = r->app;
    magpie_hits *hits;
    for (size_t i = 0; i < MP_COUNT(local); i++)
        if (mp_args_get(&app->args, local[i]))
            return app_usage(app, "--%s needs a library here; --library DIR asks it", local[i]);
    int code = remote_search(app, q, mp_args_int(&app->args, "project", 0), &hits);
    if (!code)
        code = show(r, hits);
    remote_hits_free(hits);
    return code;
}

static int run(mp_app *app)
{
    request r = {.app = app, .words = -1, .last = -1};
    int code = read_terms(&r);
    magpie_query q = {.terms = r.terms,
                      .n_terms = r.n,
                      .where = mp_args_text(&app->args, "where", NULL),
                      .k = (size_t)mp_args_int(&app->args, "count", 20),
                      .min_score = floor_of(&app->args),
                      .exact = mp_args_flag(&app->args, "exact")};
    if (!code)
        code = remote_wanted(app) ? search_there(&r, &q) : search_here(&r, &q);
    mp_buf_free(&r.text);
    free(r.picture);
    return code;
}

const mp_command command_search = {
    .name = "search",
    .summary = "Find pictures from words, from pictures, or both",
    .usage = "search WORDS... [OPTION...]\nsearch --image FILE | --like ID [OPTION...]",
    .about =
        "Several things may be asked for at once; --weight N sets how much the one before it "
        "counts, --not and --not-like push away. The words that stand free are one request. When "
        "nothing is convincing it says so and ends with exit code 1.\n"
        "With the lite model words mean the things that the model knows (about 1,000 kinds: no "
        "people, colours, counts or brands) and the pictures' own names, titles and tags.\n"
        "With a server (--server, MAGPIE_SERVER) it is asked instead of a library here; --library "
        "on the command line asks that one all the same.\n"
        "  magpie search tabby cat --where 'date:2024'\n"
        "  magpie search --image sofa.jpg --weight 2 leather --not 'sofa bed'\n"
        "  magpie search beach -0 | xargs -0 cp -t /tmp/beach",
    OPTIONS_OF(rows),
    .operand = MP_OPERAND_WORDS,
    .run = run,
};
