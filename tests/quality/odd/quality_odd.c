/* quality_odd.c - how well odd ones are found on real pictures, with floors.
 *
 *  1 strangers   60 of a clothing class are normal; 40 others of it and grocery photographs are
 *                judged. AUROC per class.
 *  2 false       many random splits of the clothing pictures into normals and fresh normals: how
 *    alarms      often is a fresh one flagged, for each alpha?
 *  3 damage      scratches, stains and missing corners (defects.h), drawn on pictures of one class:
 *                on swatches of the same cloth (the normals are cut from the upper half of the
 *                garment, what is judged from the lower half), and on the whole, varied pictures.
 *
 * No picture, and none that looks nearly the same (single linkage at a LOOK cosine of NEAR_SAME),
 * is on both sides of a split. With a folder as argument, example heat maps are written there.
 * Exit: 1 when a floor is missed, 77 when model or pictures are not there. */
#include "defects.h"
#include "station.h"

#include "base/os.h"
#include "core/odd.h"
#include "simd/distance.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CLASSES = 10,
    PER_CLASS = 100,
    NORMALS = 60,      /* of a class; the others are fresh */
    STRANGERS = 200,   /* of the grocery photographs, evenly chosen */
    CLASS_SPLITS = 40, /* per class, for false alarms */
    ALL_SPLITS = 12,   /* of all classes together */
    GARMENTS = 20,
    SWATCH_PX = 72,
    SWATCHES = 60, /* normal ones per garment */
    JUDGED = 16    /* fresh ones per garment, each damaged in every way too */
};
static const float NEAR_SAME = 0.85f;
static const double STRANGERS_FLOOR = 0.97, SURFACE_FLOOR = 0.74;
static const char *const classes[CLASSES] = {"dress", "hat",   "longsleeve", "outwear", "pants",
                                             "shirt", "shoes", "shorts",     "skirt",   "t-shirt"};
static const char STATED[] = "shirt", DAMAGED[] = "dress";
static int failures;

/* ---- sets of pictures ---- */

typedef struct paths {
    char **p;
    size_t n;
} paths;

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static paths list(const char *folder)
{
    paths list = {0};
    DIR *dir = opendir(folder);
    if (!dir) {
        fprintf(stderr, "quality_odd: there are no pictures in %s\n", folder);
        exit(77);
    }
    for (struct dirent *e; (e = readdir(dir));) {
        if (!strstr(e->d_name, ".jpg"))
            continue;
        mp_buf name = {0};
        mp_buf_printf(&name, "%s/%s", folder, e->d_name);
        list.p = mp_xrealloc(list.p, (list.n + 1) * sizeof *list.p);
        list.p[list.n++] = name.p;
    }
    closedir(dir);
    qsort(list.p, list.n, sizeof *list.p, by_name);
    return list;
}

static void paths_free(paths *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->p[i]);
    free(list->p);
}

static void encode_files(const station *s, const paths *list, size_t every, vectors *out)
{
    for (size_t i = 0; i < list->n; i += every) {
        mp_image picture = station_decode(s, list->p[i]);
        station_encode(s, &picture, 1, out);
        mp_image_free(&picture);
    }
}

/* Rows of a set, copied. */
static vectors take(const station *s, const vectors *from, const size_t *at, size_t n)
{
    size_t look = (size_t)s->look_dims, texture = (size_t)s->texture_dims;
    vectors v = {mp_xcalloc(n * look, sizeof(float)), mp_xcalloc(n * texture, sizeof(float)), n, n};
    for (size_t i = 0; i < n; i++) {
        memcpy(v.look + i * look, from->look + at[i] * look, look * sizeof(float));
        memcpy(v.texture + i * texture, from->texture + at[i] * texture, texture * sizeof(float));
    }
    return v;
}

/* ---- splits ---- */

/* group[i]: the lowest position among the pictures that look nearly the same as i. */
static void find_groups(const station *s, const vectors *v, size_t *group)
{
    mp_dot_fn dot = mp_dot_for(mp_simd_isa());
    size_t dims = (size_t)s->look_dims;
    for (size_t i = 0; i < v->n; i++)
        group[i] = i;
    for (size_t i = 0; i < v->n; i++)
        for (size_t j = 0; j < i; j++) {
            size_t a = group[i], b = group[j];
            if (a == b || dot(v->look + i * dims, v->look + j * dims, dims) < NEAR_SAME)
                continue;
            for (size_t k = 0; k < v->n; k++)
                if (group[k] == MP_MAX(a, b))
                    group[k] = MP_MIN(a, b);
        }
}

