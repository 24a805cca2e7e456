/* doctor_pictures.h - one tiny picture of each format that magpie reads. */
#ifndef MP_APP_DOCTOR_PICTURES_H
#define MP_APP_DOCTOR_PICTURES_H

#include "base/base.h"

typedef struct doctor_picture {
    const char *format;
    mp_span bytes;
} doctor_picture;

enum { DOCTOR_PICTURES = 8 };
extern const doctor_picture doctor_pictures[DOCTOR_PICTURES];

#endif
