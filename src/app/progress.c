/* progress.c - see progress.h. */
#include "app/progress.h"

#include "app/stop.h"
#include "base/os.h"

#include <string.h>

static const double REDRAW_S = 0.1;
enum { BAR = 24 };

static const struct {
    const char *stage, *words;
} stages[] = {
    {"scan", "looking"},      {"add", "adding"},
    {"index", "indexing"},    {"compare", "comparing"},
    {"layout", "laying out"}, {"encode", "encoding"},
    {"verify", "checking"},   {"thumbnails", "thumbnails"},
    {"fetch", "fetching"},
};

static const char *words_of(const char *stage)
{
    for (size_t i = 0; i < MP_COUNT(stages); i++)
        if (strcmp(stages[i].stage, stage) == 0)
            return stages[i].words;
    return stage;
}

progress progress_start(mp_app *app, const char *unit)
{
    return (progress){.app = app, .unit = unit};
}

static void draw_bar(mp_buf *out, double part, bool utf8)
{
    int full = (int)(part * BAR);
    mp_buf_str(out, utf8 ? "" : "[");
    for (int i = 0; i < BAR; i++)
        mp_buf_str(out, utf8 ? (i < full ? "\xE2\x96\x88" : "\xE2\x96\x91") : i < full ? "#" : "-");
    mp_buf_str(out, utf8 ? " " : "] ");
}

static bool in_bytes(const progress *p)
{
    return strcmp(p->unit, PROGRESS_BYTES) == 0;
}

static char *amount(char out[TEXT_SMALL], const progress *p, uint64_t n)
{
    return in_bytes(p) ? text_size(out, (double)n) : text_count(out, n);
}

void progress_line(mp_buf *out, const progress *p, const magpie_progress *now, int columns,
                   bool utf8)
{
    char a[TEXT_SMALL], b[TEXT_SMALL];
    double spent = now->elapsed_s - p->stage_began;
    double rate = spent > 0.2 ? (double)(now->done - p->stage_done) / spent : 0;
    mp_buf_printf(out, "%s ", words_of(now->stage));
    if (now->total && columns >= 100)
        draw_bar(out, (double)MP_MIN(now->done, now->total) / (double)now->total, utf8);
    mp_buf_str(out, amount(a, p, now->done));
    if (now->total)
        mp_buf_printf(out, "/%s %d %%", amount(b, p, now->total),
                      (int)(100.0 * (double)now->done / (double)now->total));
    if (rate > 0 && in_bytes(p))
        mp_buf_printf(out, "  %s/s", text_size(a, rate));
    else if (rate > 0)
        mp_buf_printf(out, rate < 10 ? "  %.1f %s/s" : "  %.0f %s/s", rate, p->unit);
    if (rate > 0 && now->bytes)
        mp_buf_printf(out, "  %.1f MB/s", (double)now->bytes / 1048576.0 / spent);
    if (rate > 0 && now->total > now->done)
        mp_buf_printf(out, "  %s left", text_span(b, (double)(now->total - now->done) / rate));
}

bool progress_tick(void *context, const magpie_progress *now)
{
    progress *p = context;
    double t = mp_monotonic_s();
    if (strncmp(p->stage, now->stage, sizeof p->stage - 1) != 0) {
        snprintf(p->stage, sizeof p->stage, "%s", now->stage);
        p->stage_began = now->elapsed_s;
        p->stage_done = now->done;
    }
    p->last_done = now->done;
    p->last_bytes = now->bytes;
    if (p->app->err.tty && !p->app->quiet && t - p->drawn_at >= REDRAW_S) {
        mp_buf line = {0}, fit = {0};
        int columns = term_width(&p->app->err);
        progress_line(&line, p, now, columns, p->app->err.utf8);
        text_clip(&fit, line.p, columns - 1, "");
        fprintf(stderr, "\r\033[K%s", fit.p ? fit.p : "");
        fflush(stderr);
        mp_buf_free(&line);
        mp_buf_free(&fit);
        p->drawn_at = t;
        p->shown = true;
    }
    return stop_asked();
}

void progress_clear(progress *p)
{
    if (!p->shown)
        return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    p->shown = false;
    p->drawn_at = 0;
}
