/* mail.c - the dialogue with the mail server. See mail.h. */
#include "net/easy.h"
#include "net/mail_text.h"

#include "base/os.h"

#include <stdio.h>
#include <string.h>

enum { TIMEOUT_MS = 15000, CONNECT_MS = 5000, MAILBOX = 260 };

static const char *const schemes[2] = {"smtp", "smtps"};

typedef struct letter {
    mp_easy easy;
    mp_buf bytes;
    size_t sent;
    struct curl_slist *to;
} letter;

static size_t on_read(char *to, size_t one, size_t n, void *arg)
{
    letter *l = arg;
    n = MP_MIN(n * one, l->bytes.n - l->sent);
    memcpy(to, l->bytes.p + l->sent, n);
    l->sent += n;
    return n;
}

static void mailbox(mp_str address, char out[MAILBOX])
{
    snprintf(out, MAILBOX, "<%.*s>", (int)address.n, address.p);
}

static mp_err address_it(letter *l, const mp_mail_server *server, const mp_mail *mail, mp_why *why)
{
    mp_str name, from, to;
    char sender[MAILBOX], receiver[MAILBOX];
    CURLcode code = CURLE_OK;
    mp_err err = mp_mail_address(server->from, &name, &from, why);
    if (!err)
        err = mp_mail_address(mail->to, &name, &to, why);
    if (err)
        return err;
    mailbox(from, sender);
    mailbox(to, receiver);
    l->to = curl_slist_append(NULL, receiver);
    MP_EASY_SET(&l->easy, CURLOPT_MAIL_FROM, sender);
    MP_EASY_SET(&l->easy, CURLOPT_MAIL_RCPT, l->to);
    return l->to && code == CURLE_OK ? MP_OK : mp_fail(why, MP_NOMEM, "no memory for a mail");
}

static mp_err set_up(letter *l, const mp_mail_server *server, const mp_net_url *url, mp_why *why)
{
    mp_easy *e = &l->easy;
    CURLcode code = CURLE_OK;
    e->any_address = true;
    mp_err err = mp_easy_open(e, url, why);
    if (err)
        return err;
    MP_EASY_SET(e, CURLOPT_USE_SSL, (long)(server->require_tls ? CURLUSESSL_ALL : CURLUSESSL_TRY));
    MP_EASY_SET(e, CURLOPT_TIMEOUT_MS,
                server->timeout_ms ? (long)server->timeout_ms : (long)TIMEOUT_MS);
    MP_EASY_SET(e, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    MP_EASY_SET(e, CURLOPT_UPLOAD, 1L);
    MP_EASY_SET(e, CURLOPT_READFUNCTION, on_read);
    MP_EASY_SET(e, CURLOPT_READDATA, l);
    if (server->user && *server->user) {
        MP_EASY_SET(e, CURLOPT_USERNAME, server->user);
        MP_EASY_SET(e, CURLOPT_PASSWORD, server->password ? server->password : "");
    }
    return code == CURLE_OK ? MP_OK : mp_fail(why, MP_NOMEM, "no memory for a mail");
}

/* What the server said weighs more than where libcurl stood when it said so. */
static mp_err judge(const letter *l, CURLcode code, const char *who, mp_why *why)
{
    long said = 0;
    if (code == CURLE_OK)
        return MP_OK;
    curl_easy_getinfo(l->easy.curl, CURLINFO_RESPONSE_CODE, &said);
    if (code == CURLE_LOGIN_DENIED)
        return mp_fail(why, MP_UNSUPPORTED, "%s: the mail server refuses the login", who);
    if (said / 100 == 5 && code != CURLE_USE_SSL_FAILED)
        return mp_fail(why, MP_UNSUPPORTED, "%s: the mail server refuses this mail (%ld)", who,
                       said);
    if (said / 100 == 4)
        return mp_fail(why, MP_BUSY, "%s: the mail server cannot take the mail now (%ld)", who,
                       said);
    return mp_easy_fail(&l->easy, code, who, why);
}

mp_err mp_mail_send(const mp_mail_server *server, const mp_mail *mail, mp_why *why)
{
    letter l = {0};
    mp_net_url url = {0};
    mp_err err = mp_mail_compose(server->from, mail, mp_now_ms() / 1000, &l.bytes, why);
    if (err)
        goto done;
    err = mp_net_url_parse(&url, server->url, schemes, why);
    if (!err)
        err = set_up(&l, server, &url, why);
    if (!err)
        err = address_it(&l, server, mail, why);
    if (!err)
        err = judge(&l, mp_easy_perform(&l.easy), url.authority, why);
done:
    mp_easy_close(&l.easy);
    curl_slist_free_all(l.to);
    mp_net_url_free(&url);
    mp_buf_free(&l.bytes);
    return err;
}
