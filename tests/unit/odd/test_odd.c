/* Odd ones on synthetic vectors whose truth is known: ranks, conformal validity, copies, limits. */
#include "../test.h"

#include "base/os.h"
#include "core/odd.h"
#include "simd/distance.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { LOOK = 48, TEXTURE = 70 };

typedef struct set {
    float *look, *texture;
    size_t n;
} set;

/* Vectors with a common low-rank structure; `shift` moves them away from it. */
static set make(size_t n, double shift, mp_rng *r)
{
    set s = {mp_xcalloc(n * LOOK, sizeof(float)), mp_xcalloc(n * TEXTURE, sizeof(float)), n};
    for (size_t i = 0; i < n; i++) {
        double factor[6];
        for (int f = 0; f < 6; f++)
            factor[f] = mp_rng_gauss(r);
        for (int j = 0; j < LOOK; j++)
            s.look[i * LOOK + (size_t)j] =
                (float)(2 + factor[j % 6] + 0.5 * mp_rng_gauss(r) + (j % 2 ? shift : -shift));
        for (int j = 0; j < TEXTURE; j++)
            s.texture[i * TEXTURE + (size_t)j] =
                (float)(j * (1 + 0.1 * factor[j % 5] + 0.05 * mp_rng_gauss(r)) +
                        (j % 3 ? shift : 0));
        (void)mp_normalise(s.look + i * LOOK, LOOK);
    }
    return s;
}

static void drop(set *s)
{
    free(s->look);
    free(s->texture);
}

static mp_odd_input input(const set *judged, const set *normals)
{
    mp_odd_input in = {
        .n = judged->n, .look_dims = LOOK, .look = judged->look, .alpha = 0.05, .threads = 2};
    if (normals) {
        in.n_normals = normals->n;
        in.texture_dims = TEXTURE;
        in.texture = judged->texture;
        in.normal_look = normals->look;
        in.normal_texture = normals->texture;
    }
    return in;
}

static void ranks_by_plain_definition(void **state)
{
    (void)state;
    mp_why why;
    mp_rng r = {1};
    set s = make(150, 0, &r);
    mp_odd_input in = input(&s, NULL);
    mp_odd_score *out = mp_xcalloc(s.n, sizeof *out);
    const char *method;
    assert_ok(mp_odd_run(&in, out, &method, &why));
    assert_string_equal(method, "knn");
    for (size_t i = 0; i < s.n; i++) {
        double best[5] = {9, 9, 9, 9, 9};
        size_t as_odd = 0;
        for (size_t j = 0; j < s.n; j++) {
            double dot = 0;
            for (int d = 0; d < LOOK; d++)
                dot += (double)s.look[i * LOOK + (size_t)d] * s.look[j * LOOK + (size_t)d];
            as_odd += out[j].score >= out[i].score;
            double away = i == j ? 9 : 1 - dot;
            for (int k = 0; k < 5; k++)
                if (away < best[k]) {
                    double old = best[k];
                    best[k] = away;
                    away = old;
                }
        }
        double mean = (best[0] + best[1] + best[2] + best[3] + best[4]) / 5;
        assert_float_equal(out[i].score, mean, 1e-5);
        assert_float_equal(out[i].nearest, best[0], 1e-5);
        assert_float_equal(out[i].p, (double)as_odd / (double)s.n, 1e-12);
        assert_int_equal(out[i].flagged, out[i].p <= 0.05);
    }
    free(out);
    drop(&s);
}

static void copies_of_an_odd_one_stay_odd(void **state)
{
    (void)state;
    mp_why why;
    mp_rng r = {2};
    set s = make(60, 0, &r), stranger = make(1, 3, &r);
    for (size_t i = 10; i < 14; i++)
        memcpy(s.look + i * LOOK, stranger.look, LOOK * sizeof(float));
    mp_odd_input in = input(&s, NULL);
    mp_odd_score out[60];
    const char *method;
    assert_ok(mp_odd_run(&in, out, &method, &why));
    for (size_t i = 0; i < 60; i++) {
        bool copy = i >= 10 && i < 14;
        assert_true(copy ? out[i].score == out[10].score : out[i].score < out[10].score);
        assert_true(copy ? out[i].nearest == 0 : out[i].nearest > 0);
    }
    assert_float_equal(out[13].p, 1.0 / 57, 1e-12);
    assert_true(out[13].flagged);
    drop(&stranger);
    drop(&s);
}