static void shuffle(size_t *v, size_t n, mp_rng *r)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = mp_rng_u64(r) % i, kept = v[i - 1];
        v[i - 1] = v[j];
        v[j] = kept;
    }
}

/* Whole groups in random order: the first `wanted` pictures or a few more are at the front.
 * group NULL: every picture is its own group. Returns how many are at the front. */
static size_t split(const size_t *group, size_t n, size_t wanted, mp_rng *r, size_t *order)
{
    size_t *name = mp_xcalloc(n, sizeof *name), front = 0, placed = 0;
    for (size_t i = 0; i < n; i++)
        name[i] = i;
    shuffle(name, n, r);
    for (size_t g = 0; g < n; g++) {
        if (!front && placed >= wanted)
            front = placed;
        for (size_t i = 0; i < n; i++)
            if ((group ? group[i] : i) == name[g])
                order[placed++] = i;
    }
    free(name);
    return front ? front : n;
}

/* ---- judging ---- */

static mp_odd_score *judge(const station *s, const vectors *normals, const vectors *judged,
                           double alpha)
{
    mp_why why;
    const char *method;
    mp_odd_score *out = mp_xcalloc(judged->n, sizeof *out);
    mp_odd_input in = {.n = judged->n,
                       .n_normals = normals->n,
                       .look_dims = s->look_dims,
                       .texture_dims = s->texture_dims,
                       .look = judged->look,
                       .texture = judged->texture,
                       .normal_look = normals->look,
                       .normal_texture = normals->texture,
                       .alpha = alpha,
                       .threads = mp_cpu_count()};
    if (mp_odd_run(&in, out, &method, &why)) {
        fprintf(stderr, "quality_odd: %s\n", why.text);
        exit(1);
    }
    return out;
}

/* The chance that an odd one scores above a normal one. */
static double auroc(const mp_odd_score *normal, size_t n, const mp_odd_score *odd, size_t m)
{
    double wins = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < m; j++)
            wins += odd[j].score > normal[i].score ? 1 : odd[j].score == normal[i].score ? 0.5 : 0;
    return wins / (double)(n * m);
}

static void floor_line(const char *what, double value, double least)
{
    printf("  %-44s %.3f  floor %.2f  %s\n", what, value, least, value >= least ? "ok" : "BELOW");
    failures += value < least;
}

/* ---- 1: strangers ---- */

static double class_against_strangers(const station *s, const vectors *class,
                                      const vectors *strangers, const char *name)
{
    size_t group[PER_CLASS], order[PER_CLASS];
    mp_rng r = {1};
    find_groups(s, class, group);
    size_t front = split(group, class->n, NORMALS, &r, order);
    vectors normals = take(s, class, order, front);
    vectors fresh = take(s, class, order + front, class->n - front);
    mp_odd_score *a = judge(s, &normals, &fresh, 0.05), *b = judge(s, &normals, strangers, 0.05);
    size_t false_alarms = 0, found = 0;
    for (size_t i = 0; i < fresh.n; i++)
        false_alarms += a[i].flagged;
    for (size_t i = 0; i < strangers->n; i++)
        found += b[i].flagged;
    double area = auroc(a, fresh.n, b, strangers->n);
    printf("  %-12s AUROC %.4f   flagged at 0.05: %zu of %zu strangers, %zu of %zu normals\n", name,
           area, found, strangers->n, false_alarms, fresh.n);
    free(b);
    free(a);
    vectors_free(&fresh);
    vectors_free(&normals);
    return area;
}

static void strangers_are_found(const station *s, const vectors *class, const vectors *strangers)
{
    double sum = 0, stated = 0;
    printf("1. one class is normal, grocery pictures are strangers\n");
    for (int c = 0; c < CLASSES; c++) {
        double area = class_against_strangers(s, &class[c], strangers, classes[c]);
        sum += area / CLASSES;
        stated = strcmp(classes[c], STATED) ? stated : area;
    }
    floor_line("mean AUROC of ten classes", sum, STRANGERS_FLOOR);
    floor_line("AUROC of \"shirt\"", stated, STRANGERS_FLOOR);
}

