/* timing.h - repeated timings as JSON: each bench prints one object. */
#ifndef MP_TIMING_H
#define MP_TIMING_H

#include "base/os.h"
#include "simd/cpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct timing {
    double *ms;
    size_t n, cap;
} timing;

static inline void timing_add(timing *t, double ms)
{
    if (t->n == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 64;
        t->ms = mp_xrealloc(t->ms, t->cap * sizeof *t->ms);
    }
    t->ms[t->n++] = ms;
}

static inline int timing_order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The value below which `share` of the runs lie. */
static inline double timing_quantile(timing *t, double share)
{
    if (!t->n)
        return 0;
    qsort(t->ms, t->n, sizeof *t->ms, timing_order);
    return t->ms[(size_t)(share * (double)(t->n - 1))];
}

/* "name": {"median_ms", "q1_ms", "q3_ms", "runs"}, with a comma before all but the first. */
static inline void timing_print(const char *name, timing *t, bool first)
{
    printf("%s\n  \"%s\": {\"median_ms\": %.4f, \"q1_ms\": %.4f, \"q3_ms\": %.4f, \"runs\": %zu}",
           first ? "" : ",", name, timing_quantile(t, 0.5), timing_quantile(t, 0.25),
           timing_quantile(t, 0.75), t->n);
    free(t->ms);
    *t = (timing){0};
}

static inline void timing_machine(void)
{
    char line[300], model[200] = "unknown";
    FILE *f = fopen("/proc/cpuinfo", "re");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "model name : %199[^\n]", model) == 1)
            break;
    if (f)
        fclose(f);
    printf("\"machine\": {\"cpu\": \"%s\", \"cores\": %d, \"isa\": \"%s\"}", model, mp_cpu_count(),
           mp_isa_word(mp_simd_isa()));
}

#endif
