/* work_options.h - what `serve` and `worker` have in common: how jobs are run. */
#ifndef MP_APP_WORK_OPTIONS_H
#define MP_APP_WORK_OPTIONS_H

#include "app/app.h"

#include "service/worker.h"

#define WORK_OPTION_ROWS                                                                           \
    {.name = "job-threads",                                                                        \
     .type = MP_OPT_INT,                                                                           \
     .value = "N",                                                                                 \
     .fallback = "2",                                                                              \
     .min = 1,                                                                                     \
     .max = 64,                                                                                    \
     .help = "How many jobs run at once."},                                                        \
        {.name = "keep",                                                                           \
         .type = MP_OPT_INT,                                                                       \
         .value = "DAYS",                                                                          \
         .fallback = "30",                                                                         \
         .min = 1,                                                                                 \
         .max = 36500,                                                                             \
         .help = "How long ended jobs, their exports, and events are kept."},                      \
    {                                                                                              \
        .name = "allow-fetch", .type = MP_OPT_TEXT, .value = "HOST:PORT", .many = true,            \
        .help = "A host that downloads and webhooks may reach although its address is private; "   \
                "may be given several times."                                                      \
    }

typedef struct work_setup {
    mp_worker_options options;
    mp_net_allow allow;
    const char **authorities; /* freed by work_setup_free */
} work_setup;

/* From the arguments and the settings. The library is open. */
void work_setup_read(mp_app *app, work_setup *out); /* app outlives it */
void work_setup_free(work_setup *s);
/* For mp_http_options.send_mail; context is a work_setup. */
mp_err work_send_mail(void *context, const char *to, const char *subject, const char *text,
                      mp_why *why);

#endif
