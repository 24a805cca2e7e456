/* job_logs.c - what a job says while it runs: as a page, or as a stream that ends with the job. */
#include "http/items.h"
#include "http/jobs.h"
#include "http/server.h"
#include "http/stream.h"

#include "core/ports.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE = 500 };

static json_t *line_json(const mp_job_line *line)
{
    json_t *text = json_string(line->text);
    return json_pack("{s:I, s:o, s:s, s:o}", "id", (json_int_t)line->id, "at",
                     mp_time_json(line->at_ms), "level", line->level, "text",
                     text ? text : json_string(""));
}

typedef struct follower {
    mp_meta *meta;
    int64_t job_id, after;
    mp_job_status status;
    int64_t done, total;
} follower;

static void tell(mp_buf *out, int64_t id, const char *type, json_t *data)
{
    char *text = json_dumps(data, JSON_COMPACT);
    if (text)
        mp_stream_event(out, id, type, text);
    free(text);
    json_decref(data);
}

/* Lines as "log", changes of state as "status"; the stream ends with the job. */
static bool follow(void *context, mp_buf *out)
{
    follower *f = context;
    mp_job job;
    mp_job_line *lines = NULL;
    size_t n = 0;
    mp_arena *arena = mp_arena_new(0);
    /* The state first: what is logged before the end is there when the end is seen. */
    mp_err err = mp_meta_get_job(f->meta, f->job_id, arena, &job, NULL);
    if (!err)
        err = mp_meta_list_job_log(f->meta, f->job_id, f->after, PAGE, arena, &lines, &n, NULL);
    for (size_t i = 0; !err && i < n; i++) {
        tell(out, lines[i].id, "log", line_json(&lines[i]));
        f->after = lines[i].id;
    }
    bool ended = err == MP_NOT_FOUND || (!err && n < PAGE && job.status != MP_JOB_QUEUED &&
                                         job.status != MP_JOB_PROCESSING);
    if (!err && (job.status != f->status || job.progress_done != f->done ||
                 job.progress_total != f->total)) {
        f->status = job.status;
        f->done = job.progress_done;
        f->total = job.progress_total;
        tell(out, 0, "status",
             json_pack("{s:s, s:I, s:I}", "status", mp_job_status_word(job.status), "done",
                       (json_int_t)job.progress_done, "total", (json_int_t)job.progress_total));
    }
    mp_arena_free(arena);
    return !ended;
}

static bool wants_stream(const mp_request *r)
{
    const char *accept = mp_request_header(r, "Accept");
    return accept && strstr(accept, "text/event-stream");
}

void mp_handle_job_logs(mp_request *r)
{
    mp_job job;
    mp_job_line *lines;
    size_t n;
    mp_why why = {0};
    long long after, limit;
    const char *last = mp_request_header(r, "Last-Event-ID");
    if (!mp_request_number(r, "after", 0, INT64_MAX, last ? strtoll(last, NULL, 10) : 0, &after) ||
        !mp_request_number(r, "limit", 1, 1000, 1000, &limit) || !mp_job_asked(r, false, &job))
        return;
    mp_meta *meta = mp_core_meta(r->service->library);
    if (wants_stream(r)) {
        follower *f = mp_xcalloc(1, sizeof *f);
        *f = (follower){.meta = meta, .job_id = job.id, .after = MP_MAX(after, 0)};
        (void)mp_reply_stream(r, follow, f, free);
        return;
    }
    mp_err err =
        mp_meta_list_job_log(meta, job.id, after, (size_t)limit, r->arena, &lines, &n, &why);
    if (err) {
        mp_reply_failure(r, err, &why);
        return;
    }
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(rows, line_json(&lines[i]));
    mp_reply_json(r, 200,
                  json_pack("{s:o, s:s}", "logs", rows, "status", mp_job_status_word(job.status)));
}
