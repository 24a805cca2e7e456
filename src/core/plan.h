/* plan.h - what magpie_open needs to know of duplicates plans. */
#ifndef MP_PLAN_H
#define MP_PLAN_H

#include "core/core.h"

/* Finishes plans that a crash left half-way (applying or undoing). */
MP_CHECK mp_err mp_core_recover_plans(magpie *m, mp_why *why);

#endif
