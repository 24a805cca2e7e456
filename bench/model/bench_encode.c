/* bench_encode.c - pictures and words to vectors: milliseconds per picture or text as JSON.
 *
 *     bench_encode            one JSON object over all cases (builtin; lite from $MAGPIE_MODELS)
 *     bench_encode --steps    reads "MODEL WHAT BATCH THREADS" lines, does each once and answers
 * with milliseconds per call, so that a peer can be timed in turns
 *
 * WHAT: look (one forward pass, 512-d), word (the same), copy, texture, sentence, query. Cases are
 * timed in turns, so that a busy moment of the machine hits them all. */
#include "model/model.h"
#include "timing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 25, MAX_BATCH = 64, PX = 224 * 224 * 3, WIDEST = 1024 };

static const struct one {
    const char *model, *what;
    int batch, threads; /* 0: all */
} cases[] = {
    {"lite", "look", 1, 1},      {"lite", "look", 1, 0},      {"lite", "look", 8, 1},
    {"lite", "look", 8, 0},      {"lite", "texture", 8, 0},   {"lite", "sentence", 1, 1},
    {"lite", "sentence", 32, 1}, {"lite", "sentence", 32, 0}, {"lite", "query", 1, 1},
    {"builtin", "look", 8, 1},   {"builtin", "look", 8, 0},
};

/* About as long as titles and descriptions are. */
static const char *const sentences[] = {
    "a pair of red running shoes on a wooden floor in the morning sun", /* 16 tokens of MiniLM */
    "whole milk, one litre",
    "golden delicious apple",
    "an old stone bridge over a quiet river in autumn",
    "The juice is pressed from ripe oranges and holds no added sugar; keep it cold once open.",
    "children's long-sleeved shirt, blue, cotton",
    "sunset",
    "Two people walk along the beach with a dog while the tide goes out behind them.",
};

typedef struct bench {
    mp_model *open[2][MAX_BATCH]; /* per model and threads, opened when first needed */
    uint8_t *px;
    mp_views views[MAX_BATCH];
    mp_str text[MAX_BATCH];
    float *out;
} bench;

static mp_model *model_of(bench *b, const char *id, int threads)
{
    mp_model **m = &b->open[strcmp(id, "lite") == 0][threads % MAX_BATCH];
    mp_model_options opt = {.models_dir = getenv("MAGPIE_MODELS"), .threads = threads};
    mp_why why;
    if (!*m && mp_model_open(m, id, &opt, &why))
        fprintf(stderr, "bench_encode: %s\n", why.text);
    return *m;
}

/* One call; milliseconds, or a negative number when this cannot be done. */
static double step(bench *b, const struct one *c)
{
    static const char *const spaces[] = {"look", "word", "copy", "texture"};
    mp_model *m = model_of(b, c->model, c->threads);
    float *out[MP_SPACES] = {0};
    int space = -1;
    mp_why why;
    for (int i = 0; i < (int)MP_COUNT(spaces); i++)
        if (strcmp(c->what, spaces[i]) == 0)
            space = i;
    if (!m || c->batch < 1 || c->batch > MAX_BATCH)
        return -1;
    double began = mp_monotonic_s();
    mp_err err;
    if (space >= 0) {
        out[space] = b->out;
        err = mp_model_encode_images(m, b->views, (size_t)c->batch, 1u << space, out, &why);
    } else if (strcmp(c->what, "query") == 0) {
        err = mp_model_encode_text(m, b->text[0], b->out, NULL, NULL, &why);
    } else {
        err = mp_model_encode_sentences(m, b->text, (size_t)c->batch, b->out, &why);
    }
    return err ? -1 : (mp_monotonic_s() - began) * 1000;
}

static void prepare(bench *b)
{
    mp_rng rng = {1};
    b->px = mp_xmalloc((size_t)MAX_BATCH * PX);
    b->out = mp_xmalloc((size_t)MAX_BATCH * WIDEST * sizeof *b->out);
    for (size_t i = 0; i < (size_t)MAX_BATCH * PX; i++)
        b->px[i] = (uint8_t)(i / 3 / 7 + mp_rng_u64(&rng) % 64);
    for (int i = 0; i < MAX_BATCH; i++) {
        b->text[i] = mp_str_of(sentences[(size_t)i % MP_COUNT(sentences)]);
        for (int s = 0; s < MP_SPACES; s++)
            b->views[i].px[s] = b->px + (size_t)i * PX;
    }
}

static void run_all(bench *b)
{
    static double ms[MP_COUNT(cases)][ROUNDS];
    bool first = true;
    for (int r = -2; r < ROUNDS; r++) /* two to warm up */
        for (size_t i = 0; i < MP_COUNT(cases); i++)
            ms[i][MP_MAX(r, 0)] = step(b, &cases[i]) / cases[i].batch;
    printf("{\"bench\": \"encode\", ");
    timing_machine();
    printf(",\n \"unit\": \"ms per picture or text\", \"runs\": %d, \"cases\": [", ROUNDS);
    for (size_t i = 0; i < MP_COUNT(cases); i++) {
        const struct one *c = &cases[i];
        qsort(ms[i], ROUNDS, sizeof *ms[i], timing_order);
        if (ms[i][0] < 0)
            continue;
        printf("%s\n  {\"model\": \"%s\", \"what\": \"%s\", \"batch\": %d, \"threads\": %d, "
               "\"median\": %.3f, \"q1\": %.3f, \"q3\": %.3f, \"best\": %.3f}",
               first ? "" : ",", c->model, c->what, c->batch,
               c->threads ? c->threads : mp_cpu_count(), ms[i][ROUNDS / 2], ms[i][ROUNDS / 4],
               ms[i][ROUNDS * 3 / 4], ms[i][0]);
        first = false;
    }
    printf("]}\n");
}

static void answer_steps(bench *b)
{
    char line[128], model[32], what[32];
    struct one c = {.model = model, .what = what};
    while (fgets(line, sizeof line, stdin)) {
        bool read = sscanf(line, "%31s %31s %d %d", model, what, &c.batch, &c.threads) == 4;
        printf("%.4f\n", read ? step(b, &c) : -1);
        fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    bench *b = mp_xcalloc(1, sizeof *b);
    prepare(b);
    if (argc > 1 && strcmp(argv[1], "--steps") == 0)
        answer_steps(b);
    else
        run_all(b);
    for (int i = 0; i < 2 * MAX_BATCH; i++)
        mp_model_close(b->open[i / MAX_BATCH][i % MAX_BATCH]);
    free(b->px);
    free(b->out);
    free(b);
    return 0;
}
