/* Mail: the dialogue with a server in a thread, what the message looks like, what is refused. */
#include "../test.h"

#include "net/mail.h"
#include "net/mail_text.h"
#include "net/net.h"
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char LOGIN[] = "AGFkYQBzM2NyZXQ="; /* \0ada\0s3cret */

/* A mail server that says yes; what it says instead of it to a command that begins so. */
static struct {
    const char *command, *reply, *features;
} mood;

static bool next_line(server *s, int c, mp_buf *held, char *out, size_t cap)
{
    char part[4096], *end;
    while (!held->p || !(end = strstr(held->p, "\r\n"))) {
        size_t got = server_read(s, c, part, sizeof part);
        if (!got)
            return false;
        mp_buf_add(held, part, got);
    }
    size_t n = (size_t)(end - held->p);
    snprintf(out, cap, "%.*s", (int)n, held->p);
    memmove(held->p, end + 2, held->n - n - 1); /* with the NUL */
    held->n -= n + 2;
    return true;
}

static void take_mail(server *s, int c)
{
    char line[4096];
    bool in_data = false;
    mp_buf held = {0};
    server_say(c, "220 here\r\n");
    while (next_line(s, c, &held, line, sizeof line)) {
        bool told =
            mood.command && !in_data && strncasecmp(line, mood.command, strlen(mood.command)) == 0;
        if (in_data && strcmp(line, ".") != 0)
            continue;
        if (told)
            server_say(c, "%s\r\n", mood.reply);
        else if (in_data)
            server_say(c, "250 taken\r\n");
        else if (strncasecmp(line, "EHLO", 4) == 0)
            server_say(c, "250-here\r\n%s250 8BITMIME\r\n", mood.features ? mood.features : "");
        else if (strncasecmp(line, "DATA", 4) == 0)
            server_say(c, "354 go on\r\n");
        else if (strcasecmp(line, "AUTH PLAIN") == 0)
            server_say(c, "334 \r\n");
        else if (strcmp(line, LOGIN) == 0)
            server_say(c, "235 welcome\r\n");
        else if (strncasecmp(line, "QUIT", 4) == 0) {
            server_say(c, "221 bye\r\n");
            break;
        } else
            server_say(c, "250 fine\r\n");
        in_data = !told && !in_data && strncasecmp(line, "DATA", 4) == 0;
    }
    mp_buf_free(&held);
}

typedef struct world {
    server server;
    char url[64];
    mp_mail_server to;
    mp_mail mail;
} world;

static int start(void **state)
{
    mp_why why;
    world *w = mp_xcalloc(1, sizeof *w);
    memset(&mood, 0, sizeof mood);
    assert_ok(mp_net_init(&why));
    server_start(&w->server, take_mail);
    snprintf(w->url, sizeof w->url, "smtp://127.0.0.1:%d", w->server.port);
    w->to = (mp_mail_server){.url = w->url, .from = "Magpie <magpie@example.org>"};
    w->mail = (mp_mail){.to = "ada@example.org", .subject = "Hello", .text = "One line\n"};
    *state = w;
    return 0;
}

static int stop(void **state)
{
    world *w = *state;
    server_stop(&w->server);
    free(w);
    mp_net_exit();
    return 0;
}

/* The message as compose makes it; the caller frees. */
static mp_buf composed(const char *from, const char *subject, const char *text)
{
    mp_why why;
    mp_buf out = {0};
    mp_mail mail = {.to = "ada@example.org", .subject = subject, .text = text};
    assert_ok(mp_mail_compose(from, &mail, 1700000000, &out, &why));
    return out;
}

static void a_mail_goes_through(void **state)
{
    world *w = *state;
    mp_why why;
    assert_ok(mp_mail_send(&w->to, &w->mail, &why));
    char *heard = server_heard(&w->server);
    assert_non_null(strstr(heard, "MAIL FROM:<magpie@example.org>"));
    assert_non_null(strstr(heard, "RCPT TO:<ada@example.org>\r\n"));
    assert_non_null(strstr(heard, "\r\nFrom: \"Magpie\"\r\n <magpie@example.org>\r\n"));
    assert_non_null(strstr(heard, "\r\nTo: <ada@example.org>\r\n"));
    assert_non_null(strstr(heard, "\r\nSubject: Hello\r\n"));
    assert_non_null(strstr(heard, "\r\n\r\nOne line\r\n.\r\n"));
    assert_null(strstr(heard, "AUTH"));
    free(heard);
}

static void dots_at_the_start_of_lines_are_doubled(void **state)
{
    world *w = *state;
    mp_why why;
    w->mail.text = ".\n.. two\na.b\n.";
    assert_ok(mp_mail_send(&w->to, &w->mail, &why));
    char *heard = server_heard(&w->server);
    assert_non_null(strstr(heard, "\r\n\r\n..\r\n... two\r\na.b\r\n..\r\n.\r\n"));
    free(heard);
}

