/* mail_text.c - addresses, encoded words, quoted-printable, the message. See mail.h.
 *
 * What a header holds either consists of checked characters or is encoded into letters; so no input
 * can end its line. */
#include "net/mail_text.h"

#include "base/os.h"

#include <sodium.h>
#include <string.h>
#include <time.h>

enum {
    ADDRESS_MAX = 254, /* RFC 5321, 4.5.3.1.3 */
    SUBJECT_MAX = 400,
    NAME_MAX_BYTES = 100,
    TEXT_MAX = 1 << 20,
    RAW_MAX = 60,    /* longer ones are folded as encoded words */
    WORD_BYTES = 45, /* of text in a word: 60 in base64, 72 with its frame, at most 75 */
    LINE_MAX_QP = 76 /* RFC 2045, 6.7 */
};

/* ---- characters ---- */

/* Length of the UTF-8 character at p (n left), 0 when there is none (RFC 3629). */
static size_t utf8_at(const uint8_t *p, size_t n)
{
    static const struct {
        uint8_t mask, lead;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 0}, {0xE0, 0xC0, 0x80}, {0xF0, 0xE0, 0x800}, {0xF8, 0xF0, 0x10000}};
    for (size_t k = 0; k < MP_COUNT(forms); k++) {
        if ((p[0] & forms[k].mask) != forms[k].lead)
            continue;
        uint32_t code = p[0] & (uint8_t)~forms[k].mask;
        if (k + 1 > n)
            return 0;
        for (size_t i = 1; i <= k; i++) {
            if ((p[i] & 0xC0) != 0x80)
                return 0;
            code = code << 6 | (p[i] & 0x3F);
        }
        bool fine = code >= forms[k].least && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
        return fine ? k + 1 : 0;
    }
    return 0;
}

static bool is_utf8(mp_str s)
{
    for (size_t i = 0, k; i < s.n; i += k) {
        k = utf8_at((const uint8_t *)s.p + i, s.n - i);
        if (!k)
            return false;
    }
    return true;
}

static bool one_line(mp_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((uint8_t)s.p[i] < ' ' || s.p[i] == 0x7F)
            return false;
    return is_utf8(s);
}

static bool is_ascii(mp_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((uint8_t)s.p[i] >= 0x80)
            return false;
    return true;
}

/* ---- addresses ---- */

/* A dot-atom at a domain name (RFC 5322, 3.4.1), without quoted and literal forms. */
static bool is_address(mp_str s)
{
    static const char others[] = "!#$%&'*+-/=?^_`{|}~.";
    size_t at = SIZE_MAX;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        bool dot = c == '.' && i > 0 && i + 1 < s.n && s.p[i - 1] != '.' && s.p[i - 1] != '@' &&
                   s.p[i + 1] != '@';
        if (c == '@' && at == SIZE_MAX)
            at = i;
        else if (c == '.'         ? !dot
                 : at != SIZE_MAX ? !plain && c != '-'
                                  : !plain && !strchr(others, c))
            return false;
    }
    return at != SIZE_MAX && at > 0 && at <= 64 && at + 1 < s.n && s.n <= ADDRESS_MAX;
}

mp_err mp_mail_address(const char *text, mp_str *name, mp_str *address, mp_why *why)
{
    mp_str whole = mp_str_of(text), before = {0}, bare = whole;
    const char *open = strrchr(text, '<');
    if (open && whole.n && text[whole.n - 1] == '>') {
        before = (mp_str){text, (size_t)(open - text)};
        bare = (mp_str){open + 1, whole.n - before.n - 2};
    }
    while (before.n && before.p[before.n - 1] == ' ')
        before.n--;
    bool fine = is_address(bare) && one_line(before) && before.n <= NAME_MAX_BYTES;
    *name = fine ? before : (mp_str){0};
    *address = fine ? bare : (mp_str){0};
    return fine ? MP_OK : mp_fail(why, MP_INVALID, "this is not a mail address");
}

/* ---- headers ---- */

/* Words of RFC 2047, each of whole characters, folded one per line. */
static void add_words(mp_buf *out, mp_str s)
{
    char base64[sodium_base64_ENCODED_LEN(WORD_BYTES, sodium_base64_VARIANT_ORIGINAL)];
    for (size_t i = 0, n; i < s.n; i += n) {
        for (n = 0; i + n < s.n;) {
            size_t k = utf8_at((const uint8_t *)s.p + i + n, s.n - i - n);
            if (n + k > WORD_BYTES)
                break;
            n += k;
        }
        sodium_bin2base64(base64, sizeof base64, (const uint8_t *)s.p + i, n,
                          sodium_base64_VARIANT_ORIGINAL);
        mp_buf_printf(out, "%s=?utf-8?B?%s?=", i ? "\r\n " : "", base64);
    }
}

static bool contains(mp_str s, const char *what)
{
    return s.n && memmem(s.p, s.n, what, strlen(what)) != NULL;
}

