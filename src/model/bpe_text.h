/* bpe_text.h - what comes before the merges of CLIP's tokenizer: a clean text, and its words. */
#ifndef MP_BPE_TEXT_H
#define MP_BPE_TEXT_H

#include "base/base.h"

/* Appends `text` (valid UTF-8) unescaped twice, in form C, lower case, each run of white space as
 * one space, none at the ends. */
void mp_bpe_clean(mp_buf *out, mp_str text);

/* The next word of a clean text, or false at its end: 's 't 're 've 'm 'll 'd, a run of letters,
 * one digit or other number, or a run of anything else but spaces. `rest` moves behind it. */
bool mp_bpe_word(mp_str *rest, mp_str *word);

#endif
