/* odds.h - which pictures are odd, by request. Inside the http room.
 *
 * All are judged at once, and what was found stays in bounded memory under all that it depends on
 * (the question, what may be seen, the state of the library, the model), so that further pages and
 * other rates of false alarms judge nothing anew. */
#ifndef MP_HTTP_ODDS_H
#define MP_HTTP_ODDS_H

#include "http/message.h"

typedef struct mp_odd_row {
    int64_t id;
    double p;             /* conformal p-value */
    float score, nearest; /* as magpie_odd */
} mp_odd_row;

typedef struct mp_odd_list {
    const mp_odd_row *row; /* oddest first; in the request's arena */
    size_t n, n_normals;
    const char *method; /* as magpie_odds */
    double seconds;     /* that judging them took */
} mp_odd_list;

/* `where` and `normals` (NULL: each against all others) are scopes already. Errors: those of
 * magpie_odd_ones. */
MP_CHECK mp_err mp_odds_find(mp_request *r, const char *where, const char *normals,
                             mp_odd_list *out, mp_why *why);

#endif
