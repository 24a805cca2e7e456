/* net.c - start and end of the room. See net.h. */
#include "net/net.h"

#include <curl/curl.h>
#include <pthread.h>
#include <sodium.h>

/* curl_global_init is safe from several threads only in newer libcurl. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int users; /* under lock */

mp_err mp_net_init(mp_why *why)
{
    mp_err err = MP_OK;
    pthread_mutex_lock(&lock);
    if (users == 0 && (sodium_init() < 0 || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK))
        err = mp_fail(why, MP_INTERNAL, "the network library does not start");
    if (!err)
        users++;
    pthread_mutex_unlock(&lock);
    return err;
}

void mp_net_exit(void)
{
    pthread_mutex_lock(&lock);
    if (users > 0 && --users == 0)
        curl_global_cleanup();
    pthread_mutex_unlock(&lock);
}