static void a_login_is_sent_and_never_told(void **state)
{
    world *w = *state;
    mp_why why;
    mood.features = "250-AUTH PLAIN\r\n";
    w->to.user = "ada";
    w->to.password = "s3cret";
    assert_ok(mp_mail_send(&w->to, &w->mail, &why));
    char *heard = server_heard(&w->server);
    assert_non_null(strstr(heard, "AUTH PLAIN"));
    assert_non_null(strstr(heard, LOGIN));
    free(heard);
    mood.command = "AUTH";
    mood.reply = "535 no, not s3cret";
    assert_int_equal(mp_mail_send(&w->to, &w->mail, &why), MP_UNSUPPORTED);
    assert_null(strstr(why.text, "s3cret"));
    assert_non_null(strstr(why.text, "login"));
}

static void no_word_goes_out_without_the_tls_that_is_required(void **state)
{
    world *w = *state;
    mp_why why;
    mood.features = "250-AUTH PLAIN\r\n"; /* and no STARTTLS */
    w->to.user = "ada";
    w->to.password = "s3cret";
    w->to.require_tls = true;
    assert_int_equal(mp_mail_send(&w->to, &w->mail, &why), MP_IO);
    assert_non_null(strstr(why.text, "TLS"));
    char *heard = server_heard(&w->server);
    assert_null(strstr(heard, "AUTH"));
    assert_null(strstr(heard, "MAIL"));
    free(heard);
}

static void refusals_tell_now_from_never(void **state)
{
    world *w = *state;
    static const struct {
        const char *command, *reply;
        mp_err err;
    } cases[] = {
        {"RCPT", "550 no such user", MP_UNSUPPORTED}, {"RCPT", "450 try later", MP_BUSY},
        {"MAIL", "552 too much", MP_UNSUPPORTED},     {"MAIL", "421 closing", MP_BUSY},
        {"DATA", "554 no", MP_UNSUPPORTED},           {"DATA", "451 later", MP_BUSY},
    };
    for (size_t i = 0; i < MP_COUNT(cases); i++) {
        mp_why why;
        mood.command = cases[i].command;
        mood.reply = cases[i].reply;
        mp_err err = mp_mail_send(&w->to, &w->mail, &why);
        if (err != cases[i].err)
            fail_msg("%s: %s: %s", cases[i].reply, mp_err_word(err), why.text);
    }
}

static void a_silent_or_absent_server_is_left(void **state)
{
    world *w = *state;
    mp_why why;
    mood.command = "RCPT";
    mood.reply = "250-and"; /* never ends */
    w->to.timeout_ms = 300;
    assert_int_equal(mp_mail_send(&w->to, &w->mail, &why), MP_TIMEOUT);
    server gone;
    server_start(&gone, take_mail);
    server_stop(&gone);
    snprintf(w->url, sizeof w->url, "smtp://127.0.0.1:%d", gone.port);
    assert_int_equal(mp_mail_send(&w->to, &w->mail, &why), MP_IO);
}

static void nothing_can_be_put_into_headers(void **state)
{
    world *w = *state;
    mp_why why;
    static const char *const receivers[] = {"",
                                            "ada",
                                            "@example.org",
                                            "ada@",
                                            "a@b@c",
                                            "ada@example.org\r\nBcc: x@y.z",
                                            "ada@example.org\nRCPT TO:<x@y.z>",
                                            "ada@example.org>\r\nDATA",
                                            "ada@example.org> SIZE=1",

                                            "Ada <ada@example.org>",
                                            "ada@example.org, bob@example.org",
                                            "\"a b\"@example.org",
                                            "a b@example.org",
                                            ".ada@example.org",
                                            "a..b@example.org",
                                            "ada.@example.org",
                                            "ada@.org",
                                            "ada@exa_mple.org",
                                            "ad\xC3\xA4@example.org",
                                            "ada@example.org\t",
                                            "ada(x)@example.org",
                                            "ada@[127.0.0.1]",
                                            "ada@example.org."};
    static const char *const subjects[] = {"a\r\nBcc: x@y.z", "a\nb",     "a\rb", "a\x7F",
                                           "\x1B[0m",         "\xFF\xFE", "\xC3", "\xED\xA0\x80",
                                           "\xC0\x8A"};
    static const char *const senders[] = {"",
                                          "Magpie",
                                          "a\r\nb <m@example.org>",
                                          "Magpie <m@example.org",
                                          "<m@example.org>\r\nX: y",
                                          "Magpie <m@exam ple.org>",
                                          "<>"};
    for (size_t i = 0; i < MP_COUNT(receivers); i++) {
        w->mail.to = receivers[i];
        if (mp_mail_send(&w->to, &w->mail, &why) != MP_INVALID)
            fail_msg("a mail to %s", receivers[i]);
    }
    w->mail.to = "ada@example.org";
    for (size_t i = 0; i < MP_COUNT(subjects); i++) {
        w->mail.subject = subjects[i];
        if (mp_mail_send(&w->to, &w->mail, &why) != MP_INVALID)
            fail_msg("a mail about %s", subjects[i]);
    }
    w->mail.subject = "Hello";
    for (size_t i = 0; i < MP_COUNT(senders); i++) {
        w->to.from = senders[i];
        if (mp_mail_send(&w->to, &w->mail, &why) != MP_INVALID)
            fail_msg("a mail from %s", senders[i]);
    }
    assert_int_equal(atomic_load(&w->server.accepted), 0);
}

