/* quality_model.c - what the models find on real pictures, beside the floors that they must hold.
 *
 * Clothing: 1,000 photographs in 10 classes. Grocery: 81 products, one iconic picture and 10
 * natural photographs each. Prints one line per figure and exits with 1 when one is more than two
 * points below its reference, with 77 when the pictures are not there. */
#include "base/os.h"
#include "image/decode.h"
#include "index/index.h"
#include "model/model.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_PICTURES = 2000, MAX_TEXT = 700, BATCH = 16 };
static const double TOLERANCE = 0.02;

typedef struct picture {
    char path[1024];
    int class, coarse;
} picture;

typedef struct set {
    picture p[MAX_PICTURES];
    int n, look_dims, word_dims;
    bool with_copy;
    float *look, *word, *copy; /* copy: of look_dims, too */
} set;

typedef struct product {
    char name[96], category[64], description[MAX_TEXT];
} product;

static int failures;

static void figure(const char *what, double value, double reference)
{
    bool ok = reference <= 0 || value >= reference - TOLERANCE;
    printf("%-58s %.3f", what, value);
    if (reference > 0)
        printf("   reference %.3f   %s", reference, ok ? "ok" : "BELOW");
    printf("\n");
    fflush(stdout);
    failures += !ok;
}

static void need(mp_err err, const mp_why *why, const char *what)
{
    if (!err)
        return;
    fprintf(stderr, "quality_model: %s: %s\n", what, why->text);
    exit(err == MP_NOT_FOUND ? 77 : 1);
}

/* ---- pictures ---- */

static int by_path(const void *a, const void *b)
{
    return strcmp(((const picture *)a)->path, ((const picture *)b)->path);
}

/* The pictures of a folder whose names begin with `prefix` and a number, or all ("" ). */
static void add_folder(set *s, const char *folder, const char *prefix, int class, int coarse)
{
    DIR *dir = opendir(folder);
    size_t head = strlen(prefix);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        picture *p = &s->p[s->n];
        bool ours = strncmp(e->d_name, prefix, head) == 0 &&
                    (!head || strspn(e->d_name + head, "_0123456789") ==
                                  strlen(e->d_name + head) - strlen(".jpg"));
        if (e->d_name[0] == '.' || s->n == MAX_PICTURES || !ours)
            continue;
        snprintf(p->path, sizeof p->path, "%s/%s", folder, e->d_name);
        p->class = class;
        p->coarse = coarse;
        s->n++;
    }
    if (dir)
        closedir(dir);
}

static void decode_into(mp_decoder *d, const picture *p, const mp_decode_spec *spec,
                        mp_decoded *out)
{
    mp_why why;
    int fd = open(p->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        perror(p->path);
        exit(1);
    }
    need(mp_decode_fd(d, fd, spec, out, &why), &why, p->path);
    close(fd);
}

static void encode(set *s, mp_model *m, mp_decoder *d)
{
    const mp_model_info *info = mp_model_get_info(m);
    s->look_dims = info->space[MP_SPACE_LOOK].dims;
    s->word_dims = info->space[MP_SPACE_WORD].dims;
    s->look = mp_xcalloc((size_t)s->n * (size_t)s->look_dims, sizeof(float));
    s->word = mp_xcalloc((size_t)s->n * (size_t)s->word_dims + 1, sizeof(float));
    s->copy = mp_xcalloc((size_t)s->n * (size_t)s->look_dims, sizeof(float));
    mp_decode_spec spec = {
        .n_views = s->with_copy ? 2 : 1,
        .view = {info->space[MP_SPACE_LOOK].view, info->space[MP_SPACE_COPY].view}};
    qsort(s->p, (size_t)s->n, sizeof *s->p, by_path);
    for (int i = 0; i < s->n; i += BATCH) {
        mp_decoded decoded[BATCH];
        mp_views views[BATCH] = {0};
        mp_why why;
        int count = MP_MIN(BATCH, s->n - i);
        for (int k = 0; k < count; k++) {
            decode_into(d, &s->p[i + k], &spec, &decoded[k]);
            views[k].px[MP_SPACE_LOOK] = views[k].px[MP_SPACE_WORD] = decoded[k].view[0].px;
            views[k].px[MP_SPACE_COPY] = s->with_copy ? decoded[k].view[1].px : NULL;
        }
        float *out[MP_SPACES] = {[MP_SPACE_LOOK] = s->look + (size_t)i * (size_t)s->look_dims,
                                 [MP_SPACE_WORD] = s->word + (size_t)i * (size_t)s->word_dims,
                                 [MP_SPACE_COPY] = s->copy + (size_t)i * (size_t)s->look_dims};
        uint32_t mask = 1u << MP_SPACE_LOOK | (s->word_dims ? 1u << MP_SPACE_WORD : 0) |
                        (s->with_copy ? 1u << MP_SPACE_COPY : 0);
        need(mp_model_encode_images(m, views, (size_t)count, mask, out, &why), &why, "encode");
        for (int k = 0; k < count; k++)
            mp_decoded_free(&decoded[k]);
    }
}

