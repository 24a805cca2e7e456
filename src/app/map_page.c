/* map_page.c - see map_page.h. Dots are coloured by the folder that their pictures lie in. */
#include "app/map_page.h"

#include "app/outfile.h"

#include <stdlib.h>
#include <string.h>

enum { HUES = 10, MAX_DOTS = 20000 };

static const char *const hues[HUES] = {"#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#b07aa1",
                                       "#76b7b2", "#edc948", "#ff9da7", "#9c755f", "#8a8a8a"};

static const char HEAD[] =
    "<style>:root{color-scheme:light dark;--bg:#fafaf8;--text:#1d1f21;--dim:#6a6f76;--card:#fff;"
    "--line:#dddcd6}@media(prefers-color-scheme:dark){:root{--bg:#17181a;--text:#e6e6e3;--dim:"
    "#9aa0a8;--card:#212327;--line:#34373d}}body{margin:0;background:var(--bg);color:var(--text);"
    "font:14px/1.4 system-ui,sans-serif}header{padding:.8rem 1rem}h1{font-size:1.2rem;margin:0}"
    "header p{margin:.2rem 0;color:var(--dim)}.key{margin-right:.9rem;white-space:nowrap}"
    ".key i{display:inline-block;width:.7em;height:.7em;border-radius:50%;margin-right:.3em}"
    "svg{display:block;width:100vw;height:calc(100vh - 7rem);touch-action:none}"
    "circle{opacity:.85;cursor:pointer}circle:hover{stroke:var(--text);stroke-width:.004}"
    "#tip{position:fixed;display:none;pointer-events:none;background:var(--card);border:1px solid "
    "var(--line);border-radius:8px;padding:.4rem;max-width:272px;overflow-wrap:anywhere}"
    "#tip img{display:block;max-width:256px;max-height:256px;margin-bottom:.3rem}</style>\n";

/* Only moves and shows what is in the page; names go in as text, never as markup. */
static const char SCRIPT[] =
    "<script>(function(){'use strict';var s=document.getElementById('m'),t=document."
    "getElementById('tip'),i=t.querySelector('img'),n=t.querySelector('span'),d=JSON.parse("
    "document.getElementById('d').textContent),c=[].slice.call(s.querySelectorAll('circle')),"
    "v=[-1.08,-1.08,2.16,2.16],a=0,b=0,p=null;"
    "function view(){s.setAttribute('viewBox',v.join(' '));var r=.011*v[2]/2.16;"
    "c.forEach(function(e){e.setAttribute('r',r)})}"
    "function turn(){var ca=Math.cos(a),sa=Math.sin(a),cb=Math.cos(b),sb=Math.sin(b);"
    "c.forEach(function(e,k){var q=d.points[k],x=q[0]*ca+q[2]*sa,z=q[2]*ca-q[0]*sa,"
    "y=q[1]*cb-z*sb;z=q[1]*sb+z*cb;e.setAttribute('cx',x);e.setAttribute('cy',-y);"
    "e.style.opacity=.45+.25*(z+1)})}"
    "s.addEventListener('wheel',function(e){e.preventDefault();var k=e.deltaY>0?1.15:1/1.15,"
    "r=s.getBoundingClientRect(),m=Math.min(r.width,r.height),x=v[0]+v[2]/2+(e.clientX-r.left-"
    "r.width/2)/m*v[2],y=v[1]+v[3]/2+(e.clientY-r.top-r.height/2)/m*v[3];v=[x-(x-v[0])*k,"
    "y-(y-v[1])*k,v[2]*k,v[3]*k];view()},{passive:false});"
    "s.addEventListener('pointerdown',function(e){p=[e.clientX,e.clientY]});"
    "window.addEventListener('pointerup',function(){p=null});"
    "s.addEventListener('pointermove',function(e){if(p){var r=s.getBoundingClientRect(),"
    "m=Math.min(r.width,r.height),x=e.clientX-p[0],y=e.clientY-p[1];p=[e.clientX,e.clientY];"
    "if(d.dims===3){a+=x/200;b+=y/200;turn()}else{v[0]-=x/m*v[2];v[1]-=y/m*v[3];view()}}"
    "var k=c.indexOf(e.target);if(k<0){t.style.display='none';return}"
    "var q=d.points[k];n.textContent='#'+q[3]+' '+q[4];if(q[5]>=0){i.src='data:image/webp;base64,'"
    "+d.pictures[q[5]];i.style.display='block'}else{i.style.display='none'}"
    "t.style.display='block';t.style.left=Math.min(e.clientX+14,innerWidth-290)+'px';"
    "t.style.top=Math.min(e.clientY+14,innerHeight-320)+'px'});view();if(d.dims===3)turn();"
    "c.forEach(function(e){var x=e.querySelector('title');if(x)x.remove()})})()</script>\n";

typedef struct page {
    mp_app *app;
    outfile file;
    const map_row *rows;
    size_t n;
    int dims;
    char *folders[HUES - 1]; /* the first that are met get colours of their own */
    size_t n_folders;
} page;

static void escaped(page *p, const char *text)
{
    mp_buf b = {0};
    text_for_html(&b, text);
    fputs(b.p, p->file.to);
    mp_buf_free(&b);
}

