/* concepts.h - what the lite image model can name. */
#ifndef MP_CONCEPTS_H
#define MP_CONCEPTS_H

enum { MP_LITE_CONCEPTS = 1000 };
extern const char *const mp_lite_concepts[MP_LITE_CONCEPTS];

#endif
