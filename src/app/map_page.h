/* map_page.h - a map as a self-contained page: dots, a thumbnail under the pointer, zoom and (in
 * three dimensions) turning. Without scripts the dots and their names remain. */
#ifndef MP_APP_MAP_PAGE_H
#define MP_APP_MAP_PAGE_H

#include "app/app.h"

typedef struct map_row {
    magpie_point at;
    char *path, *name; /* owned by the row's maker */
} map_row;

/* At most `thumbnails` pictures are embedded, evenly spread over the rows. Returns the exit code.
 */
int map_page(mp_app *app, const char *path, const map_row *rows, size_t n, int dims,
             size_t thumbnails);

#endif
