/* quality_dupes - the duplicates' quality gate.
 *
 *     quality_dupes TRUTH.csv [--measures FILE.csv]
 *
 * TRUTH.csv comes from make_transforms.py. For each model that is installed: COPY vectors, their
 * HNSW neighbours, "same picture" pairs and groups as the library makes them; then recall and
 * precision per transform beside two simpler ways, each at its own best setting: the 64-bit pHash
 * within a radius, and the cosine of the vectors. Prints a table and, as its last line, one JSON
 * object. Exit code 1 when a floor is missed.
 *
 * A copy is *found* when it is paired with its original, and *grouped* when it ends in one group
 * with it. Precision of a transform: of the pairs of its copies with any picture that is no copy,
 * the share with the right one. Precision of the whole: of all pairs, or of all pictures that share
 * a group, those of one origin. --measures writes what fit_score.py fits. */
#include "picture_set.h"

#include "base/os.h"
#include "core/dedup.h"
#include "core/dedup_verify.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COPY_K = 12, PHASH_BITS = 64, COSINE_STEPS = 2001 };
static const double PRECISION_FLOOR = 0.99;

typedef struct floor_row {
    const char *transform;
    double recall;
} floor_row;
static const floor_row FLOORS[] = {
    {"resize_25", 0.95},  {"resize_50", 0.95},  {"aspect", 0.95},    {"jpeg_q10", 0.95},
    {"jpeg_q30", 0.95},   {"crop_10", 0.85},    {"crop_20", 0.85},   {"crop_40", 0.70},
    {"grey", 0.95},       {"brightness", 0.95}, {"contrast", 0.95},  {"blur", 0.95},
    {"noise", 0.95},      {"rotate_3", 0.85},   {"rotate_10", 0.70}, {"rotate_90", 0.95},
    {"rotate_180", 0.95}, {"mirror", 0.95},     {"caption", 0.85},   {"border", 0.85},
    {"watermark", 0.70},  {"format", 0.95},
};

static double floor_of(const char *transform)
{
    for (size_t i = 0; i < MP_COUNT(FLOORS); i++)
        if (!strcmp(FLOORS[i].transform, transform))
            return FLOORS[i].recall;
    return 0;
}

/* Counts per transform; the last row is all of them. */
typedef struct tally {
    double copies[MAX_TRANSFORMS + 1], found[MAX_TRANSFORMS + 1], grouped[MAX_TRANSFORMS + 1];
    double wrong[MAX_TRANSFORMS + 1]; /* pairs of its copies with strangers that are no copies */
    double right_pairs, pairs, right_together, together;
    double setting; /* radius or cosine of the simpler ways */
    double seconds;
} tally;

static double share(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

static double precision_of(const tally *t, int row)
{
    return share(t->found[row], t->found[row] + t->wrong[row]);
}

static void add_up(const picture_set *s, tally *t)
{
    for (int i = 0; i < s->n_transforms; i++) {
        t->copies[s->n_transforms] += t->copies[i];
        t->found[s->n_transforms] += t->found[i];
        t->grouped[s->n_transforms] += t->grouped[i];
        t->wrong[s->n_transforms] += t->wrong[i];
    }
}

static void count_copies(const picture_set *s, tally *t)
{
    for (size_t i = s->n_base; i < s->n; i++)
        t->copies[s->p[i].transform]++;
}

/* ---- ours ---- */

static mp_err small_of(void *context, size_t i, mp_image *out)
{
    const picture_set *s = context;
    const mp_image *im = &s->p[i].small;
    mp_err err = mp_image_new(out, im->w, im->h, 1, NULL);
    if (!err)
        memcpy(out->px, im->px, (size_t)im->w * (size_t)im->h);
    return err;
}

static mp_neighbour *neighbours(const picture_set *s, int model, mp_why *why)
{
    mp_index_options opt = {.dims = s->dims[model]};
    mp_index *index = NULL;
    int64_t *labels = mp_xcalloc(s->n, sizeof *labels);
    mp_neighbour *knn = mp_xcalloc(s->n * COPY_K, sizeof *knn);
    for (size_t i = 0; i < s->n; i++)
        labels[i] = (int64_t)i + 1;
    mp_err err = mp_index_open(&index, "hnsw", &opt, why);
    if (!err)
        err = mp_index_add_many(index, labels, s->vector[model], s->n, NULL, NULL, why);
    if (!err)
        err = mp_index_knn(index, labels, s->n, COPY_K, knn, NULL, NULL, why);
    mp_index_close(index);
    free(labels);
    if (err) {
        free(knn);
        return NULL;
    }
    return knn;
}

static void count_pairs(const picture_set *s, const mp_pair *pairs, size_t n, tally *t)
{
    for (size_t i = 0; i < n; i++) {
        const picture *a = &s->p[pairs[i].a], *b = &s->p[pairs[i].b];
        bool right = a->origin == b->origin;
        t->pairs++;
        t->right_pairs += right;
        if (a->transform < 0 && b->transform >= 0) {
            t->found[b->transform] += right;
            t->wrong[b->transform] += !right;
        }
    }
}

static void count_groups(const picture_set *s, const mp_grouping *g, tally *t)
{
    for (size_t i = 0; i < s->n; i++)
        for (size_t k = i + 1; g->group[i] != SIZE_MAX && k < s->n; k++) {
            if (g->group[k] != g->group[i])
                continue;
            const picture *a = &s->p[i], *b = &s->p[k];
            bool right = a->origin == b->origin;
            t->together++;
            t->right_together += right;
            if (right && a->transform < 0 && b->transform >= 0)
                t->grouped[b->transform]++;
        }
}

static void say_strangers(const picture_set *s, const mp_pair *pairs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const picture *a = &s->p[pairs[i].a], *b = &s->p[pairs[i].b];
        if (a->origin != b->origin)
            printf("  wrong: %.3f %s %s\n", (double)pairs[i].score, a->path, b->path);
    }
}

