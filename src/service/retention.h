/* retention.h - how long a project keeps its assets: the member retention_days of its config.
 *
 * The daily clean-up removes what was added more days ago than that, of any type, with all
 * versions. Without the member everything is kept. Never touched: other projects, archived ones,
 * what lies in the trash of a plan (it can be undone), and pictures that a product shows. A file
 * that is only referenced stays where it is. Any thread. */
#ifndef MP_SERVICE_RETENTION_H
#define MP_SERVICE_RETENTION_H

#include "magpie.h"

#include "meta/projects.h"

#include <jansson.h>

/* INVALID: retention_days is there and is not a whole number from 1 to 36500. */
MP_CHECK mp_err mp_retention_check(const json_t *config, mp_why *why);
/* Days of a stored config; 0: for ever. */
int64_t mp_retention_days(const char *config);
/* Removes what is past its time in one project, as its config has it now; *removed counts also
 * after an error. Doing it again does no harm. stop (NULL allowed) is asked between steps:
 * CANCELLED. */
MP_CHECK mp_err mp_retention_apply(magpie *library, const mp_project *p, int64_t now_ms,
                                   bool (*stop)(void *context), void *context, size_t *removed,
                                   mp_why *why);

#endif