static void finds_strangers_among_normals(void **state)
{
    (void)state;
    mp_why why;
    mp_rng r = {3};
    set normals = make(100, 0, &r), fresh = make(50, 0, &r), odd = make(50, 1, &r);
    mp_odd_score a[50], b[50];
    const char *method;
    mp_odd_input in = input(&fresh, &normals);
    assert_ok(mp_odd_run(&in, a, &method, &why));
    assert_string_equal(method, "mahalanobis+knn");
    in = input(&odd, &normals);
    assert_ok(mp_odd_run(&in, b, &method, &why));
    size_t wins = 0;
    for (int i = 0; i < 50; i++)
        for (int j = 0; j < 50; j++)
            wins += b[i].score > a[j].score;
    print_message("strangers, AUROC %.4f\n", (double)wins / 2500);
    assert_true(wins > 2450);
    for (int i = 0; i < 50; i++)
        assert_true(b[i].p >= 1.0 / 101 && b[i].p <= 1 && b[i].nearest >= 0);
    drop(&odd);
    drop(&fresh);
    drop(&normals);
}

/* Fresh normals are flagged as often as alpha says: over many draws, within the 99.9 % interval of
 * the mean (the spread of the draws themselves is measured). */
static void false_alarms(size_t n, int draws, bool texture)
{
    static const double alphas[] = {0.05, 0.1, 0.2, 0.5};
    double sum[4] = {0}, square[4] = {0};
    mp_why why;
    mp_rng r = {n * 7 + 1};
    for (int d = 0; d < draws; d++) {
        set normals = make(n, 0, &r), fresh = make(60, 0, &r);
        mp_odd_score out[60];
        const char *method;
        mp_odd_input in = input(&fresh, &normals);
        in.texture_dims = texture ? TEXTURE : 0;
        assert_ok(mp_odd_run(&in, out, &method, &why));
        for (int a = 0; a < 4; a++) {
            double flagged = 0;
            for (int i = 0; i < 60; i++)
                flagged += out[i].p <= alphas[a];
            sum[a] += flagged / 60;
            square[a] += flagged * flagged / 3600;
        }
        drop(&fresh);
        drop(&normals);
    }
    for (int a = 0; a < 4; a++) {
        double rate = sum[a] / draws, spread = sqrt(square[a] / draws - rate * rate);
        double grain = 1.0 / (double)(n + 1); /* p comes in these steps */
        double want = floor(alphas[a] / grain + 1e-9) * grain, error = 3.3 * spread / sqrt(draws);
        print_message("n %zu%s alpha %.2f: reachable %.3f, flagged %.3f +- %.3f\n", n,
                      texture ? " with texture" : "", alphas[a], want, rate, error);
        assert_true(fabs(rate - want) <= error + 0.004);
    }
}

static void false_alarms_are_as_asked(void **state)
{
    (void)state;
    false_alarms(19, 250, true);
    false_alarms(60, 120, true);
    false_alarms(60, 120, false);
    false_alarms(199, 40, true);
}

static void repeated_normals_count_once(void **state)
{
    (void)state;
    mp_why why;
    mp_rng r = {9};
    set normals = make(40, 0, &r), twice = make(80, 0, &r), judged = make(30, 0.3, &r);
    for (size_t i = 0; i < 80; i++) {
        memcpy(twice.look + i * LOOK, normals.look + i / 2 * LOOK, LOOK * sizeof(float));
        memcpy(twice.texture + i * TEXTURE, normals.texture + i / 2 * TEXTURE,
               TEXTURE * sizeof(float));
    }
    mp_odd_score a[30], b[30];
    const char *method;
    mp_odd_input in = input(&judged, &normals);
    assert_ok(mp_odd_run(&in, a, &method, &why));
    in = input(&judged, &twice);
    assert_ok(mp_odd_run(&in, b, &method, &why));
    assert_memory_equal(a, b, sizeof a);
    drop(&judged);
    drop(&twice);
    drop(&normals);
}