static bool run_ours(picture_set *s, int model, tally *t)
{
    mp_why why;
    mp_pair *pairs = NULL;
    size_t n = 0;
    mp_grouping groups = {0};
    uint64_t(*phash)[8] = mp_xcalloc(s->n, sizeof *phash);
    mp_neighbour *knn = neighbours(s, model, &why);
    for (size_t i = 0; i < s->n; i++)
        memcpy(phash[i], s->p[i].phash, sizeof phash[i]);
    mp_dedup_input in = {.n = s->n,
                         .phash = (const uint64_t(*)[8])phash,
                         .copy_knn = knn,
                         .copy_k = COPY_K,
                         .small = small_of,
                         .small_context = s};
    double began = mp_monotonic_s();
    mp_err err = knn ? mp_dedup_same(&in, &pairs, &n, &why) : MP_INTERNAL;
    if (!err)
        err = mp_dedup_group(pairs, n, s->n, NULL, 0, NULL, 0, mp_dedup_threshold, &groups, &why);
    t->seconds = mp_monotonic_s() - began;
    if (err) {
        fprintf(stderr, "quality_dupes: %s\n", why.text);
    } else {
        count_copies(s, t);
        count_pairs(s, pairs, n, t);
        count_groups(s, &groups, t);
        add_up(s, t);
        say_strangers(s, pairs, n);
    }
    mp_grouping_free(&groups);
    free(pairs);
    free(knn);
    free(phash);
    return !err;
}

/* ---- the simpler ways: one number per pair, the best setting at the precision floor ---- */

typedef struct histogram {
    double right[MAX_TRANSFORMS][COSINE_STEPS], wrong[COSINE_STEPS];
    double wrong_of[MAX_TRANSFORMS][COSINE_STEPS];
} histogram;

/* bin 0 is the likest. */
static void take_best(const picture_set *s, const histogram *h, tally *t, int *best_bin)
{
    double found = 0, wrong = 0, most = -1;
    *best_bin = -1;
    for (int bin = 0; bin < COSINE_STEPS; bin++) {
        for (int k = 0; k < s->n_transforms; k++)
            found += h->right[k][bin];
        wrong += h->wrong[bin];
        if (share(found, found + wrong) >= PRECISION_FLOOR && found > most) {
            most = found;
            *best_bin = bin;
        }
    }
    count_copies(s, t);
    for (int k = 0; k < s->n_transforms; k++)
        for (int bin = 0; bin <= *best_bin; bin++) {
            t->found[k] += h->right[k][bin];
            t->wrong[k] += h->wrong_of[k][bin];
        }
    add_up(s, t);
}

static int phash_bin(const picture_set *s, int model, size_t a, size_t b)
{
    (void)model;
    return mp_hamming64(s->p[a].phash[0], s->p[b].phash[0]);
}

