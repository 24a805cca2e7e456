/* bench_stages.c - a folder of JPEGs to a searchable library, beside what its two large stages do
 * by themselves on the same cores: reading, hashing and decoding through the pipeline that
 * magpie_add uses; and encoding what came out of it, in batches of the same size.
 *
 *     bench_stages [MODEL [PICTURES [FOLDER]]]
 *
 * prints one JSON object, of at most so many JPEGs of the folder: the clothing photographs where
 * they are, else samples/. MODEL is lite unless told; MAGPIE_PRECISION says how it computes.
 *
 * of_slowest: end to end over the slower stage alone, which then has every core to itself. Where
 * both stages need the processor, end to end cannot be above 1 / (1 / decode + 1 / encode),
 * whatever overlaps: of_possible is the share of that, and what is missing from 1 is waiting and
 * storing. */
#include "scratch.h"
#include "timing.h"

#include "core/ingest.h"
#include "core/walk.h"

#include <unistd.h>

enum { ROUNDS = 3 };

typedef struct bench {
    const char *model;
    mp_walk_list files;
    analysis *done;
    timing whole, decode, encode;
} bench;

static void must(mp_err err, const mp_why *why)
{
    if (err) {
        fprintf(stderr, "bench_stages: %s\n", why->text);
        exit(1);
    }
}

static magpie *open_new(const bench *b, char *folder)
{
    magpie *m;
    magpie_why why;
    if (!mkdtemp(folder))
        exit(1);
    magpie_options opt = {
        .library = folder, .model = b->model, .create = true, .decoder = MAGPIE_BINARY};
    if (magpie_open(&m, &opt, &why) != MAGPIE_OK) {
        printf("{\"bench\": \"stages\", \"skipped\": \"%s\"}\n", why.text);
        scratch_remove(folder);
        exit(0);
    }
    return m;
}

static void close_and_remove(magpie *m, const char *folder)
{
    magpie_close(m);
    scratch_remove(folder);
}

static void whole(bench *b)
{
    char folder[] = "/tmp/bench-stages-XXXXXX";
    magpie *m = open_new(b, folder);
    double began = mp_monotonic_s();
    if (magpie_add(m, (const char *const *)b->files.path, b->files.n, NULL, NULL, NULL) !=
        MAGPIE_OK)
        exit(1);
    timing_add(&b->whole, (mp_monotonic_s() - began) * 1e3);
    close_and_remove(m, folder);
}

/* The pipeline alone; its results are kept for the encoder. */
static void decode(bench *b, ingest *g)
{
    pipeline *p;
    mp_why why;
    double began = mp_monotonic_s();
    must(mp_pipeline_open(&p, &g->plan, (const char *const *)b->files.path, b->files.n,
                          g->m->decoders + 1, &why),
         &why);
    for (size_t i = 0; i < b->files.n; i++) {
        while (!mp_pipeline_next(p, &b->done[i], 50))
            ;
        must(b->done[i].err, &b->done[i].why);
    }
    timing_add(&b->decode, (mp_monotonic_s() - began) * 1e3);
    mp_pipeline_close(p);
}

static void encode(bench *b, ingest *g)
{
    mp_why why;
    float *out[MP_SPACES] = {0};
    for (int s = 0; s < MP_SPACES; s++)
        if (g->view_of[s] >= 0)
            out[s] = g->vectors[s];
    double began = mp_monotonic_s();
    for (size_t at = 0; at < b->files.n; at += INGEST_BATCH) {
        mp_views views[INGEST_BATCH] = {0};
        size_t n = MP_MIN(b->files.n - at, (size_t)INGEST_BATCH);
        for (size_t i = 0; i < n; i++)
            for (int s = 0; s < MP_SPACES; s++)
                if (g->view_of[s] >= 0)
                    views[i].px[s] = b->done[at + i].decoded.view[g->view_of[s]].px;
        must(mp_model_encode_images(g->model, views, n, mp_core_eager_mask(g->model), out, &why),
             &why);
    }
    timing_add(&b->encode, (mp_monotonic_s() - began) * 1e3);
}

static void stages(bench *b)
{
    char folder[] = "/tmp/bench-stages-XXXXXX";
    magpie *m = open_new(b, folder);
    ingest *g = mp_xcalloc(1, sizeof *g);
    mp_why why;
    must(mp_ingest_open(g, m, &why), &why);
    decode(b, g);
    encode(b, g);
    for (size_t i = 0; i < b->files.n; i++)
        mp_analysis_free(&b->done[i]);
    mp_ingest_close(g);
    free(g);
    close_and_remove(m, folder);
}

static bool is_jpeg(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot && strcmp(dot, ".jpg") == 0;
}

static void find(bench *b, const char *folder, size_t most)
{
    mp_walk_list all = {0};
    mp_walk_options walk = {0};
    mp_why why;
    must(mp_walk_folder(folder, &walk, &all, &why), &why);
    mp_walk_sort(&all);
    for (size_t i = 0; i < all.n && b->files.n < most; i++)
        if (is_jpeg(all.path[i]))
            mp_walk_add(&b->files, all.path[i]);
    b->done = mp_xcalloc(b->files.n, sizeof *b->done);
    mp_walk_free(&all);
}

static double per_s(const bench *b, timing *t)
{
    return (double)b->files.n / timing_quantile(t, 0.5) * 1e3;
}

int main(int argc, char **argv)
{
    bench b = {.model = argc > 1 ? argv[1] : "lite"};
    size_t most = argc > 2 ? (size_t)strtoull(argv[2], NULL, 10) : SIZE_MAX;
    const char *folder = argc > 3 ? argv[3] : MAGPIE_SHARED_DIR "/data/clothing";
    find(&b, access(folder, R_OK) == 0 ? folder : MAGPIE_SAMPLES_DIR, most);
    for (int r = 0; r < ROUNDS; r++) {
        whole(&b);
        stages(&b);
    }
    double all = per_s(&b, &b.whole), decoded = per_s(&b, &b.decode),
           encoded = per_s(&b, &b.encode);
    const char *precision = getenv("MAGPIE_PRECISION");
    printf("{\"bench\": \"stages\", \"model\": \"%s\", \"precision\": \"%s\", ", b.model,
           precision ? precision : "auto");
    timing_machine();
    printf(", \"pictures\": %zu,\n \"decode_per_s\": %.1f, \"encode_per_s\": %.1f, "
           "\"end_to_end_per_s\": %.1f,\n \"of_slowest\": %.3f, \"of_possible\": %.3f}\n",
           b.files.n, decoded, encoded, all, all / MP_MIN(decoded, encoded),
           all * (1 / decoded + 1 / encoded));
    mp_walk_free(&b.files);
    free(b.done);
    return 0;
}
