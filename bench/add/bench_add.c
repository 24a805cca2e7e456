/* bench_add.c - adding pictures from files to a durable library: pictures per second, end to end.
 *
 *     bench_add [FOLDER]      one JSON object; the clothing photographs where they are, else
 * samples/
 *
 * Each round opens a new library in a temporary folder and adds everything: walk, hash, sandboxed
 * decoding, thumbnails, pHash, vectors, commits. Models take turns. Also the rescan of a folder
 * that is all there, and one search by words, the first (which builds the indexes) and the median
 * of others. */
#include "magpie.h"
#include "scratch.h"
#include "timing.h"

#include <unistd.h>

enum { ROUNDS = 3, SEARCHES = 31 };

typedef struct figures {
    timing add, rescan, first_search, search;
    size_t pictures;
} figures;

static bool ok(magpie_err err, const magpie_why *why)
{
    if (err)
        fprintf(stderr, "bench_add: %s\n", why->text);
    return !err;
}

static double ms_since(double began)
{
    return (mp_monotonic_s() - began) * 1000;
}

static bool add_all(magpie *m, const char *folder, timing *t, size_t *added)
{
    magpie_why why;
    magpie_add_report report = {0};
    double began = mp_monotonic_s();
    if (!ok(magpie_add(m, &folder, 1, NULL, &report, &why), &why))
        return false;
    timing_add(t, ms_since(began));
    *added = MP_MAX(*added, (size_t)report.outcomes[MAGPIE_ADDED]);
    return true;
}

static bool search_once(magpie *m, bool words, timing *t)
{
    magpie_why why;
    magpie_hits *hits;
    magpie_term term = words ? (magpie_term){.kind = MAGPIE_TEXT, .text = "running shoes"}
                             : (magpie_term){.kind = MAGPIE_ID, .id = 1};
    magpie_query query = {.terms = &term, .n_terms = 1, .k = 20};
    double began = mp_monotonic_s();
    if (!ok(magpie_search(m, &query, &hits, &why), &why))
        return false;
    timing_add(t, ms_since(began));
    magpie_hits_free(hits);
    return true;
}

static bool round_of(const char *model, const char *folder, figures *f)
{
    char library[] = "/tmp/bench-add-XXXXXX";
    magpie *m = NULL;
    magpie_why why;
    if (!mkdtemp(library))
        return false;
    magpie_options opt = {
        .library = library, .model = model, .create = true, .decoder = MAGPIE_BINARY};
    bool words = strcmp(model, "lite") == 0;
    bool fine =
        ok(magpie_open(&m, &opt, &why), &why) && add_all(m, folder, &f->add, &f->pictures) &&
        add_all(m, folder, &f->rescan, &f->pictures) && search_once(m, words, &f->first_search);
    for (int i = 0; fine && i < SEARCHES; i++)
        fine = search_once(m, words, &f->search);
    magpie_close(m);
    scratch_remove(library);
    return fine;
}

static void print(const char *model, figures *f, bool last)
{
    double median = timing_quantile(&f->add, 0.5);
    printf("{\"model\": \"%s\", \"pictures\": %zu, \"pictures_per_s\": %.1f", model, f->pictures,
           (double)f->pictures / median * 1000);
    timing_print("add", &f->add, false);
    timing_print("rescan", &f->rescan, false);
    timing_print("first_search", &f->first_search, false);
    timing_print("search", &f->search, false);
    printf("}%s\n", last ? "" : ",");
}

int main(int argc, char **argv)
{
    static const char *const models[] = {"builtin", "lite"};
    const char *folder = argc > 1 ? argv[1] : MAGPIE_SHARED_DIR "/data/clothing";
    figures f[MP_COUNT(models)] = {0};
    bool there[MP_COUNT(models)] = {true, true};
    if (access(folder, R_OK) != 0)
        folder = MAGPIE_SAMPLES_DIR;
    for (int r = 0; r < ROUNDS; r++)
        for (size_t i = 0; i < MP_COUNT(models); i++)
            there[i] = there[i] && round_of(models[i], folder, &f[i]);
    printf("{\"bench\": \"add\", ");
    timing_machine();
    printf(", \"models\": [");
    for (size_t i = 0; i < MP_COUNT(models); i++)
        if (there[i])
            print(models[i], &f[i], i + 1 == MP_COUNT(models) || !there[1]);
    printf("]}\n");
    return 0;
}
