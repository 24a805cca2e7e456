/* plan.h - what the files of duplicates plans share, and magpie_open needs of them.
 *
 *   plan_file.c  a plan as JSON
 *   plan.c       applying, undoing, finishing after a crash */
#ifndef MP_PLAN_H
#define MP_PLAN_H

#include "core/core.h"

#include <jansson.h>

/* A plan of this version; the caller's reference. CORRUPT, and those of reading a file. */
MP_CHECK mp_err mp_plan_read(const char *path, json_t **out, mp_why *why);
MP_CHECK mp_err mp_plan_parse(const char *text, json_t **out, mp_why *why);

/* Finishes plans that a crash left half-way (applying or undoing). */
MP_CHECK mp_err mp_core_recover_plans(magpie *m, mp_why *why);

#endif
