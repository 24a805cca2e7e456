/* asking.h - handlers that are called as a request with these headers would call them, without a
 * service around them. */
#ifndef MP_TEST_HTTP_ASKING_H
#define MP_TEST_HTTP_ASKING_H

#include "http/message.h"

/* Opens a listener in a thread of its own; `see` is called once per request, on that
 * thread, where an assertion that fails ends the whole program. */
typedef struct asking asking;
typedef void (*asking_fn)(mp_request *r, const void *context);
asking *asking_start(void);
/* `headers`: "Name: value\r\n..." */
void asking_do(asking *a, const char *headers, asking_fn see, const void *context);
void asking_stop(asking *a);

#endif