static void servers_are_named_by_plain_urls(void **state)
{
    world *w = *state;
    static const char *const urls[] = {"",
                                       "127.0.0.1:25",
                                       "http://127.0.0.1/",
                                       "smtp://",
                                       "smtp://a:s3cret@127.0.0.1:25",
                                       "smtp://127.0.0.1:0",
                                       "file:///etc/passwd",
                                       "imap://127.0.0.1"};
    for (size_t i = 0; i < MP_COUNT(urls); i++) {
        mp_why why;
        w->to.url = urls[i];
        if (mp_mail_send(&w->to, &w->mail, &why) != MP_INVALID)
            fail_msg("%s is taken", urls[i]);
        assert_null(strstr(why.text, "s3cret"));
    }
}

static void addresses_are_taken_apart(void **state)
{
    (void)state;
    mp_why why;
    mp_str name, address;
    assert_ok(mp_mail_address("Ada L. <a.b+c@mail.example.org>", &name, &address, &why));
    assert_true(mp_str_eq(name, mp_str_of("Ada L.")));
    assert_true(mp_str_eq(address, mp_str_of("a.b+c@mail.example.org")));
    assert_ok(mp_mail_address("a@b", &name, &address, &why));
    assert_int_equal(name.n, 0);
    assert_int_equal(mp_mail_address("a", &name, &address, &why), MP_INVALID);
    assert_null(address.p);
}

/* ---- the message ---- */

static void headers_carry_any_language(void **state)
{
    (void)state;
    mp_buf m = composed("J\xC3\xBCrgen <j@example.org>",
                        "Gr\xC3\xBC\xC3\x9F"
                        "e",
                        "x");
    assert_non_null(strstr(m.p, "\r\nSubject: =?utf-8?B?R3LDvMOfZQ==?=\r\n"));
    assert_non_null(strstr(m.p, "\r\nFrom: =?utf-8?B?SsO8cmdlbg==?=\r\n <j@example.org>\r\n"));
    assert_int_equal(strncmp(m.p, "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n", 39), 0);
    assert_non_null(strstr(m.p, "@example.org>\r\nSubject"));
    mp_buf_free(&m);
    m = composed("A \"B\" <j@example.org>", "=?utf-8?B?eA==?=", "x"); /* not to be read as words */
    assert_non_null(strstr(m.p, "\r\nSubject: =?utf-8?B?PT91dGYtOD9CP2VBPT0/PQ==?=\r\n"));
    assert_non_null(strstr(m.p, "\r\nFrom: =?utf-8?B?QSAiQiI=?=\r\n"));
    mp_buf_free(&m);
}

static int value_of(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = strchr(digits, c);
    return c && at ? (int)(at - digits) : -1;
}

/* Decodes the words of a folded subject; each must be whole characters of at most 75 bytes. */
static void decode_subject(const char *message, mp_buf *out)
{
    const char *p = strstr(message, "\r\nSubject: ") + strlen("\r\nSubject: ");
    while (strncmp(p, "=?utf-8?B?", 10) == 0) {
        const char *end = strstr(p + 10, "?=");
        unsigned bits = 0;
        int have = 0;
        assert_non_null(end);
        assert_true(end + 2 - p <= 75);
        for (const char *q = p + 10; q < end && value_of(*q) >= 0; q++) {
            bits = bits << 6 | (unsigned)value_of(*q);
            have += 6;
            if (have >= 8) {
                have -= 8;
                char byte = (char)(bits >> have & 0xFF);
                /* A word never begins inside a character. */
                assert_false(q < p + 12 && ((uint8_t)byte & 0xC0) == 0x80);
                mp_buf_add(out, &byte, 1);
            }
        }
        p = end + 2;
        assert_int_equal(strncmp(p, "\r\n", 2), 0);
        p += strncmp(p, "\r\n ", 3) == 0 ? 3 : 0;
    }
}