/* ---- rankings ---- */

typedef struct ranked {
    double score;
    int at;
} ranked;

static int by_falling_score(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    return (x->score < y->score) - (x->score > y->score);
}

static double dot(const float *a, const float *b, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

/* Every picture against all others: the share of the first k of the same class. */
static double look_alikes(const set *s, int k)
{
    ranked *r = mp_xcalloc((size_t)s->n, sizeof *r);
    double hits = 0;
    for (int i = 0; i < s->n; i++) {
        int n = 0;
        for (int j = 0; j < s->n; j++)
            if (j != i)
                r[n++] = (ranked){dot(s->look + (size_t)i * (size_t)s->look_dims,
                                      s->look + (size_t)j * (size_t)s->look_dims, s->look_dims),
                                  j};
        qsort(r, (size_t)n, sizeof *r, by_falling_score);
        for (int j = 0; j < k; j++)
            hits += s->p[r[j].at].class == s->p[i].class;
    }
    free(r);
    return hits / s->n / k;
}

static void rank_words(const set *s, mp_model *m, const char *text, ranked *r)
{
    mp_why why;
    float *q = mp_xcalloc((size_t)s->word_dims, sizeof *q);
    need(mp_model_encode_text(m, mp_str_of(text), q, NULL, NULL, &why), &why, text);
    for (int i = 0; i < s->n; i++)
        r[i] = (ranked){dot(q, s->word + (size_t)i * (size_t)s->word_dims, s->word_dims), i};
    free(q);
}

static const char *const clothing[10] = {"dress", "hat",   "longsleeve", "outwear", "pants",
                                         "shirt", "shoes", "shorts",     "skirt",   "t-shirt"};
static const char *const phrases[10] = {
    "a dress", "a hat",  "a long sleeve top", "an outdoor jacket", "pants", "a shirt",
    "shoes",   "shorts", "a skirt",           "a t-shirt"};

static double words_to_pictures(const set *s, mp_model *m)
{
    ranked *r = mp_xcalloc((size_t)s->n, sizeof *r);
    double hits = 0;
    for (int c = 0; c < 10; c++) {
        int own = 0;
        rank_words(s, m, phrases[c], r);
        qsort(r, (size_t)s->n, sizeof *r, by_falling_score);
        for (int k = 0; k < 10; k++)
            own += s->p[r[k].at].class == c;
        printf("    \"%s\": %d of 10, best %.3f, tenth %.3f\n", phrases[c], own, r[0].score,
               r[9].score);
        hits += own;
    }
    free(r);
    return hits / 100;
}

/* Scores of what is not there: the floor of "no good match" must lie above most of them. */
static void absent_concepts(const set *s, mp_model *m)
{
    static const char *const absent[] = {"an airplane", "a dog",       "a pizza", "a volcano",
                                         "a guitar",    "a spider",    "a train", "a castle",
                                         "a goldfish",  "a fire truck"};
    ranked *r = mp_xcalloc((size_t)s->n, sizeof *r);
    printf("    best score of what is absent:");
    for (size_t i = 0; i < MP_COUNT(absent); i++) {
        rank_words(s, m, absent[i], r);
        qsort(r, (size_t)s->n, sizeof *r, by_falling_score);
        printf(" %.3f", r[0].score);
    }
    printf("\n");
    free(r);
}

/* ---- grocery ---- */

/* One CSV field with quotes; returns what follows. */
static char *csv_field(char *at, char *out, size_t cap)
{
    size_t n = 0;
    bool quoted = *at == '"';
    at += quoted;
    for (; *at && *at != '\n'; at++) {
        if (quoted && at[0] == '"' && at[1] == '"')
            at++;
        else if (quoted ? *at == '"' : *at == ',')
            break;
        if (n + 1 < cap)
            out[n++] = *at;
    }
    out[n] = '\0';
    at += quoted && *at == '"';
    return *at == ',' ? at + 1 : at;
}

static int read_products(const char *path, product *out, int max)
{
    char line[4096], skip[256];
    int n = 0;
    FILE *f = fopen(path, "r");
    if (!f || !fgets(line, sizeof line, f))
        exit(77);
    while (n < max && fgets(line, sizeof line, f)) {
        char *at = csv_field(line, out[n].name, sizeof out[n].name);
        at = csv_field(at, out[n].category, sizeof out[n].category);
        at = csv_field(at, skip, sizeof skip);
        csv_field(at, out[n].description, sizeof out[n].description);
        for (char *c = out[n].name; *c; c++)
            if (*c == '-')
                *c = ' ';
        n++;
    }
    fclose(f);
    return n;
}

static int category_of(const product *p, int i)
{
    for (int k = 0; k <= i; k++)
        if (strcmp(p[k].category, p[i].category) == 0)
            return k;
    return i;
}

static void names_to_photos(const set *s, mp_model *m, const product *p, int n)
{
    static const int ks[] = {1, 5, 10};
    static const double references[] = {0.27, 0.33, 0.41};
    ranked *r = mp_xcalloc((size_t)s->n, sizeof *r);
    double hit[3] = {0};
    for (int i = 0; i < n; i++) {
        char text[192];
        bool found = false;
        snprintf(text, sizeof text, "%s", p[i].name);
        rank_words(s, m, text, r);
        qsort(r, (size_t)s->n, sizeof *r, by_falling_score);
        for (int k = 0, at = 0; k < 3; k++) {
            for (; at < ks[k]; at++)
                found = found || s->p[r[at].at].coarse == category_of(p, i);
            hit[k] += found;
        }
    }
    for (int k = 0; k < 3; k++) {
        char what[80];
        snprintf(what, sizeof what, "product name to photo, coarse class, hit@%d (grocery)", ks[k]);
        figure(what, hit[k] / n, references[k]);
    }
    free(r);
}

/* The description as query, the products' titles as text: by the sentence alone, and as
 * magpie_search weighs them, with AIM_WEIGHT of the visual score (see src/core/search_score.c). */
static void descriptions_to_products(const set *icons, mp_model *m, const product *p, int n)
{
    const double aim_weight = 0.15;
    int dims = mp_model_get_info(m)->space[MP_SPACE_SENTENCE].dims, plain = 0, mixed = 0;
    float *title = mp_xcalloc((size_t)n * (size_t)dims, sizeof *title);
    float *query = mp_xcalloc((size_t)dims, sizeof *query);
    float *word = mp_xcalloc((size_t)icons->word_dims, sizeof *word);
    float *aim = mp_xcalloc((size_t)icons->look_dims, sizeof *aim);
    mp_why why;
    for (int i = 0; i < n; i++) {
        mp_str t = mp_str_of(p[i].name);
        need(mp_model_encode_sentences(m, &t, 1, title + (size_t)i * (size_t)dims, &why), &why,
             "t");
    }
    for (int i = 0; i < n; i++) {
        mp_str q = mp_str_of(p[i].description);
        double best = -9, best_mixed = -9;
        int at = -1, at_mixed = -1;
        need(mp_model_encode_sentences(m, &q, 1, query, &why), &why, "query");
        need(mp_model_encode_text(m, q, word, aim, NULL, &why), &why, "query");
        for (int k = 0; k < n; k++) {
            const float *copy = icons->copy + (size_t)k * (size_t)icons->look_dims;
            double t = dot(query, title + (size_t)k * (size_t)dims, dims);
            double v = t + aim_weight * dot(aim, copy, icons->look_dims);
            if (t > best)
                best = t, at = k;
            if (v > best_mixed)
                best_mixed = v, at_mixed = k;
        }
        plain += at == i;
        mixed += at_mixed == i;
    }
    figure("description to product by title text, R@1 (grocery)", (double)plain / n, 0.85);
    figure("the same with the visual score, R@1 (grocery)", (double)mixed / n, 0.89);
    free(aim);
    free(word);
    free(query);
    free(title);
}

/* Icons; the class is the product's number. */
static void load_icons(set *s, const char *shared, const product *p, int n)
{
    for (int i = 0; i < n; i++) {
        char name[96];
        snprintf(name, sizeof name, "%s", p[i].name);
        for (char *c = name; *c; c++)
            if (*c == ' ')
                *c = '-';
        snprintf(s->p[i].path, sizeof s->p[i].path, "%s/data/grocery/iconic/%s.jpg", shared, name);
        s->p[i].class = i;
        s->n++;
    }
}

/* The graph at default settings beside the scan, every picture as a query. */
static double graph_recall(const set *s)
{
    enum { K = 10 };
    mp_index *index;
    mp_why why;
    mp_index_options options = {.dims = s->look_dims};
    int64_t *labels = mp_xcalloc((size_t)s->n, sizeof *labels);
    double hits = 0;
    for (int i = 0; i < s->n; i++)
        labels[i] = i + 1;
    need(mp_index_open(&index, "hnsw", &options, &why), &why, "index");
    need(mp_index_add_many(index, labels, s->look, (size_t)s->n, NULL, NULL, &why), &why, "index");
    for (int i = 0; i < s->n; i++) {
        mp_neighbour graph[K], scan[K];
        const float *query = s->look + (size_t)i * (size_t)s->look_dims;
        size_t n, m;
        mp_search_options near = {.k = K}, exact = {.k = K, .exact = true};
        need(mp_index_search(index, query, &near, graph, &n, &why), &why, "search");
        need(mp_index_search(index, query, &exact, scan, &m, &why), &why, "scan");
        for (size_t a = 0; a < n; a++)
            for (size_t b = 0; b < m; b++)
                hits += graph[a].label == scan[b].label;
    }
    mp_index_close(index);
    free(labels);
    return hits / s->n / K;
}

static void run(const char *id, const char *shared, mp_decoder *d, product *p, int n)
{
    mp_why why = {0};
    mp_model *m;
    mp_model_options opt = {.models_dir = getenv("MAGPIE_MODELS")};
    bool lite = strcmp(id, "lite") == 0;
    char folder[600];
    set *clothes = mp_xcalloc(1, sizeof *clothes), *goods = mp_xcalloc(1, sizeof *goods);
    mp_err err = mp_model_open(&m, id, &opt, &why);
    if (err) {
        printf("%s: skipped: %s\n", id, why.text);
        free(clothes);
        free(goods);
        return;
    }
    printf("model %s\n", id);
    for (int c = 0; c < 10; c++) {
        snprintf(folder, sizeof folder, "%s/data/clothing/%s", shared, clothing[c]);
        add_folder(clothes, folder, "", c, c);
    }
    for (int i = 0; i < n; i++) {
        char name[96];
        snprintf(name, sizeof name, "%s", p[i].name);
        for (char *c = name; *c; c++)
            if (*c == ' ')
                *c = '-';
        snprintf(folder, sizeof folder, "%s/data/grocery/natural", shared);
        add_folder(goods, folder, name, i, category_of(p, i));
    }
    encode(clothes, m, d);
    encode(goods, m, d);
    if (lite) {
        figure("words to pictures, precision@10 (clothing)", words_to_pictures(clothes, m), 0.73);
        absent_concepts(clothes, m);
        names_to_photos(goods, m, p, n);
        set *icons = mp_xcalloc(1, sizeof *icons);
        icons->with_copy = true;
        load_icons(icons, shared, p, n);
        encode(icons, m, d);
        /* encode() sorts by path: back into the order of the products */
        size_t row = (size_t)icons->look_dims;
        float *copy = mp_xcalloc((size_t)icons->n * row, sizeof *copy);
        for (int i = 0; i < icons->n; i++)
            memcpy(copy + (size_t)icons->p[i].class * row, icons->copy + (size_t)i * row,
                   row * sizeof *copy);
        free(icons->copy);
        icons->copy = copy;
        descriptions_to_products(icons, m, p, n);
        free(icons->look);
        free(icons->word);
        free(icons->copy);
        free(icons);
    }
    figure("graph beside scan, recall@10 (clothing)", graph_recall(clothes), 1);
    figure("look-alikes, precision@10 (clothing)", look_alikes(clothes, 10), lite ? 0.68 : 0.22);
    figure("look-alikes, precision@1 (clothing)", look_alikes(clothes, 1), lite ? 0.757 : 0);
    figure("look-alikes, precision@10, fine (grocery)", look_alikes(goods, 10), lite ? 0.426 : 0);
    figure("look-alikes, precision@1, fine (grocery)", look_alikes(goods, 1), lite ? 0.82 : 0.355);
    free(clothes->look);
    free(clothes->word);
    free(clothes->copy);
    free(goods->look);
    free(goods->word);
    free(goods->copy);
    free(clothes);
    free(goods);
    mp_model_close(m);
}

int main(void)
{
    const char *shared = MAGPIE_SHARED_DIR;
    char path[512];
    mp_why why;
    mp_decoder *d;
    const char *binary = getenv("MAGPIE_DECODER");
    mp_decoder_options opt = {.decoder = binary ? binary : "magpie",
                              .workers = 2,
                              .timeout_ms = 10000,
                              .max_pixels = 50000000,
                              .max_side = 16384};
    product *p = mp_xcalloc(128, sizeof *p);
    snprintf(path, sizeof path, "%s/data/grocery/products.csv", shared);
    if (access(path, R_OK) != 0) {
        printf("the shared pictures are not here: skipped\n");
        free(p);
        return 77;
    }
    int n = read_products(path, p, 128);
    need(mp_decoder_open(&d, &opt, &why), &why, "decoder");
    run("lite", shared, d, p, n);
    run("builtin", shared, d, p, n);
    mp_decoder_close(d);
    free(p);
    return failures ? 1 : 0;
}