static int cosine_bin(const picture_set *s, int model, size_t a, size_t b)
{
    size_t dims = (size_t)s->dims[model];
    const float *x = s->vector[model] + a * dims, *y = s->vector[model] + b * dims;
    float sum[8] = {0}, all = 0;
    for (size_t i = 0; i + 8 <= dims; i += 8)
        for (int k = 0; k < 8; k++)
            sum[k] += x[i + (size_t)k] * y[i + (size_t)k];
    for (int k = 0; k < 8; k++)
        all += sum[k];
    int bin = (int)lroundf((1 - all) * (COSINE_STEPS - 1) / 2);
    return MP_MAX(0, MP_MIN(bin, COSINE_STEPS - 1));
}

static int run_simple(const picture_set *s, int model,
                      int (*bin_of)(const picture_set *, int, size_t, size_t), tally *t)
{
    histogram *h = mp_xcalloc(1, sizeof *h);
    int best;
    for (size_t i = s->n_base; i < s->n; i++)
        for (size_t k = 0; k < s->n_base; k++) {
            int bin = bin_of(s, model, i, k), row = s->p[i].transform;
            if (s->p[i].origin == s->p[k].origin) {
                h->right[row][bin]++;
            } else {
                h->wrong[bin]++;
                h->wrong_of[row][bin]++;
            }
        }
    take_best(s, h, t, &best);
    free(h);
    return best;
}

/* ---- what the score is fitted on ---- */

static void write_measures(FILE *f, const picture_set *s, size_t a, size_t b)
{
    mp_dedup_picture pa, pb;
    if (mp_dedup_picture_make(&s->p[a].small, &pa, NULL) == MP_OK &&
        mp_dedup_picture_make(&s->p[b].small, &pb, NULL) == MP_OK) {
        mp_dedup_verdict v = mp_dedup_verify(&pa, &pb, NULL, true);
        const mp_dedup_measures *m = &v.measures;
        int row = s->p[b].transform;
        fprintf(f, "%zu,%zu,%s,%d,%.4f,%.5f,%.5f,%.5f,%.5f,%.0f,%.5f,%.5f\n", a, b,
                row < 0 ? "none" : s->transform[row], s->p[a].origin == s->p[b].origin,
                (double)v.score, (double)m->ncc, (double)m->block, (double)m->agree,
                (double)m->median, (double)m->textured, (double)m->part, (double)m->whole);
        mp_dedup_picture_free(&pb);
    }
    mp_dedup_picture_free(&pa);
}

/* Every copy with its original, and with the strangers among the neighbours of every picture. */
static bool dump_measures(const picture_set *s, const char *path)
{
    mp_why why;
    FILE *f = fopen(path, "w");
    mp_neighbour *knn = s->n_models ? neighbours(s, 0, &why) : NULL;
    if (!f || !knn) {
        fprintf(stderr, "quality_dupes: %s: %s\n", path, f ? "no model" : strerror(errno));
        if (f)
            fclose(f);
        free(knn);
        return false;
    }
    fprintf(f, "a,b,transform,same,score,ncc,block,agree,median,textured,part,whole\n");
    for (size_t i = 0; i < s->n; i++) {
        if (i >= s->n_base)
            write_measures(f, s, (size_t)s->p[i].origin, i);
        for (size_t k = 0; k < COPY_K; k++) {
            size_t other = (size_t)knn[i * COPY_K + k].label - 1;
            if (other < s->n && s->p[other].origin != s->p[i].origin)
                write_measures(f, s, other, i);
        }
    }
    free(knn);
    return fclose(f) == 0;
}

/* ---- report ---- */

typedef struct report {
    tally ours[MAX_MODELS], cosine[MAX_MODELS], phash;
    bool passed[MAX_MODELS];
} report;

static bool passes(const picture_set *s, const tally *t)
{
    bool ok = share(t->right_pairs, t->pairs) >= PRECISION_FLOOR &&
              share(t->right_together, t->together) >= PRECISION_FLOOR;
    for (int k = 0; k < s->n_transforms; k++)
        ok &= share(MP_MIN(t->found[k], t->grouped[k]), t->copies[k]) >= floor_of(s->transform[k]);
    return ok;
}

static const char *model_id(const picture_set *s, int m)
{
    return mp_model_get_info(s->model[m])->id;
}