/* ---- 2: false alarms ---- */

typedef struct alarm_sum {
    double rate, square, reachable; /* summed over splits */
    int splits;
} alarm_sum;
static const double alphas[] = {0.01, 0.05, 0.1, 0.2};

static void count_alarms(const station *s, const vectors *all, size_t wanted, const size_t *group,
                         int splits, uint64_t seed, alarm_sum sum[MP_COUNT(alphas)])
{
    mp_rng r = {seed};
    size_t *order = mp_xcalloc(all->n, sizeof *order);
    for (int i = 0; i < splits; i++) {
        size_t front = split(group, all->n, wanted, &r, order);
        vectors normals = take(s, all, order, front);
        vectors fresh = take(s, all, order + front, all->n - front);
        mp_odd_score *score = judge(s, &normals, &fresh, 0.05);
        for (size_t a = 0; a < MP_COUNT(alphas); a++) {
            double flagged = 0, steps = (double)(front + 1);
            for (size_t k = 0; k < fresh.n; k++)
                flagged += score[k].p <= alphas[a];
            sum[a].rate += flagged / (double)fresh.n;
            sum[a].square += pow(flagged / (double)fresh.n, 2);
            sum[a].reachable += floor(alphas[a] * steps + 1e-9) / steps;
            sum[a].splits++;
        }
        free(score);
        vectors_free(&fresh);
        vectors_free(&normals);
    }
    free(order);
}

/* Each split is an independent draw, so the mean's error follows from the spread of the splits. */
static void print_alarms(const char *what, const alarm_sum sum[MP_COUNT(alphas)], bool tested)
{
    printf("  %s, %d splits\n", what, sum[0].splits);
    for (size_t a = 0; a < MP_COUNT(alphas); a++) {
        double n = sum[a].splits, rate = sum[a].rate / n, want = sum[a].reachable / n;
        double error = 2.576 * sqrt(fmax(sum[a].square / n - rate * rate, 0) / n);
        bool ok = fabs(rate - want) <= error + 1e-9;
        printf("    alpha %.2f (in steps of 1/(n+1): %.4f)  flagged %.4f +- %.4f (99 %%)%s\n",
               alphas[a], want, rate, error,
               !tested ? ""
               : ok    ? "  ok"
                       : "  OUTSIDE");
        failures += tested && !ok;
    }
}

static void false_alarms_are_as_asked(const station *s, const vectors *class)
{
    alarm_sum one[MP_COUNT(alphas)] = {{0}}, apart[MP_COUNT(alphas)] = {{0}};
    alarm_sum mixed[MP_COUNT(alphas)] = {{0}};
    vectors all = {0};
    printf("2. fresh normals that are flagged\n");
    for (int c = 0; c < CLASSES; c++) {
        size_t group[PER_CLASS];
        find_groups(s, &class[c], group);
        count_alarms(s, &class[c], NORMALS, NULL, CLASS_SPLITS, 7 + (uint64_t)c, one);
        count_alarms(s, &class[c], NORMALS, group, CLASS_SPLITS / 4, 70 + (uint64_t)c, apart);
        all.look = mp_xrealloc(all.look, (all.n + class[c].n) * (size_t)s->look_dims * 4);
        all.texture = mp_xrealloc(all.texture, (all.n + class[c].n) * (size_t)s->texture_dims * 4);
        memcpy(all.look + all.n * (size_t)s->look_dims, class[c].look,
               class[c].n * (size_t)s->look_dims * 4);
        memcpy(all.texture + all.n * (size_t)s->texture_dims, class[c].texture,
               class[c].n * (size_t)s->texture_dims * 4);
        all.n += class[c].n;
    }
    print_alarms("one class, 60 normals and 40 fresh", one, true);
    count_alarms(s, &all, 599, NULL, ALL_SPLITS, 3, mixed);
    print_alarms("all classes, 599 normals and 401 fresh", mixed, true);
    print_alarms("one class, near-identical pictures kept on one side (not exchangeable)", apart,
                 false);
    vectors_free(&all);
}

/* ---- 3: damage ---- */

