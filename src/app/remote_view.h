/* remote_view.h - a service's resources on a terminal: lists as tables, one as lines, driven by the
 * names of their members. With --json the resource itself stands below a name. */
#ifndef MP_APP_REMOTE_VIEW_H
#define MP_APP_REMOTE_VIEW_H

#include "app/remote.h"

typedef struct remote_column {
    column shape;
    const char *member; /* "progress.done": of an object in it */
} remote_column;

enum { REMOTE_COLUMNS = 12 };

/* {"command", "format", "action", NAME: value} with --json, else a table of the array. Takes the
 * reference. */
void remote_show_list(mp_app *app, const char *action, const char *name, json_t *list,
                      const remote_column *columns, size_t n);
/* The same for one object: each member that says something is a line. Takes the reference. */
void remote_show_one(mp_app *app, const char *action, const char *name, json_t *object);
/* With --json {"action", "id"}; else the words, unless --quiet. */
void remote_show_done(mp_app *app, const char *action, int64_t id, const char *words);

/* A command of several actions. */
typedef struct remote_action {
    const char *word;
    int (*run)(remote *r, int64_t id);
    bool wants_id;      /* the operand behind the word; else 0 */
    size_t least, most; /* operands behind the word, the id among them */
} remote_action;
/* Runs the action that the first operand names, the first of the list when there is none. */
int remote_act(mp_app *app, const remote_action *actions, size_t n);

#endif
