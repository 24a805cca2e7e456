/* gauges.c - GET /metrics: what was counted, and how things stand now. */
#include "http/recall.h"
#include "http/server.h"

#include "base/os.h"
#include "core/ports.h"
#include "meta/accounts.h"
#include "meta/jobs.h"

#include <math.h>
#include <stdlib.h>

static void head(mp_buf *out, const char *name, const char *help, const char *type)
{
    mp_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_caches(mp_service *s, mp_buf *out)
{
    const struct {
        const char *name;
        mp_cache_stats stats;
    } caches[] = {{"query_vectors", mp_core_word_cache(s->library)},
                  {"results", mp_cache_stats_get(s->results)}};
    const struct {
        const char *name, *help, *type;
    } families[] = {{"cache_hits_total", "Answers that were there already.", "counter"},
                    {"cache_misses_total", "Answers that had to be made.", "counter"},
                    {"cache_bytes", "What the cache holds.", "gauge"}};
    for (size_t f = 0; f < MP_COUNT(families); f++) {
        head(out, families[f].name, families[f].help, families[f].type);
        for (size_t i = 0; i < MP_COUNT(caches); i++) {
            const mp_cache_stats *c = &caches[i].stats;
            const uint64_t value[] = {c->hits, c->misses, c->bytes};
            mp_buf_printf(out, "%s{cache=\"%s\"} %llu\n", families[f].name, caches[i].name,
                          (unsigned long long)value[f]);
        }
    }
}

static void write_jobs(mp_service *s, mp_buf *out)
{
    mp_arena *arena = mp_arena_new(0);
    mp_job_count *list;
    size_t n;
    int64_t age_ms = 0;
    uint64_t waiting = 0;
    mp_meta *meta = mp_core_meta(s->library);
    if (mp_meta_count_jobs(meta, arena, &list, &n, NULL) == MP_OK &&
        mp_meta_oldest_job(meta, mp_now_ms(), &age_ms, NULL) == MP_OK) {
        head(out, "jobs", "Jobs by type and status.", "gauge");
        for (size_t i = 0; i < n; i++) {
            mp_buf_printf(out, "jobs{type=\"%s\",status=\"%s\"} %llu\n", list[i].type,
                          mp_job_status_word(list[i].status), (unsigned long long)list[i].n);
            waiting += list[i].status == MP_JOB_QUEUED ? list[i].n : 0;
        }
        mp_metrics_gauge(out, "job_queue_length", "Jobs that wait.", (double)waiting);
        mp_metrics_gauge(out, "job_queue_oldest_seconds", "For how long the first has been due.",
                         (double)age_ms / 1000);
    }
    mp_arena_free(arena);
}

static void write_library(mp_service *s, mp_buf *out)
{
    magpie_stats stats;
    uint64_t sessions = 0;
    if (magpie_get_stats(s->library, &stats, NULL) == MAGPIE_OK) {
        mp_metrics_gauge(out, "library_images", "Pictures.", (double)stats.items);
        mp_metrics_gauge(out, "library_vectors", "Vectors of the current model.",
                         (double)stats.vectors);
        head(out, "storage_bytes", "What is stored, by kind.", "gauge");
        mp_buf_printf(out,
                      "storage_bytes{kind=\"pictures\"} %llu\nstorage_bytes{kind=\"library\"} "
                      "%llu\nstorage_bytes{kind=\"thumbnails\"} %llu\n",
                      (unsigned long long)stats.bytes_pictures,
                      (unsigned long long)stats.bytes_library,
                      (unsigned long long)stats.bytes_thumbnails);
    }
    if (mp_meta_count_sessions(mp_core_meta(s->library), mp_now_ms(), &sessions, NULL) == MP_OK)
        mp_metrics_gauge(out, "active_sessions", "Sessions that are open.", (double)sessions);
}

void mp_handle_metrics(mp_request *r)
{
    mp_service *s = r->service;
    mp_buf out = {0};
    uint64_t samples;
    if (s->no_metrics) {
        mp_reply_problem(r, 404, "metrics are switched off here");
        return;
    }
    mp_metrics_write(s->metrics, &out);
    mp_metrics_gauge(&out, "http_requests_in_flight", "Requests being answered.",
                     atomic_load(&s->active));
    mp_metrics_gauge(&out, "http_work_queue_length", "Slow requests that wait for a worker.",
                     (double)mp_work_waiting(s->work));
    mp_metrics_gauge(&out, "http_streams", "Open streams of events.",
                     (double)mp_streams_count(s->streams));
    mp_metrics_gauge(&out, "database_connections",
                     "Connections to the database, busy ones by state.",
                     (double)mp_meta_connections(mp_core_meta(s->library)));
    if (s->otlp)
        mp_metrics_counter(&out, "otlp_spans_dropped_total", "Spans that no collector took.",
                           mp_otlp_dropped(s->otlp));
    double recall = mp_recall_mean(s->recall, &samples);
    if (samples)
        mp_metrics_gauge(&out, "ann_recall_at_10",
                         "Share of the ten nearest that live searches found.", recall);
    mp_metrics_counter(&out, "ann_recall_samples_total",
                       "Live searches that were asked again exactly.", samples);
    write_caches(s, &out);
    write_jobs(s, &out);
    write_library(s, &out);
    mp_reply_text(r, 200, "text/plain; version=0.0.4; charset=utf-8", (mp_str){out.p, out.n});
    mp_buf_free(&out);
}
