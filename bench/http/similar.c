/* similar.c - look-alikes of random pictures by the library itself: what the service is held
 * against.
 *
 *     http_similar LIBRARY THREADS [PICTURE [SECONDS]]
 *
 * Opens the library, searches once by an id and, where it is given, by the PICTURE ("-": none),
 * which loads the index and the model, and prints a line of JSON with what that took of memory.
 * With SECONDS it measures once and ends; else it reads a number of seconds per line from standard
 * input and answers each with a line, so that it can take turns with the service. Measured: k = 10,
 * by MAGPIE_ID, ids picked at random. */
#include "magpie.h"

#include "meta/meta.h"
#include "timing.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>

enum { MAX_THREADS = 64, K = 10 };

typedef struct searcher {
    magpie *m;
    uint64_t seed;
    int64_t items;
    double until;
    timing times; /* of each search */
    size_t hits;
    bool failed;
    magpie_why why;
} searcher;

static bool search_once(searcher *s, const magpie_term *term)
{
    magpie_hits *hits;
    magpie_query query = {.terms = term, .n_terms = 1, .k = K, .min_score = -1};
    if (magpie_search(s->m, &query, &hits, &s->why))
        return false;
    s->hits += hits->n;
    magpie_hits_free(hits);
    return true;
}

static void *search(void *context)
{
    searcher *s = context;
    mp_rng rng = {s->seed};
    for (double began = mp_monotonic_s(), ended; began < s->until && !s->failed; began = ended) {
        magpie_term term = {.kind = MAGPIE_ID,
                            .id = 1 + (int64_t)(mp_rng_u64(&rng) % (uint64_t)s->items)};
        s->failed = !search_once(s, &term);
        ended = mp_monotonic_s();
        timing_add(&s->times, (ended - began) * 1000);
    }
    return NULL;
}

static double cpu_s(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void gather(searcher *s, int threads, timing *all, size_t *hits)
{
    for (int i = 0; i < threads; i++) {
        for (size_t k = 0; k < s[i].times.n; k++)
            timing_add(all, s[i].times.ms[k]);
        *hits += s[i].hits;
        free(s[i].times.ms);
    }
}

static bool measure(magpie *m, int64_t items, int threads, double seconds)
{
    static uint64_t seed = 1;
    searcher s[MAX_THREADS] = {0};
    pthread_t thread[MAX_THREADS];
    timing all = {0};
    size_t hits = 0;
    bool fine = true;
    double cpu = cpu_s(), began = mp_monotonic_s();
    for (int i = 0; i < threads; i++) {
        s[i] = (searcher){.m = m, .items = items, .seed = seed++, .until = began + seconds};
        if (pthread_create(&thread[i], NULL, search, &s[i]) != 0)
            abort();
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(thread[i], NULL);
        if (s[i].failed)
            fprintf(stderr, "http_similar: %s\n", s[i].why.text);
        fine = fine && !s[i].failed;
    }
    double spent = mp_monotonic_s() - began;
    gather(s, threads, &all, &hits);
    printf("{\"searches\": %zu, \"hits\": %zu, \"per_s\": %.1f, \"median_ms\": %.4f, "
           "\"p99_ms\": %.4f, \"cpu_share\": %.3f}\n",
           all.n, hits, (double)all.n / spent, timing_quantile(&all, 0.5),
           timing_quantile(&all, 0.99), (cpu_s() - cpu) / spent / mp_cpu_count());
    fflush(stdout);
    free(all.ms);
    return fine;
}

/* What this process holds, in MB. */
static double memory_mb(void)
{
    char line[200];
    long kb = 0;
    FILE *f = fopen("/proc/self/smaps_rollup", "re");
    while (f && fgets(line, sizeof line, f) && sscanf(line, "Pss: %ld", &kb) != 1)
        continue;
    if (f)
        fclose(f);
    return (double)kb / 1024;
}

/* Opens the library and loads all that searches need; tells about both. */
static bool open_library(const char *path, const char *picture, magpie **m, magpie_stats *stats)
{
    magpie_options opt = {.library = path};
    searcher first = {0};
    magpie_term by_id = {.kind = MAGPIE_ID, .id = 1};
    magpie_term by_picture = {.kind = MAGPIE_FILE, .text = picture};
    bool fine = !magpie_open(m, &opt, &first.why);
    double opened = memory_mb();
    fine = fine && !magpie_get_stats(*m, stats, &first.why);
    first.m = *m;
    fine = fine && search_once(&first, &by_id) && (!picture || search_once(&first, &by_picture));
    if (!fine) {
        fprintf(stderr, "http_similar: %s\n", first.why.text);
        return false;
    }
    printf("{\"model\": \"%s\", \"items\": %llu, \"opened_mb\": %.1f, \"loaded_mb\": %.1f}\n",
           stats->model, (unsigned long long)stats->items, opened, memory_mb());
    fflush(stdout);
    return true;
}

int main(int argc, char **argv)
{
    magpie *m = NULL;
    magpie_stats stats = {0};
    char line[64];
    int threads = argc >= 3 ? atoi(argv[2]) : 0;
    if (argc > 5 || threads < 1 || threads > MAX_THREADS) {
        fprintf(stderr, "usage: http_similar LIBRARY THREADS [PICTURE [SECONDS]]\n");
        return 2;
    }
    mp_meta_own_process(); /* as the service does */
    const char *picture = argc >= 4 && strcmp(argv[3], "-") != 0 ? argv[3] : NULL;
    bool fine = open_library(argv[1], picture, &m, &stats);
    if (fine && argc == 5)
        fine = measure(m, (int64_t)stats.items, threads, atof(argv[4]));
    while (fine && argc < 5 && fgets(line, sizeof line, stdin))
        fine = measure(m, (int64_t)stats.items, threads, atof(line));
    magpie_close(m);
    return fine ? 0 : 1;
}
