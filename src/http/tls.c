/* tls.c - see tls.h. A pair that was replaced is kept, since a handshake may still use it: a
 * renewal is rare and costs a few kilobytes. */
#include "http/tls.h"

#include "base/os.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES = 1024 * 1024, CHAIN = 16 };

/* TLS 1.3 first, then 1.2 (RFC 9325, 3.1.1: nothing older). Of 1.2 only what has forward secrecy
 * and authenticates as it encrypts: no CBC, whose padding has leaked time and again (RFC
 * 9325, 4.2), no RSA key transport, and SHA-1 neither as a MAC nor in signatures. Our order counts,
 * so that a client does not choose a weaker suite than both can. */
const char mp_tls_priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
                                 ":-CIPHER-ALL:+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-GCM"
                                 ":-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:-MAC-ALL:+AEAD"
                                 ":-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1:%SERVER_PRECEDENCE";

typedef struct pair {
    gnutls_pcert_st chain[CHAIN];
    unsigned n;
    gnutls_privkey_t key;
    struct pair *older;
} pair;

struct mp_tls {
    char *cert_file, *key_file;
    pthread_mutex_t mutex; /* guards newest */
    pair *newest;
};

static void free_pair(pair *p)
{
    for (unsigned i = 0; i < p->n; i++)
        gnutls_pcert_deinit(&p->chain[i]);
    if (p->key)
        gnutls_privkey_deinit(p->key);
    free(p);
}

static mp_err key_error(int code, const char *file, mp_why *why)
{
    if (code == GNUTLS_E_DECRYPTION_FAILED)
        return mp_fail(why, MP_INVALID,
                       "%s: the key has a passphrase; the service needs one without", file);
    return mp_fail(why, MP_INVALID, "%s holds no private key in PEM: %s", file,
                   gnutls_strerror(code));
}

/* GnuTLS compares the two halves where it makes credentials. */
static mp_err check_match(const gnutls_datum_t *cert, const gnutls_datum_t *key, const mp_tls *t,
                          mp_why *why)
{
    gnutls_certificate_credentials_t both;
    if (gnutls_certificate_allocate_credentials(&both) != 0)
        return mp_fail(why, MP_NOMEM, "no memory for the certificate");
    int code = gnutls_certificate_set_x509_key_mem2(both, cert, key, GNUTLS_X509_FMT_PEM, NULL, 0);
    gnutls_certificate_free_credentials(both);
    if (code == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
        return mp_fail(why, MP_INVALID, "the key in %s is not the one of the certificate in %s",
                       t->key_file, t->cert_file);
    return code < 0 ? mp_fail(why, MP_INVALID, "%s and %s: %s", t->cert_file, t->key_file,
                              gnutls_strerror(code))
                    : MP_OK;
}

static mp_err read_pair(pair *p, const mp_tls *t, const gnutls_datum_t *cert,
                        const gnutls_datum_t *key, mp_why *why)
{
    gnutls_x509_privkey_t plain;
    p->n = CHAIN;
    int code = gnutls_pcert_list_import_x509_raw(p->chain, &p->n, cert, GNUTLS_X509_FMT_PEM,
                                                 GNUTLS_X509_CRT_LIST_FAIL_IF_UNSORTED |
                                                     GNUTLS_X509_CRT_LIST_SORT);
    if (code < 0) {
        p->n = 0;
        return mp_fail(why, MP_INVALID, "%s holds no certificate in PEM: %s", t->cert_file,
                       gnutls_strerror(code));
    }
    if (gnutls_x509_privkey_init(&plain) != 0 || gnutls_privkey_init(&p->key) != 0)
        return mp_fail(why, MP_NOMEM, "no memory for the key");
    code = gnutls_x509_privkey_import2(plain, key, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (code >= 0)
        code = gnutls_privkey_import_x509(p->key, plain, GNUTLS_PRIVKEY_IMPORT_COPY);
    gnutls_x509_privkey_deinit(plain);
    return code < 0 ? key_error(code, t->key_file, why) : check_match(cert, key, t, why);
}

mp_err mp_tls_reload(mp_tls *t, mp_why *why)
{
    uint8_t *cert = NULL, *key = NULL;
    size_t n_cert = 0, n_key = 0;
    pair *p = mp_xcalloc(1, sizeof *p);
    mp_err err = mp_file_read(t->cert_file, FILE_BYTES, &cert, &n_cert, why);
    if (!err)
        err = mp_file_read(t->key_file, FILE_BYTES, &key, &n_key, why);
    if (!err)
        err = read_pair(p, t, &(gnutls_datum_t){cert, (unsigned)n_cert},
                        &(gnutls_datum_t){key, (unsigned)n_key}, why);
    free(cert);
    if (key)
        sodium_memzero(key, n_key);
    free(key);
    if (err) {
        free_pair(p);
        return err;
    }
    pthread_mutex_lock(&t->mutex);
    p->older = t->newest;
    t->newest = p;
    pthread_mutex_unlock(&t->mutex);
    return MP_OK;
}

mp_err mp_tls_open(mp_tls **out, const char *cert_file, const char *key_file, mp_why *why)
{
    mp_tls *t = mp_xcalloc(1, sizeof *t);
    t->cert_file = mp_xstrdup(cert_file);
    t->key_file = mp_xstrdup(key_file);
    pthread_mutex_init(&t->mutex, NULL);
    mp_err err = mp_tls_reload(t, why);
    if (err) {
        mp_tls_close(t);
        t = NULL;
    }
    *out = t;
    return err;
}

void mp_tls_close(mp_tls *t)
{
    if (!t)
        return;
    while (t->newest) {
        pair *p = t->newest;
        t->newest = p->older;
        free_pair(p);
    }
    pthread_mutex_destroy(&t->mutex);
    free(t->cert_file);
    free(t->key_file);
    free(t);
}

void mp_tls_pair(mp_tls *t, gnutls_pcert_st **chain, unsigned *n, gnutls_privkey_t *key)
{
    pthread_mutex_lock(&t->mutex);
    *chain = t->newest->chain;
    *n = t->newest->n;
    *key = t->newest->key;
    pthread_mutex_unlock(&t->mutex);
}
