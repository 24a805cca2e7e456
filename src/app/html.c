/* html.c - see html.h. */
#include "app/html.h"

#include <string.h>

static const char STYLE[] =
    ":root{color-scheme:light dark;--bg:#fafaf8;--card:#fff;--text:#1d1f21;--dim:#6a6f76;"
    "--line:#dddcd6;--good:#1a7f45;--bad:#b3362b;--shade:#ecebe6}"
    "@media(prefers-color-scheme:dark){:root{--bg:#17181a;--card:#212327;--text:#e6e6e3;"
    "--dim:#9aa0a8;--line:#34373d;--good:#58c98a;--bad:#f07b6d;--shade:#2a2d32}}"
    "*{box-sizing:border-box}body{margin:0 auto;max-width:1280px;padding:1.5rem;background:"
    "var(--bg);color:var(--text);font:15px/1.45 system-ui,sans-serif}"
    "h1{font-size:1.6rem;margin:.2rem 0 1rem}h2{font-size:1.2rem;margin:2.2rem 0 .2rem;"
    "border-top:1px solid var(--line);padding-top:1.2rem}h3{font-size:1rem;margin:1.2rem 0 .4rem}"
    "p{margin:.2rem 0 .8rem;color:var(--dim)}"
    ".grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(165px,1fr));gap:.8rem}"
    ".groups{display:flex;flex-wrap:wrap;gap:0 1.6rem}.group .grid{display:flex;flex-wrap:wrap}"
    ".group figure{width:165px}"
    "figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:8px;"
    "overflow:hidden;display:flex;flex-direction:column}"
    "figure.good{border-color:var(--good)}figure.bad{border-color:var(--bad)}"
    ".pic{background:var(--shade);aspect-ratio:1;position:relative;display:flex;align-items:center;"
    "justify-content:center;color:var(--dim)}"
    ".pic img{position:absolute;inset:0;width:100%;height:100%;object-fit:contain}"
    "figcaption{padding:.5rem .6rem .6rem;font-size:.82rem;overflow-wrap:anywhere}"
    ".top{display:flex;justify-content:space-between;gap:.5rem;font-variant-numeric:tabular-nums}"
    ".score{font-weight:600}"
    ".name{display:-webkit-box;-webkit-line-clamp:2;-webkit-box-orient:"
    "vertical;overflow:hidden}"
    ".why{display:block;color:var(--dim)}"
    ".badge{font-weight:600;font-size:.75rem;border-radius:4px;padding:0 .35rem;"
    "border:1px solid currentColor}.good .badge{color:var(--good)}.bad .badge{color:var(--bad)}"
    "footer{margin-top:2.5rem;color:var(--dim);font-size:.8rem}";

static void put(html *h, const char *text)
{
    fputs(text, h->file.to);
}

static void put_escaped(html *h, const char *text)
{
    mp_buf b = {0};
    text_for_html(&b, text);
    put(h, b.p ? b.p : "");
    mp_buf_free(&b);
}

static void put_element(html *h, const char *tag, const char *text)
{
    fprintf(h->file.to, "<%s>", tag);
    put_escaped(h, text);
    fprintf(h->file.to, "</%s>\n", tag);
}

mp_err html_open(html *h, mp_app *app, const char *path, const char *title, mp_why *why)
{
    *h = (html){.app = app};
    mp_err err = outfile_open(&h->file, path, why);
    if (err)
        return err;
    put(h, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
           "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
           "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
           "img-src data:; style-src 'unsafe-inline'\">\n");
    put_element(h, "title", title);
    put(h, "<style>");
    put(h, STYLE);
    put(h, "</style></head><body>\n");
    put_element(h, "h1", title);
    return MP_OK;
}

static void end_grid(html *h)
{
    if (h->in_grid)
        put(h, "</div>\n");
    h->in_grid = false;
}

static void end_groups(html *h)
{
    end_grid(h);
    if (h->in_groups)
        put(h, "</div></div>\n");
    h->in_groups = false;
}

static void end_section(html *h)
{
    end_groups(h);
    if (h->in_section)
        put(h, "</section>\n");
    h->in_section = false;
}

void html_section(html *h, const char *title, const char *intro)
{
    end_section(h);
    put(h, "<section>");
    put_element(h, "h2", title);
    if (intro && *intro)
        put_element(h, "p", intro);
    h->in_section = true;
}

void html_group(html *h, const char *title)
{
    end_grid(h);
    put(h, h->in_groups ? "</div>\n<div class=\"group\">"
                        : "<div class=\"groups\">\n<div class=\"group\">");
    put_element(h, "h3", title);
    h->in_groups = true;
}

void html_note(html *h, const char *text)
{
    end_groups(h);
    put_element(h, "p", text);
}

static void put_picture(html *h, const html_card *c)
{
    uint8_t *thumbnail = NULL;
    const uint8_t *data = c->picture;
    size_t n = c->picture_n;
    const char *mime = c->mime;
    if (!data && h->pictures < HTML_MAX_PICTURES &&
        magpie_thumbnail(h->app->library, c->id, 256, &thumbnail, &n, NULL) == MAGPIE_OK) {
        data = thumbnail;
        mime = "image/webp";
    }
    put(h, "<div class=\"pic\">");
    if (data) {
        mp_buf b = {0};
        text_base64(&b, data, n);
        fprintf(h->file.to, "<img loading=\"lazy\" alt=\"\" src=\"data:%s;base64,", mime);
        fwrite(b.p, 1, b.n, h->file.to);
        put(h, "\">");
        mp_buf_free(&b);
        h->pictures++;
    } else {
        put(h, h->pictures < HTML_MAX_PICTURES ? "no picture" : "not embedded");
    }
    put(h, "</div>");
    magpie_free(thumbnail);
}

void html_add(html *h, const html_card *c)
{
    static const char *const classes[] = {"", " class=\"good\"", " class=\"bad\""};
    if (!h->in_grid)
        put(h, "<div class=\"grid\">\n");
    h->in_grid = true;
    fprintf(h->file.to, "<figure%s title=\"", classes[c->tone]);
    put_escaped(h, app_label(c->path, c->name));
    put(h, "\">");
    put_picture(h, c);
    fprintf(h->file.to, "<figcaption><span class=\"top\"><span>#%lld</span>", (long long)c->id);
    if (c->badge) {
        put(h, "<span class=\"badge\">");
        put_escaped(h, c->badge);
        put(h, "</span>");
    }
    if (c->score) {
        put(h, "<span class=\"score\">");
        put_escaped(h, c->score);
        put(h, "</span>");
    }
    put(h, "</span><span class=\"name\">");
    put_escaped(h, c->name);
    put(h, "</span>");
    if (c->reason && *c->reason) {
        put(h, "<span class=\"why\">");
        put_escaped(h, c->reason);
        put(h, "</span>");
    }
    put(h, "</figcaption></figure>\n");
}

mp_err html_commit(html *h, mp_why *why)
{
    end_section(h);
    put(h, "<footer>");
    put_escaped(h, "Made by magpie " MAGPIE_VERSION " from ");
    put_escaped(h, magpie_path(h->app->library));
    put(h, "</footer>\n</body></html>\n");
    return outfile_commit(&h->file, why);
}

void html_abandon(html *h)
{
    outfile_abandon(&h->file);
}
