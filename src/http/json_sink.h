/* json_sink.h - one description of a thing as JSON, taken down as a tree or at once as text. Inside
 * the http room.
 *
 * A tree can be put into others and be added to; text costs a quarter of it, which counts where an
 * answer is a list of such things. Who describes does not know which it is:
 *
 *     mp_sink_object(s, "size");  mp_sink_integer(s, "width", 3);  mp_sink_end(s);
 *
 * Members have a key that needs no escapes; what is outermost or in an array has NULL. A sink
 * belongs to one thread. */
#ifndef MP_HTTP_JSON_SINK_H
#define MP_HTTP_JSON_SINK_H

#include "base/base.h"

#include <jansson.h>

enum { MP_SINK_DEPTH = 8 }; /* of objects and arrays within each other */

typedef struct mp_sink {
    mp_buf *text;                /* borrowed; NULL: a tree is made */
    json_t *open[MP_SINK_DEPTH]; /* of the tree; [0] is owned until mp_sink_tree */
    char closing[MP_SINK_DEPTH]; /* of the text: '}' or ']' */
    size_t depth;
    bool any; /* the open one has a member already */
} mp_sink;

/* Appends to `out`, which outlives the sink. */
mp_sink mp_sink_to_text(mp_buf *out);
mp_sink mp_sink_to_tree(void);
/* What was taken down, the caller's now; all that was opened has been ended. */
json_t *mp_sink_tree(mp_sink *s);

void mp_sink_object(mp_sink *s, const char *key);
void mp_sink_array(mp_sink *s, const char *key);
void mp_sink_end(mp_sink *s); /* of the object or array that was opened last */

/* What is not UTF-8 is replaced, byte by byte; NULL becomes null. */
void mp_sink_text(mp_sink *s, const char *key, const char *text);
void mp_sink_integer(mp_sink *s, const char *key, int64_t x);
void mp_sink_real(mp_sink *s, const char *key, double x); /* null when it is not finite */
void mp_sink_bool(mp_sink *s, const char *key, bool x);

#endif