static size_t hue_of(page *p, const char *path)
{
    char *folder = mp_xstrdup(path);
    char *slash = strrchr(folder, '/');
    if (slash)
        *slash = '\0';
    else
        *folder = '\0';
    slash = strrchr(folder, '/');
    const char *name = slash ? slash + 1 : folder;
    size_t i = 0;
    while (i < p->n_folders && strcmp(p->folders[i], name) != 0)
        i++;
    if (i == p->n_folders && i < HUES - 1)
        p->folders[p->n_folders++] = mp_xstrdup(name);
    free(folder);
    return i;
}

static void put_dots(page *p)
{
    fputs("<svg id=\"m\" viewBox=\"-1.08 -1.08 2.16 2.16\">\n", p->file.to);
    for (size_t i = 0; i < p->n; i++) {
        const map_row *r = &p->rows[i];
        fprintf(p->file.to, "<circle cx=\"%.4f\" cy=\"%.4f\" r=\".011\" fill=\"%s\"><title>#%lld ",
                (double)r->at.x, -(double)r->at.y, hues[hue_of(p, r->path)], (long long)r->at.id);
        escaped(p, r->name);
        fputs("</title></circle>\n", p->file.to);
    }
    fputs("</svg>\n", p->file.to);
}

static void put_keys(page *p)
{
    fputs("<header><h1>Map</h1><p>", p->file.to);
    fprintf(p->file.to, "%zu pictures; near means alike. ", p->n);
    fputs(p->dims == 3 ? "Drag to turn, wheel to zoom." : "Drag to move, wheel to zoom.",
          p->file.to);
    fputs("</p><p>", p->file.to);
    for (size_t i = 0; i < p->n_folders; i++) {
        fprintf(p->file.to, "<span class=\"key\"><i style=\"background:%s\"></i>", hues[i]);
        escaped(p, *p->folders[i] ? p->folders[i] : "(no folder)");
        fputs("</span> ", p->file.to);
    }
    if (p->n_folders == HUES - 1)
        fprintf(p->file.to,
                "<span class=\"key\"><i style=\"background:%s\"></i>other folders</span>",
                hues[HUES - 1]);
    fputs("</p></header>\n", p->file.to);
}

/* A JSON string that may stand inside a script element: "</" cannot occur. */
static void put_string(page *p, const char *text)
{
    json_t *s = json_text(text);
    char *out = json_dumps(s, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
    for (const char *c = out; c && *c; c++) {
        if (*c == '<')
            fputs("\\u003c", p->file.to);
        else
            fputc(*c, p->file.to);
    }
    free(out);
    json_decref(s);
}

/* Is row i one of `want` rows spread evenly over all? */
static bool is_picked(size_t i, size_t n, size_t want)
{
    return (i + 1) * want / n > i * want / n;
}

static void put_data(page *p, size_t thumbnails)
{
    FILE *to = p->file.to;
    long picture = 0;
    size_t want = MP_MIN(thumbnails, p->n);
    mp_buf pictures = {0};
    fprintf(to, "<script type=\"application/json\" id=\"d\">{\"dims\":%d,\"points\":[", p->dims);
    for (size_t i = 0; i < p->n; i++) {
        const map_row *r = &p->rows[i];
        uint8_t *data = NULL;
        size_t n = 0;
        bool has = is_picked(i, p->n, want) &&
                   magpie_thumbnail(p->app->library, r->at.id, 256, &data, &n, NULL) == MAGPIE_OK;
        if (has) {
            mp_buf_str(&pictures, picture ? ",\"" : "\"");
            text_base64(&pictures, data, n);
            mp_buf_str(&pictures, "\"");
        }
        fprintf(to, "%s[%.4f,%.4f,%.4f,%lld,", i ? "," : "", (double)r->at.x, (double)r->at.y,
                (double)r->at.z, (long long)r->at.id);
        put_string(p, r->name);
        fprintf(to, ",%ld]", has ? picture++ : -1);
        magpie_free(data);
    }
    fputs("],\"pictures\":[", to);
    if (pictures.n)
        fwrite(pictures.p, 1, pictures.n, to);
    fputs("]}</script>\n", to);
    mp_buf_free(&pictures);
}

int map_page(mp_app *app, const char *path, const map_row *rows, size_t n, int dims,
             size_t thumbnails)
{
    page p = {.app = app, .rows = rows, .n = MP_MIN(n, (size_t)MAX_DOTS), .dims = dims};
    mp_why why = {0};
    mp_err err = outfile_open(&p.file, path, &why);
    if (!err) {
        for (size_t i = 0; i < p.n; i++)
            hue_of(&p, rows[i].path);
        fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta "
              "http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
              "style-src 'unsafe-inline'; script-src 'unsafe-inline'\"><title>Map</title>\n",
              p.file.to);
        fputs(HEAD, p.file.to);
        fputs("</head><body>\n", p.file.to);
        put_keys(&p);
        put_dots(&p);
        fputs("<div id=\"tip\"><img alt=\"\"><span></span></div>\n", p.file.to);
        put_data(&p, thumbnails);
        fputs(SCRIPT, p.file.to);
        fputs("</body></html>\n", p.file.to);
        err = outfile_commit(&p.file, &why);
    }
    for (size_t i = 0; i < p.n_folders; i++)
        free(p.folders[i]);
    if (!err && p.n < n)
        app_note(app, PAINT_WARN, "the page shows the first %zu of %zu pictures", p.n, n);
    return err ? app_fail_inner(app, err, &why) : EXIT_DONE;
}
