/* probe_clip.c - runs CLIP's towers over given inputs, for the golden test and the benches.
 *
 *     probe_clip WEIGHTS SIDE PATCH  W L H F  W L H F  VOCABULARY DIMS quick|plain  f32|int8
 * THREADS
 *
 * Sizes are width, layers, heads and hidden of the image tower, then of the text tower. Commands on
 * standard input, one a line; answers on standard output, raw floats or text:
 *
 *     images N FILE OUT     N pictures of side x side x 3 bytes from FILE; vectors to OUT
 *     texts N LENGTH FILE OUT   N texts of LENGTH int32 tokens each
 *     image-layers FILE OUT     one picture: all rows after 0, 1, ... layers
 *     text-layers LENGTH FILE OUT
 *     time-images N FILE ROUNDS, time-texts N LENGTH FILE ROUNDS    milliseconds, one line a round
 *
 * After each command a line "ok", or "failed: why". */
#include "base/os.h"
#include "model/clip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST = 64 };

typedef struct probe {
    mp_clip *clip;
    mp_clip_shape shape;
    int threads;
    mp_why why;
} probe;

static uint8_t *read_all(probe *p, const char *path, size_t want)
{
    uint8_t *bytes;
    size_t n;
    if (mp_file_read(path, (size_t)1 << 30, &bytes, &n, &p->why))
        return NULL;
    if (n >= want)
        return bytes;
    (void)mp_fail(&p->why, MP_INVALID, "%s is too short", path);
    free(bytes);
    return NULL;
}