static void threads_do_not_show(void **state)
{
    (void)state;
    mp_why why;
    mp_rng r = {11};
    set normals = make(120, 0, &r), judged = make(90, 0.2, &r);
    mp_odd_score *a = mp_xcalloc(90, sizeof *a), *b = mp_xcalloc(90, sizeof *b);
    const char *method;
    for (int with = 0; with < 2; with++) {
        mp_odd_input in = input(&judged, with ? &normals : NULL);
        in.threads = 1;
        assert_ok(mp_odd_run(&in, a, &method, &why));
        in.threads = 7;
        assert_ok(mp_odd_run(&in, b, &method, &why));
        assert_memory_equal(a, b, 90 * sizeof *a);
    }
    free(b);
    free(a);
    drop(&judged);
    drop(&normals);
}

static void refuses_what_is_too_little_or_broken(void **state)
{
    (void)state;
    mp_why why;
    mp_rng r = {13};
    set normals = make(8, 0, &r), judged = make(3, 0, &r);
    mp_odd_score out[3];
    const char *method;
    mp_odd_input in = input(&judged, &normals);
    assert_ok(mp_odd_run(&in, out, &method, &why));
    in.n_normals = 7;
    assert_int_equal(mp_odd_run(&in, out, &method, &why), MP_INVALID);
    assert_null(method);
    in.n_normals = 8;
    memcpy(normals.look, normals.look + LOOK, LOOK * sizeof(float)); /* seven different ones */
    assert_int_equal(mp_odd_run(&in, out, &method, &why), MP_INVALID);
    in = input(&judged, NULL);
    assert_ok(mp_odd_run(&in, out, &method, &why));
    in.n = 2;
    assert_int_equal(mp_odd_run(&in, out, &method, &why), MP_INVALID);
    in.n = 0;
    assert_ok(mp_odd_run(&in, out, &method, &why));
    in.n = 3;
    judged.look[5] = NAN;
    assert_int_equal(mp_odd_run(&in, out, &method, &why), MP_INVALID);
    drop(&judged);
    drop(&normals);
}

static void all_alike_is_nobody_odd(void **state)
{
    (void)state;
    mp_why why;
    mp_rng r = {14};
    set s = make(5, 0, &r);
    mp_odd_score out[5];
    const char *method;
    for (size_t i = 1; i < 5; i++)
        memcpy(s.look + i * LOOK, s.look, LOOK * sizeof(float));
    mp_odd_input in = input(&s, NULL);
    assert_ok(mp_odd_run(&in, out, &method, &why));
    for (int i = 0; i < 5; i++)
        assert_true(out[i].score == 0 && out[i].p == 1 && !out[i].flagged);
    drop(&s);
}

typedef struct stopper {
    pthread_t caller;
    size_t calls, last, total, after;
    bool foreign;
} stopper;

static bool stop_after(void *context, size_t done, size_t total)
{
    stopper *s = context;
    s->foreign |= !pthread_equal(pthread_self(), s->caller);
    s->foreign |= done < s->last || done > total;
    s->last = done;
    s->total = total;
    return ++s->calls > s->after;
}

static void stops_when_asked(void **state)
{
    (void)state;
    mp_why why;
    mp_rng r = {15};
    set normals = make(100, 0, &r), judged = make(300, 0, &r);
    mp_odd_score *out = mp_xcalloc(300, sizeof *out);
    const char *method;
    stopper all = {.caller = pthread_self(), .after = SIZE_MAX};
    mp_odd_input in = input(&judged, &normals);
    in.threads = 3;
    in.stop = stop_after;
    in.stop_context = &all;
    assert_ok(mp_odd_run(&in, out, &method, &why));
    assert_false(all.foreign);
    for (size_t after = 0; after < 6; after++) {
        stopper s = {.caller = pthread_self(), .after = after};
        in.stop_context = &s;
        assert_int_equal(mp_odd_run(&in, out, &method, &why), MP_CANCELLED);
        assert_true(out[0].score == 0);
    }
    free(out);
    drop(&judged);
    drop(&normals);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_by_plain_definition),
        cmocka_unit_test(copies_of_an_odd_one_stay_odd),
        cmocka_unit_test(finds_strangers_among_normals),
        cmocka_unit_test(false_alarms_are_as_asked),
        cmocka_unit_test(repeated_normals_count_once),
        cmocka_unit_test(threads_do_not_show),
        cmocka_unit_test(refuses_what_is_too_little_or_broken),
        cmocka_unit_test(all_alike_is_nobody_odd),
        cmocka_unit_test(stops_when_asked),
    };
    return cmocka_run_group_tests_name("odd", tests, NULL, NULL);
}