static void print_rows(const picture_set *s, const report *r, int m)
{
    const tally *t = &r->ours[m], *c = &r->cosine[m], *h = &r->phash;
    printf("%-12s %7s %7s %7s %6s | %7s | %7s\n", model_id(s, m), "found", "grouped", "precis.",
           "floor", "pHash", "cosine");
    for (int k = 0; k <= s->n_transforms; k++) {
        bool all = k == s->n_transforms;
        double least = all ? 0 : floor_of(s->transform[k]);
        double reached = share(MP_MIN(t->found[k], t->grouped[k]), t->copies[k]);
        printf("%-12s %7.3f %7.3f %7.3f ", all ? "all" : s->transform[k],
               share(t->found[k], t->copies[k]), share(t->grouped[k], t->copies[k]),
               precision_of(t, k));
        if (all)
            printf("%6s", "");
        else
            printf("%6.2f", least);
        printf(" | %7.3f | %7.3f%s\n", share(h->found[k], h->copies[k]),
               share(c->found[k], c->copies[k]), reached < least ? "  BELOW ITS FLOOR" : "");
    }
    printf("precision of all pairs %.4f (%.0f), of groups %.4f (%.0f); pHash within %.0f bits, "
           "cosine from %.3f; compared in %.1f s: %s\n\n",
           share(t->right_pairs, t->pairs), t->pairs, share(t->right_together, t->together),
           t->together, h->setting, c->setting, t->seconds, r->passed[m] ? "passed" : "FAILED");
}

static void json_recalls(const picture_set *s, const char *name, const double *part, const tally *t)
{
    printf("\"%s\":{", name);
    for (int k = 0; k < s->n_transforms; k++)
        printf("%s\"%s\":%.4f", k ? "," : "", s->transform[k], share(part[k], t->copies[k]));
    printf("}");
}

static void print_json(const picture_set *s, const report *r)
{
    printf("{\"pictures\":%zu,\"copies\":%zu,\"phash\":{\"radius\":%.0f,\"precision\":%.4f,", s->n,
           s->n - s->n_base, r->phash.setting, precision_of(&r->phash, s->n_transforms));
    json_recalls(s, "recall", r->phash.found, &r->phash);
    printf("},\"models\":[");
    for (int m = 0; m < s->n_models; m++) {
        const tally *t = &r->ours[m], *c = &r->cosine[m];
        printf("%s{\"model\":\"%s\",\"passed\":%s,\"threshold\":%.2f,\"pair_precision\":%.5f,"
               "\"group_precision\":%.5f,\"seconds\":%.2f,",
               m ? "," : "", model_id(s, m), r->passed[m] ? "true" : "false",
               (double)mp_dedup_threshold, share(t->right_pairs, t->pairs),
               share(t->right_together, t->together), t->seconds);
        json_recalls(s, "recall", t->found, t);
        printf(",");
        json_recalls(s, "grouped", t->grouped, t);
        printf(",\"precision\":{");
        for (int k = 0; k < s->n_transforms; k++)
            printf("%s\"%s\":%.4f", k ? "," : "", s->transform[k], precision_of(t, k));
        printf("},\"cosine\":{\"at\":%.3f,\"precision\":%.4f,", c->setting,
               precision_of(c, s->n_transforms));
        json_recalls(s, "recall", c->found, c);
        printf("}}");
    }
    printf("]}\n");
}

static bool judge(picture_set *s)
{
    report *r = mp_xcalloc(1, sizeof *r);
    bool ok = true;
    r->phash.setting = run_simple(s, 0, phash_bin, &r->phash);
    for (int m = 0; ok && m < s->n_models; m++) {
        int bin = run_simple(s, m, cosine_bin, &r->cosine[m]);
        r->cosine[m].setting = 1 - 2.0 * bin / (COSINE_STEPS - 1);
        ok = run_ours(s, m, &r->ours[m]);
        r->passed[m] = ok && passes(s, &r->ours[m]);
        if (ok)
            print_rows(s, r, m);
    }
    if (ok)
        print_json(s, r);
    for (int m = 0; m < s->n_models; m++)
        ok &= r->passed[m];
    free(r);
    return ok;
}

int main(int argc, char **argv)
{
    picture_set s;
    bool dump = argc == 4 && !strcmp(argv[2], "--measures");
    if (argc != 2 && !dump) {
        fprintf(stderr, "usage: quality_dupes TRUTH.csv [--measures FILE.csv]\n");
        return 2;
    }
    double began = mp_monotonic_s();
    bool ok = picture_set_load(&s, argv[1]);
    if (ok)
        printf("%zu pictures, %zu of them copies, loaded in %.0f s\n", s.n, s.n - s.n_base,
               mp_monotonic_s() - began);
    fflush(stdout);
    if (ok)
        ok = dump ? dump_measures(&s, argv[3]) : judge(&s);
    picture_set_free(&s);
    return ok ? 0 : 1;
}