static bool write_all(probe *p, const char *path, const float *v, size_t n)
{
    FILE *f = fopen(path, "wb");
    bool fine = f && fwrite(v, sizeof *v, n, f) == n;
    if (f)
        fine = fclose(f) == 0 && fine;
    if (!fine)
        (void)mp_fail(&p->why, MP_IO, "cannot write %s", path);
    return fine;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* rounds 0: vectors to `out`; else that many times, and how long each took. */
static bool images(probe *p, int n, const char *file, const char *out, int rounds)
{
    size_t each = (size_t)p->shape.side * (size_t)p->shape.side * 3;
    uint8_t *bytes = read_all(p, file, (size_t)n * each);
    float *v = mp_xcalloc((size_t)n, (size_t)p->shape.dims * sizeof *v);
    const uint8_t *px[MOST];
    bool fine = bytes;
    for (int i = 0; fine && i < n; i++)
        px[i] = bytes + (size_t)i * each;
    for (int i = 0; fine && i < MP_MAX(rounds, 1); i++) {
        double start = now();
        fine = !mp_clip_images(p->clip, px, (size_t)n, p->threads, v, &p->why);
        if (rounds)
            printf("%.4f\n", now() - start);
    }
    if (fine && !rounds)
        fine = write_all(p, out, v, (size_t)n * (size_t)p->shape.dims);
    free(v);
    free(bytes);
    return fine;
}

static bool texts(probe *p, int n, int length, const char *file, const char *out, int rounds)
{
    uint8_t *bytes = read_all(p, file, (size_t)n * (size_t)length * 4);
    float *v = mp_xcalloc((size_t)n, (size_t)p->shape.dims * sizeof *v);
    int32_t *ids = mp_xcalloc((size_t)n * MP_CLIP_CONTEXT, sizeof *ids);
    int lengths[MOST];
    bool fine = bytes;
    for (int i = 0; fine && i < n; i++) {
        lengths[i] = length;
        memcpy(ids + i * MP_CLIP_CONTEXT, bytes + (size_t)(i * length) * 4, (size_t)length * 4);
    }
    for (int i = 0; fine && i < MP_MAX(rounds, 1); i++) {
        double start = now();
        fine = !mp_clip_texts(p->clip, ids, lengths, (size_t)n, p->threads, v, &p->why);
        if (rounds)
            printf("%.4f\n", now() - start);
    }
    if (fine && !rounds)
        fine = write_all(p, out, v, (size_t)n * (size_t)p->shape.dims);
    free(ids);
    free(v);
    free(bytes);
    return fine;
}

static bool layers(probe *p, int length, const char *file, const char *out)
{
    const mp_clip_shape *s = &p->shape;
    bool image = length == 0;
    size_t grid = (size_t)(s->side / s->patch), rows = image ? grid * grid + 1 : (size_t)length;
    size_t one = rows * (size_t)(image ? s->image_width : s->text_width);
    int n = image ? s->image_layers : s->text_layers;
    size_t want = image ? (size_t)s->side * (size_t)s->side * 3 : (size_t)length * 4;
    uint8_t *bytes = read_all(p, file, want);
    float *v = mp_xcalloc((size_t)(n + 1) * one, sizeof *v);
    bool fine = bytes;
    for (int i = 0; fine && i <= n; i++) {
        float *to = v + (size_t)i * one;
        const int32_t *ids = (const int32_t *)(const void *)bytes;
        fine = image ? !mp_clip_probe_image(p->clip, bytes, i, to, &p->why)
                     : !mp_clip_probe_text(p->clip, ids, length, i, to, &p->why);
    }
    if (fine)
        fine = write_all(p, out, v, (size_t)(n + 1) * one);
    free(v);
    free(bytes);
    return fine;
}

static bool answer(probe *p, const char *line)
{
    char a[512], b[512];
    int n, length, rounds;
    if (sscanf(line, "images %d %511s %511s", &n, a, b) == 3 && n > 0 && n <= MOST)
        return images(p, n, a, b, 0);
    if (sscanf(line, "texts %d %d %511s %511s", &n, &length, a, b) == 4 && n > 0 && n <= MOST &&
        length > 0 && length <= MP_CLIP_CONTEXT)
        return texts(p, n, length, a, b, 0);
    if (sscanf(line, "image-layers %511s %511s", a, b) == 2)
        return layers(p, 0, a, b);
    if (sscanf(line, "text-layers %d %511s %511s", &length, a, b) == 3 && length > 0)
        return layers(p, length, a, b);
    if (sscanf(line, "time-images %d %511s %d", &n, a, &rounds) == 3 && n > 0 && n <= MOST)
        return images(p, n, a, NULL, MP_MAX(rounds, 1));
    if (sscanf(line, "time-texts %d %d %511s %d", &n, &length, a, &rounds) == 4 && n > 0 &&
        n <= MOST && length > 0 && length <= MP_CLIP_CONTEXT)
        return texts(p, n, length, a, NULL, MP_MAX(rounds, 1));
    (void)mp_fail(&p->why, MP_INVALID, "no such command");
    return false;
}

int main(int argc, char **argv)
{
    enum { NUMBERS = 12, ARGUMENTS = 17 };
    probe p = {0};
    int v[NUMBERS];
    mp_tensors *weights;
    char line[2048];
    if (argc != ARGUMENTS) {
        fprintf(stderr, "probe_clip: see the head of its source\n");
        return 2;
    }
    for (int i = 0; i < NUMBERS; i++)
        v[i] = atoi(argv[2 + i]);
    p.shape = (mp_clip_shape){v[0],
                              v[1],
                              v[2],
                              v[3],
                              v[4],
                              v[5],
                              v[6],
                              v[7],
                              v[8],
                              v[9],
                              v[10],
                              v[11],
                              strcmp(argv[14], "quick") == 0 ? MP_QUICK_GELU : MP_GELU,
                              {0.48145466f, 0.4578275f, 0.40821073f},
                              {0.26862954f, 0.26130258f, 0.27577711f}};
    p.threads = atoi(argv[16]);
    mp_precision how = strcmp(argv[15], "int8") == 0 ? MP_INT8 : MP_F32;
    mp_err err = mp_tensors_open(&weights, argv[1], &p.why);
    if (!err)
        err = mp_clip_open(&p.clip, weights, &p.shape, how, how, &p.why);
    if (err) {
        printf("failed: %s\n", p.why.text);
        return 1;
    }
    printf("ok\n");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        if (answer(&p, line))
            printf("ok\n");
        else
            printf("failed: %s\n", p.why.text);
        fflush(stdout);
    }
    mp_clip_close(p.clip);
    mp_tensors_close(weights);
    return 0;
}
