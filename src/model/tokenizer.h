/* tokenizer.h - BERT's WordPiece (Devlin et al., arXiv 1810.04805), lower case, accents stripped.
 */
#ifndef MP_TOKENIZER_H
#define MP_TOKENIZER_H

#include "base/base.h"

enum { MP_MAX_TOKENS = 256 };

typedef struct mp_tokenizer mp_tokenizer; /* opaque; any thread once open */
/* vocab: one token per line. */
MP_CHECK mp_err mp_tokenizer_open(mp_tokenizer **out, const char *vocab_path, mp_why *why);
void mp_tokenizer_close(mp_tokenizer *t); /* NULL allowed */
/* [CLS] tokens [SEP], at most MP_MAX_TOKENS in all; returns how many. text is valid UTF-8. */
int mp_tokenize(const mp_tokenizer *t, mp_str text, int32_t ids[MP_MAX_TOKENS]);

#endif
