/* html.h - contact sheets: one self-contained page of pictures with scores and reasons.
 *
 * Thumbnails are data URIs; no script, no network, light and dark by the viewer's wish. Every text
 * is escaped here. The page appears under its name only when whole. One thread. */
#ifndef MP_APP_HTML_H
#define MP_APP_HTML_H

#include "app/app.h"
#include "app/outfile.h"

typedef struct html {
    mp_app *app;
    outfile file;
    bool in_section, in_groups, in_grid;
    size_t pictures; /* embedded so far */
} html;

enum { HTML_MAX_PICTURES = 1000 }; /* about 10 KB each; further cards have words alone */

typedef enum html_tone { HTML_PLAIN, HTML_GOOD, HTML_BAD } html_tone;

typedef struct html_card {
    int64_t id; /* its thumbnail is shown, unless `picture` is given */
    const char *path, *name;
    const char *badge;  /* "keep", "odd"; NULL: none */
    html_tone tone;     /* of the badge and the frame */
    const char *score;  /* "0.812" */
    const char *reason; /* one line; NULL or "": none */
    const uint8_t *picture;
    size_t picture_n;
    const char *mime; /* of `picture` */
} html_card;

MP_CHECK mp_err html_open(html *h, mp_app *app, const char *path, const char *title, mp_why *why);
void html_section(html *h, const char *title, const char *intro); /* ends the one before */
void html_group(html *h, const char *title); /* cards that belong together; ends the last */
void html_note(html *h, const char *text);
void html_add(html *h, const html_card *card); /* begins a grid where there is none */
MP_CHECK mp_err html_commit(html *h, mp_why *why);
void html_abandon(html *h);

#endif
