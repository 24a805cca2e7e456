/* easy.c - see easy.h. */
#include "net/easy.h"

#include <signal.h>
#include <sys/socket.h>
#include <time.h>

/* The one place where the address policy holds: no socket, no packet. */
static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
    mp_easy *e = arg;
    (void)purpose;
    if (!e->any_address && !mp_net_address_allowed(&to->addr)) {
        e->refused = !e->opened;
        return CURL_SOCKET_BAD;
    }
    e->opened = true;
    e->refused = false;
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static int on_progress(void *arg, curl_off_t down, curl_off_t got, curl_off_t up, curl_off_t put)
{
    mp_easy *e = arg;
    (void)down, (void)got, (void)up, (void)put;
    return e->stop.asked && e->stop.asked(e->stop.arg);
}

mp_err mp_easy_open(mp_easy *e, const mp_net_url *url, mp_why *why)
{
    CURLcode code = CURLE_OK;
    e->curl = curl_easy_init();
    if (!e->curl)
        return mp_fail(why, MP_NOMEM, "no memory for a transfer");
    MP_EASY_SET(e, CURLOPT_CURLU, url->parsed);
    MP_EASY_SET(e, CURLOPT_NOSIGNAL, 1L);
    MP_EASY_SET(e, CURLOPT_ERRORBUFFER, e->detail);
    MP_EASY_SET(e, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    MP_EASY_SET(e, CURLOPT_OPENSOCKETDATA, e);
    MP_EASY_SET(e, CURLOPT_NOPROGRESS, 0L);
    MP_EASY_SET(e, CURLOPT_XFERINFOFUNCTION, on_progress);
    MP_EASY_SET(e, CURLOPT_XFERINFODATA, e);
    MP_EASY_SET(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (!e->proxies)
        MP_EASY_SET(e, CURLOPT_PROXY, "");
    return code == CURLE_OK ? MP_OK : mp_fail(why, MP_NOMEM, "no memory for a transfer");
}

void mp_easy_close(mp_easy *e)
{
    curl_easy_cleanup(e->curl);
    e->curl = NULL;
}

/* TLS may write to a connection that the other side has closed. Ignoring SIGPIPE is the process's
 * choice, not ours: it is held back from this thread, and one that arose here is swallowed. */
CURLcode mp_easy_perform(mp_easy *e)
{
    sigset_t broken_pipe, before, pending;
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &broken_pipe, &before);
    e->refused = e->opened = false;
    CURLcode code = curl_easy_perform(e->curl);
    if (!sigismember(&pending, SIGPIPE))
        sigtimedwait(&broken_pipe, NULL, &(struct timespec){0});
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

static const struct meaning {
    CURLcode code;
    mp_err err;
    const char *words; /* NULL: libcurl's detail, which speaks of certificates, not of addresses */
} meanings[] = {
    {CURLE_COULDNT_RESOLVE_HOST, MP_NOT_FOUND, "no address is known for this name"},
    {CURLE_COULDNT_RESOLVE_PROXY, MP_NOT_FOUND, "no address is known for the proxy"},
    {CURLE_COULDNT_CONNECT, MP_IO, "cannot connect"},
    {CURLE_OPERATION_TIMEDOUT, MP_TIMEOUT, "took too long"},
    {CURLE_PARTIAL_FILE, MP_IO, "the answer broke off"},
    {CURLE_RECV_ERROR, MP_IO, "the connection broke off"},
    {CURLE_SEND_ERROR, MP_IO, "the connection broke off"},
    {CURLE_GOT_NOTHING, MP_IO, "the connection was closed without an answer"},
    {CURLE_ABORTED_BY_CALLBACK, MP_CANCELLED, "stopped"},
    {CURLE_OUT_OF_MEMORY, MP_NOMEM, "no memory for the transfer"},
    {CURLE_URL_MALFORMAT, MP_INVALID, "this host cannot be reached by this name"},
    {CURLE_PEER_FAILED_VERIFICATION, MP_IO, NULL},
    {CURLE_SSL_CONNECT_ERROR, MP_IO, NULL},
    {CURLE_USE_SSL_FAILED, MP_IO, "TLS is required and not offered"},
};

int mp_easy_refused_by_proxy(const mp_easy *e)
{
    long status = 0;
    curl_easy_getinfo(e->curl, CURLINFO_HTTP_CONNECTCODE, &status);
    return status / 100 == 2 ? 0 : (int)status;
}

mp_err mp_easy_fail(const mp_easy *e, CURLcode code, const char *who, mp_why *why)
{
    if (e->refused)
        return mp_net_refuse(why);
    int proxy = mp_easy_refused_by_proxy(e);
    if (proxy)
        return mp_fail(why, MP_IO, "%s: the proxy answered %d instead of connecting to it%s", who,
                       proxy, proxy == 407 ? "; it wants a user and a password" : "");
    for (size_t i = 0; i < MP_COUNT(meanings); i++)
        if (meanings[i].code == code)
            return mp_fail(why, meanings[i].err, "%s: %s", who,
                           meanings[i].words ? meanings[i].words : e->detail);
    return mp_fail(why, MP_IO, "%s: %s", who, curl_easy_strerror(code));
}
