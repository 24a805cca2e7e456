/* bpe.h - CLIP's tokenizer: byte-level byte pair encoding (Sennrich et al., arXiv 1508.07909).
 *
 * A text is unescaped from HTML twice, brought to form C, its white space collapsed, made lower
 * case, and cut into words (bpe_text.h); the bytes of each word are merged in the order in which
 * the vocabulary learned its merges. The tokens are those of the `tokenizers` package with CLIP's
 * vocabulary (tests/golden/clip_words); of open_clip's they differ where that repairs a text
 * (ftfy), takes U+001C..1F for white space, or writes a final sigma.
 *
 * Markers written in a text ("<|endoftext|>") are words like others here. transformers and
 * open_clip make the marker's token of them; CLIP's vector is read at the first end of a text, so
 * whoever writes the marker into a title or a query would hide all that follows. Here the end token
 * stands last and nowhere else.
 *
 * Nothing is kept between calls: a query of ten words takes a few microseconds. */
#ifndef MP_BPE_H
#define MP_BPE_H

#include "base/base.h"

enum { MP_BPE_MOST = 77 }; /* tokens of a text, both markers included */

typedef struct mp_bpe mp_bpe; /* opaque; any thread once open, no locks */
/* Reads the vocabulary in `folder`: Hugging Face's vocab.json and merges.txt, or else open_clip's
 * bpe_simple_vocab_16e6.txt, or that with .gz. Errors: NOT_FOUND (none of them), CORRUPT, TOO_BIG.
 * A list of merges that ends early between two lines is seen in Hugging Face's form alone: the
 * caller compares mp_bpe_tokens with the text tower's table. */
MP_CHECK mp_err mp_bpe_open(mp_bpe **out, const char *folder, mp_why *why);
void mp_bpe_close(mp_bpe *b); /* NULL allowed */

/* How many tokens there are: 49,408 for CLIP. */
int mp_bpe_tokens(const mp_bpe *b);

/* The start token, the first 75 tokens of `text` (valid UTF-8, any length, NUL allowed), the end
 * token; returns how many. *dropped (NULL allowed, and quicker for long texts) is how many tokens
 * of the text had no room. Time is linear but for the merges of words over 64 bytes, n log n;
 * memory is a few times the text. A word of more than 256 KiB is cut there. */
int mp_bpe_encode(const mp_bpe *b, mp_str text, int32_t ids[MP_BPE_MOST], size_t *dropped);

#endif
