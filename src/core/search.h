/* search.h - what the files of magpie_search share.
 *
 * search.c            the call: checks, filter, the answer with its reasons and note
 * search_terms.c      terms to one query vector per space
 * search_words.c      words to vectors, remembered
 * search_candidates.c pictures that any part of the query brings up
 * search_score.c      one score per candidate, and the floor of its measure */
#ifndef MP_SEARCH_H
#define MP_SEARCH_H

#include "core/core.h"

enum { SEARCH_MAX_TERMS = 16 };

typedef struct mp_candidate {
    int64_t id;
    float look, word, words, aim; /* NAN: played no part */
    float score;
} mp_candidate;

typedef struct mp_search {
    magpie *m;
    const magpie_query *q;
    mp_model *model;
    const mp_model_info *info;
    size_t k;
    mp_chosen *chosen; /* the items of the filter; NULL: there is none */
    const mp_filter *filter;
    const int64_t *allow; /* their sorted ids; NULL: all items are meant */
    size_t n_allow;
    float *look, *word;             /* the query in each space; NULL: no such term */
    float *aim;                     /* the words in the COPY space; NULL: no such term */
    float look_weight, word_weight; /* sums of the positive weights */
    mp_text_info text;
    mp_buf words; /* of the positive text terms */
    mp_candidate *c;
    size_t n, cap;
    uint32_t *slot; /* hash of ids to candidates, from 1; 0: free */
    size_t n_slots;
    int64_t own[SEARCH_MAX_TERMS]; /* items used as terms: never results */
    size_t n_own;
    const char *measure;
    float floor;
} mp_search;

/* Words as vectors, made once: the same questions come again. The key is the model that is open
 * (never freed before the library is closed) and the text. */
MP_CHECK mp_err mp_search_encode_text(mp_search *s, const char *text, float *word_and_aim,
                                      mp_text_info *info, mp_why *why);
MP_CHECK mp_err mp_search_encode_sentence(mp_search *s, mp_str text, float *out, mp_why *why);
/* Fills look, word, aim, words and their weights. */
MP_CHECK mp_err mp_search_terms(mp_search *s, mp_why *why);
/* Fills c with every candidate and its parts. */
MP_CHECK mp_err mp_search_candidates(mp_search *s, mp_why *why);
/* Fills measure, floor and every candidate's score. */
MP_CHECK mp_err mp_search_score(mp_search *s, mp_why *why);

/* What a candidate's own words say, 0..1; from `mp_search_words_floor` on they convince alone. */
float mp_search_words_part(const mp_candidate *c);
extern const float mp_search_words_floor;
/* How far the query's length scales a space's cosines: the score is the weighted mean of those of
 * the terms. */
float mp_search_scale(const float *query, int dims, float weight);
float mp_search_length(const float *v, int dims);

#endif