static void add_subject(mp_buf *out, mp_str s)
{
    mp_buf_str(out, "Subject: ");
    /* A blank at either end would be lost, "=?" would be read as a word. */
    bool raw = s.n <= RAW_MAX && is_ascii(s) && !contains(s, "=?") &&
               (s.n == 0 || (s.p[0] != ' ' && s.p[s.n - 1] != ' '));
    if (raw)
        mp_buf_add(out, s.p, s.n);
    else
        add_words(out, s);
    mp_buf_str(out, "\r\n");
}

static void add_from(mp_buf *out, mp_str name, mp_str address)
{
    mp_buf_str(out, "From: ");
    bool quoted = name.n <= RAW_MAX && is_ascii(name) && !contains(name, "=?") &&
                  !contains(name, "\"") && !contains(name, "\\");
    if (name.n && quoted)
        mp_buf_printf(out, "\"%.*s\"\r\n ", (int)name.n, name.p);
    else if (name.n) {
        add_words(out, name);
        mp_buf_str(out, "\r\n ");
    }
    mp_buf_printf(out, "<%.*s>\r\n", (int)address.n, address.p);
}

/* Not strftime: days and months are English in every locale. */
static mp_err add_date(mp_buf *out, int64_t now_s, mp_why *why)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t now = (time_t)now_s;
    struct tm t;
    if (!gmtime_r(&now, &t))
        return mp_fail(why, MP_INVALID, "the clock shows no date");
    mp_buf_printf(out, "Date: %.3s, %02d %.3s %d %02d:%02d:%02d +0000\r\n", days + 3 * t.tm_wday,
                  t.tm_mday, months + 3 * t.tm_mon, t.tm_year + 1900, t.tm_hour, t.tm_min,
                  t.tm_sec);
    return MP_OK;
}

static void add_id(mp_buf *out, mp_str address)
{
    uint8_t id[16];
    char hex[2 * sizeof id + 1];
    const char *at = memchr(address.p, '@', address.n);
    mp_random_bytes(id, sizeof id);
    mp_hex(id, sizeof id, hex);
    mp_buf_printf(out, "Message-ID: <%s%.*s>\r\n", hex, (int)(address.p + address.n - at), at);
}

/* ---- text ---- */

/* Quoted-printable (RFC 2045, 6.7): lines end in CRLF, a blank at a line's end is encoded, longer
 * lines are broken softly. */
static void add_text(mp_buf *out, mp_str s)
{
    size_t column = 0;
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = (uint8_t)s.p[i];
        size_t left = s.n - i - 1;
        bool cr = c == '\r' && left && s.p[i + 1] == '\n';
        if (cr)
            continue;
        if (c == '\n') {
            mp_buf_str(out, "\r\n");
            column = 0;
            continue;
        }
        bool ends = left == 0 || s.p[i + 1] == '\n' || s.p[i + 1] == '\r';
        bool raw = (c > ' ' && c < 0x7F && c != '=') || ((c == ' ' || c == '\t') && !ends);
        if (column + (raw ? 1 : 3) > LINE_MAX_QP - 1) {
            mp_buf_str(out, "=\r\n");
            column = 0;
        }
        if (raw)
            mp_buf_add(out, &c, 1);
        else
            mp_buf_printf(out, "=%02X", c);
        column += raw ? 1 : 3;
    }
    mp_buf_str(out, column ? "\r\n" : "");
}

static mp_err check(const mp_mail *mail, mp_str name, mp_why *why)
{
    mp_str subject = mp_str_of(mail->subject), text = mp_str_of(mail->text);
    if (name.n)
        return mp_fail(why, MP_INVALID, "the receiver is given by the bare address");
    if (subject.n > SUBJECT_MAX || !one_line(subject))
        return mp_fail(why, MP_INVALID, "a subject is one line of at most %d bytes of UTF-8",
                       SUBJECT_MAX);
    if (text.n > TEXT_MAX || !is_utf8(text))
        return mp_fail(why, MP_INVALID, "a mail's text is UTF-8 of at most %d bytes", TEXT_MAX);
    return MP_OK;
}

mp_err mp_mail_compose(const char *from, const mp_mail *mail, int64_t now_s, mp_buf *out,
                       mp_why *why)
{
    mp_str name, address, to_name, to;
    mp_err err = mp_mail_address(from, &name, &address, why);
    if (!err)
        err = mp_mail_address(mail->to, &to_name, &to, why);
    if (!err)
        err = check(mail, to_name, why);
    if (!err)
        err = add_date(out, now_s, why);
    if (err)
        return err;
    add_from(out, name, address);
    mp_buf_printf(out, "To: <%.*s>\r\n", (int)to.n, to.p);
    add_id(out, address);
    add_subject(out, mp_str_of(mail->subject));
    mp_buf_str(out, "Auto-Submitted: auto-generated\r\n"
                    "MIME-Version: 1.0\r\n"
                    "Content-Type: text/plain; charset=utf-8\r\n"
                    "Content-Transfer-Encoding: quoted-printable\r\n"
                    "\r\n");
    add_text(out, mp_str_of(mail->text));
    return MP_OK;
}