static void long_subjects_are_folded(void **state)
{
    (void)state;
    static const char *const pieces[] = {"\xE2\x82\xAC", "\xF0\x9F\x90\xA6", "a", "\xC3\xA4x"};
    for (size_t i = 0; i < MP_COUNT(pieces); i++) {
        mp_buf subject = {0}, back = {0};
        while (subject.n + strlen(pieces[i]) <= 400)
            mp_buf_str(&subject, pieces[i]);
        mp_buf m = composed("j@example.org", subject.p, "x");
        decode_subject(m.p, &back);
        assert_string_equal(back.p, subject.p);
        mp_buf_free(&m);
        mp_buf_free(&back);
        mp_buf_free(&subject);
    }
}

/* Quoted-printable back to text, with \n for CRLF; checks the form on the way. */
static void decode_text(const char *message, mp_buf *out)
{
    const char *p = strstr(message, "\r\n\r\n") + 4;
    size_t column = 0;
    for (; *p; p++) {
        unsigned byte = (uint8_t)*p;
        if (strncmp(p, "\r\n", 2) == 0) {
            assert_false(column && (p[-1] == ' ' || p[-1] == '\t'));
            mp_buf_str(out, "\n");
            column = 0;
            p++;
            continue;
        }
        assert_true(byte < 0x7F && (byte >= ' ' || byte == '\t'));
        if (strncmp(p, "=\r\n", 3) == 0) {
            assert_true(column + 1 <= 76);
            column = 0;
            p += 2;
            continue;
        }
        if (byte == '=') {
            assert_int_equal(sscanf(p, "=%2X", &byte), 1);
            p += 2;
            column += 2;
        }
        char c = (char)byte;
        mp_buf_add(out, &c, 1);
        assert_true(++column <= 76);
    }
}

static void text_survives_quoted_printable(void **state)
{
    (void)state;
    static char wide[1000];
    memset(wide, 'w', sizeof wide - 1);
    wide[500] = '=';
    wide[700] = ' ';
    static const struct {
        const char *text, *back;
    } cases[] = {
        {"", ""},
        {"\n", "\n"},
        {"no end", "no end\n"},
        {"crlf\r\nlf\n", "crlf\nlf\n"},
        {"bare\rcr\n", "bare\rcr\n"},
        {"blanks \t\nat ends ", "blanks \t\nat ends \n"},
        {"blank before crlf \r\nx\n", "blank before crlf \nx\n"},
        {"1+1=2 \xE2\x82\xAC\n", "1+1=2 \xE2\x82\xAC\n"},
        {"\x01\x7F\n", "\x01\x7F\n"},
        {wide, NULL},
    };
    for (size_t i = 0; i < MP_COUNT(cases); i++) {
        mp_buf back = {0}, expected = {0};
        mp_buf m = composed("j@example.org", "s", cases[i].text);
        decode_text(m.p, &back);
        mp_buf_str(&expected, cases[i].back ? cases[i].back : wide);
        mp_buf_str(&expected, cases[i].back ? "" : "\n");
        assert_string_equal(back.p ? back.p : "", expected.p);
        mp_buf_free(&m);
        mp_buf_free(&back);
        mp_buf_free(&expected);
    }
}

static void texts_have_limits(void **state)
{
    (void)state;
    mp_why why;
    mp_buf out = {0};
    char *text = mp_xmalloc((1 << 20) + 2), subject[402];
    memset(text, 'a', (1 << 20) + 1);
    text[(1 << 20) + 1] = '\0';
    memset(subject, 'a', 401);
    subject[401] = '\0';
    mp_mail mail = {.to = "a@b", .subject = "s", .text = text};
    assert_int_equal(mp_mail_compose("a@b", &mail, 0, &out, &why), MP_INVALID);
    mail.text = "\xFF";
    assert_int_equal(mp_mail_compose("a@b", &mail, 0, &out, &why), MP_INVALID);
    mail = (mp_mail){.to = "a@b", .subject = subject, .text = ""};
    assert_int_equal(mp_mail_compose("a@b", &mail, 0, &out, &why), MP_INVALID);
    subject[400] = '\0';
    assert_ok(mp_mail_compose("a@b", &mail, 0, &out, &why));
    mp_buf_free(&out);
    free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_mail_goes_through),
        TEST(dots_at_the_start_of_lines_are_doubled),
        TEST(a_login_is_sent_and_never_told),
        TEST(no_word_goes_out_without_the_tls_that_is_required),
        TEST(refusals_tell_now_from_never),
        TEST(a_silent_or_absent_server_is_left),
        TEST(nothing_can_be_put_into_headers),
        TEST(servers_are_named_by_plain_urls),
        cmocka_unit_test(addresses_are_taken_apart),
        cmocka_unit_test(headers_carry_any_language),
        cmocka_unit_test(long_subjects_are_folded),
        cmocka_unit_test(text_survives_quoted_printable),
        cmocka_unit_test(texts_have_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