static mp_image cut(const mp_image *im, int x, int y, int side)
{
    mp_why why;
    mp_image out;
    if (mp_image_new(&out, side, side, 3, &why))
        exit(1);
    for (int row = 0; row < side; row++)
        memcpy(out.px + (size_t)row * (size_t)side * 3,
               im->px + ((size_t)(y + row) * (size_t)im->w + (size_t)x) * 3, (size_t)side * 3);
    return out;
}

/* n swatches from random places between two heights of the picture's middle, encoded; kind
 * MP_DEFECTS: undamaged. The same seed gives the same places. */
static void encode_swatches(const station *s, const mp_image *im, double top, double bottom,
                            size_t n, mp_defect kind, uint64_t seed, vectors *out)
{
    mp_rng r = {seed};
    for (size_t i = 0; i < n; i++) {
        int left = (int)(0.28 * im->w), right = (int)(0.72 * im->w) - SWATCH_PX;
        int high = (int)(top * im->h), low = (int)(bottom * im->h) - SWATCH_PX;
        int x = left + (int)(mp_rng_unit(&r) * (right - left + 1));
        int y = high + (int)(mp_rng_unit(&r) * (low - high + 1));
        mp_image swatch = cut(im, x, y, SWATCH_PX);
        if (kind != MP_DEFECTS)
            mp_defect_draw(&swatch, kind, seed * 1000 + i * MP_DEFECTS + (uint64_t)kind);
        station_encode(s, &swatch, 1, out);
        mp_image_free(&swatch);
    }
}

static void judge_swatches(const station *s, const mp_image *im, double area[MP_DEFECTS])
{
    vectors normals = {0}, fresh = {0};
    encode_swatches(s, im, 0.22, 0.5, SWATCHES, MP_DEFECTS, 1, &normals);
    encode_swatches(s, im, 0.5, 0.78, JUDGED, MP_DEFECTS, 2, &fresh);
    mp_odd_score *a = judge(s, &normals, &fresh, 0.05);
    for (int k = 0; k < MP_DEFECTS; k++) {
        vectors damaged = {0};
        encode_swatches(s, im, 0.5, 0.78, JUDGED, (mp_defect)k, 2, &damaged);
        mp_odd_score *b = judge(s, &normals, &damaged, 0.05);
        area[k] += auroc(a, fresh.n, b, damaged.n) / GARMENTS;
        free(b);
        vectors_free(&damaged);
    }
    free(a);
    vectors_free(&fresh);
    vectors_free(&normals);
}

static void damage_on_cloth(const station *s, const paths *list)
{
    double area[MP_DEFECTS] = {0}, mean = 0;
    for (size_t i = 0; i < GARMENTS; i++) {
        mp_image im = station_decode(s, list->p[i * list->n / GARMENTS]);
        judge_swatches(s, &im, area);
        mp_image_free(&im);
    }
    printf("3. damage on swatches of the same cloth, AUROC over %d garments\n", GARMENTS);
    for (int k = 0; k < MP_DEFECTS; k++) {
        printf("  %-44s %.3f\n", mp_defect_word((mp_defect)k), area[k]);
        mean += area[k] / MP_DEFECTS;
    }
    floor_line("mean of the kinds", mean, SURFACE_FLOOR);
}

static void damage_on_pictures(const station *s, const paths *list, const vectors *class)
{
    size_t group[PER_CLASS], order[PER_CLASS];
    mp_rng r = {1};
    find_groups(s, class, group);
    size_t front = split(group, class->n, NORMALS, &r, order), n = class->n - front;
    vectors normals = take(s, class, order, front), fresh = take(s, class, order + front, n);
    mp_odd_score *a = judge(s, &normals, &fresh, 0.05);
    printf(
        "   the same on whole, varied pictures (no floor): AUROC; damaged scores above itself\n");
    for (int k = 0; k < MP_DEFECTS; k++) {
        vectors damaged = {0};
        size_t above = 0;
        for (size_t i = 0; i < n; i++) {
            mp_image im = station_decode(s, list->p[order[front + i]]);
            mp_defect_draw(&im, (mp_defect)k, i * MP_DEFECTS + (size_t)k);
            station_encode(s, &im, 1, &damaged);
            mp_image_free(&im);
        }
        mp_odd_score *b = judge(s, &normals, &damaged, 0.05);
        for (size_t i = 0; i < n; i++)
            above += b[i].score > a[i].score;
        printf("  %-44s %.3f; %zu of %zu\n", mp_defect_word((mp_defect)k), auroc(a, n, b, n), above,
               n);
        free(b);
        vectors_free(&damaged);
    }
    free(a);
    vectors_free(&fresh);
    vectors_free(&normals);
}

