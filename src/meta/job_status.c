/* job_status.c - the words of a job's states, the same for every store. See jobs.h. */
#include "meta/jobs.h"

#include <string.h>

static const char *const words[] = {
    [MP_JOB_QUEUED] = "queued",       [MP_JOB_PROCESSING] = "processing",
    [MP_JOB_COMPLETED] = "completed", [MP_JOB_FAILED] = "failed",
    [MP_JOB_CANCELLED] = "cancelled", [MP_JOB_DEAD] = "dead",
};

const char *mp_job_status_word(mp_job_status s)
{
    return s >= MP_JOB_QUEUED && s <= MP_JOB_DEAD ? words[s] : "";
}

mp_job_status mp_job_status_of(const char *word)
{
    for (int s = MP_JOB_QUEUED; s <= MP_JOB_DEAD; s++)
        if (strcmp(words[s], word) == 0)
            return (mp_job_status)s;
    return 0;
}
