/* notes.h - what the handlers of projects and assets share: numbers in paths, cursors, JSON objects
 * that are kept as they came, and the note in the audit log. Inside the http room. */
#ifndef MP_HTTP_NOTES_H
#define MP_HTTP_NOTES_H

#include "http/message.h"

enum { MP_OBJECT_BYTES = 64 * 1024 };

/* The positive number that a path's parameter is; else false with a 404 made. */
bool mp_path_number(mp_request *r, const char *text, const char *what, int64_t *out);
/* ?cursor=: the number after which a page begins; 0 when there is none. 422. */
bool mp_query_cursor(mp_request *r, int64_t *out);
/* The cursor of the page after this number; JSON null when there is no such page. */
json_t *mp_next_cursor(mp_request *r, bool more, int64_t last);
/* A name that a list can show: not blank, no control characters. 422. */
bool mp_name_fine(mp_request *r, const char *name);
/* A member of the body that is an object, as compact text in the request's arena; NULL when it is
 * absent. 422 over MP_OBJECT_BYTES. */
bool mp_body_object(mp_request *r, const char *name, const char **out);
/* The same for text that holds one; `name` is for the words of the refusal. 422. */
bool mp_text_object(mp_request *r, const char *name, const char *text, const char **out);
/* "{}" when it cannot be read. */
json_t *mp_object_json(const char *text);
/* Names come from files: what is not ASCII in one that is not UTF-8 is replaced. */
json_t *mp_loose_text(const char *text);
/* The last part of a path, as browsers and other systems send it, cut to 255 bytes from its end,
 * which holds the extension, without control characters; `otherwise` when nothing is left. */
const char *mp_file_name(mp_request *r, const char *path, const char *otherwise);
/* Two texts as one, however long; in the request's arena. */
const char *mp_joined_text(mp_request *r, const char *a, const char *b);
/* Writes who did what, from where, into the audit log. The change is committed already: a failure
 * is logged, not answered. */
void mp_note_change(mp_request *r, const char *action, const char *format, ...) MP_PRINTF(3, 4);

#endif