/* ---- example heat maps ---- */

static void write_heat(const station *s, const mp_image *picture, const mp_patches *normals,
                       size_t n, const char *path)
{
    mp_why why;
    mp_image overlay;
    uint8_t *png;
    size_t bytes;
    mp_patches test = station_patches(s, picture);
    float *heat = mp_xcalloc((size_t)(test.rows * test.cols), sizeof *heat);
    mp_odd_patches(&test, normals, n, heat);
    float most = 0, sum = 0;
    for (int i = 0; i < test.rows * test.cols; i++) {
        most = MP_MAX(most, heat[i]);
        sum += heat[i] / (float)(test.rows * test.cols);
    }
    printf("  %s: mean %.3f, most %.3f\n", path, sum, most);
    if (mp_odd_overlay(picture, heat, test.rows, test.cols, 0.15f, 0.6f, &overlay, &why) ||
        mp_encode_png(&overlay, &png, &bytes, &why) || mp_file_replace(path, png, bytes, &why)) {
        fprintf(stderr, "quality_odd: %s\n", why.text);
        exit(1);
    }
    free(png);
    free(heat);
    free(test.v);
    mp_image_free(&overlay);
}

static void example_heat_maps(const station *s, const paths *list, const char *folder)
{
    enum { YARD = 24, EXAMPLES = 3 };
    mp_patches yard[YARD];
    for (size_t i = 0; i < YARD; i++) {
        mp_image im = station_decode(s, list->p[EXAMPLES + i]);
        yard[i] = station_patches(s, &im);
        mp_image_free(&im);
    }
    for (size_t i = 0; i < EXAMPLES; i++)
        for (int k = 0; k <= MP_DEFECTS; k++) {
            mp_buf path = {0};
            mp_image im = station_decode(s, list->p[i]);
            if (k < MP_DEFECTS)
                mp_defect_draw(&im, (mp_defect)k, i * MP_DEFECTS + (size_t)k);
            mp_buf_printf(&path, "%s/heat-%zu-%d.png", folder, i, k);
            write_heat(s, &im, yard, YARD, path.p);
            mp_buf_free(&path);
            mp_image_free(&im);
        }
    for (size_t i = 0; i < YARD; i++)
        free(yard[i].v);
}

int main(int argc, char **argv)
{
    station s;
    vectors class[CLASSES] = {{0}}, strangers = {0};
    paths damaged = list(MAGPIE_SHARED_DIR "/data/clothing/dress"),
          grocery = list(MAGPIE_SHARED_DIR "/data/grocery/natural");
    station_open(&s);
    if (argc > 1) {
        example_heat_maps(&s, &damaged, argv[1]);
        return 0;
    }
    encode_files(&s, &grocery, MP_MAX(grocery.n / STRANGERS, (size_t)1), &strangers);
    for (int c = 0; c < CLASSES; c++) {
        mp_buf folder = {0};
        mp_buf_printf(&folder, MAGPIE_SHARED_DIR "/data/clothing/%s", classes[c]);
        paths all = list(folder.p);
        all.n = MP_MIN(all.n, (size_t)PER_CLASS);
        encode_files(&s, &all, 1, &class[c]);
        mp_buf_free(&folder);
        paths_free(&all);
    }
    strangers_are_found(&s, class, &strangers);
    false_alarms_are_as_asked(&s, class);
    damage_on_cloth(&s, &damaged);
    for (int c = 0; c < CLASSES; c++)
        if (!strcmp(classes[c], DAMAGED))
            damage_on_pictures(&s, &damaged, &class[c]);
    for (int c = 0; c < CLASSES; c++)
        vectors_free(&class[c]);
    vectors_free(&strangers);
    paths_free(&damaged);
    paths_free(&grocery);
    station_close(&s);
    return failures ? 1 : 0;
}
