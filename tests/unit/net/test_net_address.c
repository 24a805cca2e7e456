/* Which addresses are public, and what a URL says without the network. */
#include "../test.h"

#include "net/net.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

static bool allowed(const char *text)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    struct sockaddr_in four = {.sin_family = AF_INET};
    if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
        return mp_net_address_allowed((const struct sockaddr *)&four);
    if (inet_pton(AF_INET6, text, &six.sin6_addr) != 1)
        fail_msg("%s is no address", text);
    return mp_net_address_allowed((const struct sockaddr *)&six);
}

/* Each block by its first and last address; the neighbours outside are public where nothing else
 * lies there. */
static void addresses_are_judged_by_block(void **state)
{
    (void)state;
    static const char *const refused[] = {"0.0.0.0",
                                          "0.255.255.255",
                                          "10.0.0.0",
                                          "10.255.255.255",
                                          "100.64.0.0",
                                          "100.127.255.255",
                                          "127.0.0.0",
                                          "127.0.0.1",
                                          "127.255.255.255",
                                          "168.63.129.16",
                                          "169.254.0.0",
                                          "169.254.169.254",
                                          "169.254.255.255",
                                          "172.16.0.0",
                                          "172.31.255.255",
                                          "192.0.0.0",
                                          "192.0.0.255",
                                          "192.0.2.0",
                                          "192.0.2.255",
                                          "192.88.99.1",
                                          "192.168.0.0",
                                          "192.168.255.255",
                                          "198.18.0.0",
                                          "198.19.255.255",
                                          "198.51.100.0",
                                          "198.51.100.255",
                                          "203.0.113.0",
                                          "203.0.113.255",
                                          "224.0.0.0",
                                          "239.255.255.255",
                                          "240.0.0.0",
                                          "255.255.255.254",
                                          "255.255.255.255",
                                          "::",
                                          "::1",
                                          "::127.0.0.1",
                                          "::8.8.8.8",
                                          "::ffff:127.0.0.1",
                                          "::ffff:8.8.8.8",
                                          "::ffff:0:8.8.8.8",
                                          "64:ff9b::7f00:1",
                                          "64:ff9b::808:808",
                                          "64:ff9b:1::a00:1",
                                          "100::1",
                                          "1fff:ffff::1",
                                          "2001::",
                                          "2001:0:7f00:1::",
                                          "2001:2::1",
                                          "2001:20::1",
                                          "2001:1ff:ffff::",
                                          "2001:db8::",
                                          "2001:db8:ffff:ffff::",
                                          "2002::",
                                          "2002:7f00:1::",
                                          "2002:ffff:ffff:ffff::",
                                          "3fff::",
                                          "3fff:fff:ffff::",
                                          "4000::",
                                          "5f00::1",
                                          "fc00::",
                                          "fd00:ec2::254",
                                          "fdff:ffff::",
                                          "fe80::1",
                                          "febf:ffff::",
                                          "fec0::1",
                                          "ff00::",
                                          "ff02::1",
                                          "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"};
    static const char *const public[] = {
        "1.0.0.0",         "8.8.8.8",         "9.255.255.255",  "11.0.0.0",       "100.63.255.255",
        "100.128.0.0",     "126.255.255.255", "128.0.0.0",      "168.63.129.15",  "168.63.129.17",
        "169.253.255.255", "169.255.0.0",     "172.15.255.255", "172.32.0.0",     "192.0.1.0",
        "192.0.3.0",       "192.167.255.255", "192.169.0.0",    "198.17.255.255", "198.20.0.0",
        "198.51.99.255",   "198.51.101.0",    "203.0.112.255",  "203.0.114.0",    "223.255.255.255",
        "2000::",          "2001:200::1",     "2001:db7::1",    "2001:db9::1",    "2003::1",
        "2606:4700::1111", "3ffe:ffff::",     "3fff:1000::"};
    for (size_t i = 0; i < MP_COUNT(refused); i++)
        if (allowed(refused[i]))
            fail_msg("%s is allowed", refused[i]);
    for (size_t i = 0; i < MP_COUNT(public); i++)
        if (!allowed(public[i]))
            fail_msg("%s is refused", public[i]);
}

static void other_families_are_refused(void **state)
{
    (void)state;
    struct sockaddr_un local = {.sun_family = AF_UNIX, .sun_path = "/tmp/x"};
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    assert_false(mp_net_address_allowed((const struct sockaddr *)&local));
    assert_false(mp_net_address_allowed(&none));
}

static void urls_are_judged_without_the_network(void **state)
{
    (void)state;
    mp_why why;
    static const char *const refused[] = {
        "", "x", "example.com", "//example.com/", "http://", "http:///", "http://:80/",
        "ftp://example.com/a.png", "file:///etc/passwd", "gopher://example.com/1",
        "dict://example.com:11211/", "javascript:alert(1)", "data:image/png;base64,AAAA",
        "http://user@example.com/", "http://user:word@example.com/", "http://:word@example.com/",
        "http://example.com:0/", "http://example.com:65536/", "http://example.com:-1/",
        "http://exa mple.com/", "http://example.com/a\r\nb",
        /* addresses, however they are written */
        "http://127.0.0.1/", "HTTP://127.0.0.1/", "https://127.0.0.1/", "http://127.0.0.1:8080/",
        "http://127.1/", "http://127.0.1/", "http://2130706433/", "http://017700000001/",
        "http://0x7f000001/", "http://0x7F.1/", "http://0177.0.0.1/", "http://0177.0.0.01/",
        "http://127.0.0.1./", "http://0/", "http://0.0.0.0/", "http://10.1.2.3/",
        "http://169.254.169.254/latest/meta-data/", "http://2852039166/", "http://0xa9fea9fe/",
        "http://192.168.1.1/", "http://172.16.0.1/", "http://[::1]/", "http://[::]/",
        "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[0:0:0:0:0:ffff:7f00:1]/",
        "http://[::127.0.0.1]/", "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/",
        "http://[fe80::1%25lo]/", "http://[fd00::1]/", "http://localhost/", "http://LocalHost./",
        "http://a.localhost/", "http://a.localhost.:80/"};
    static const char *const fine[] = {"http://example.com",
                                       "https://example.com/a.png?b=c#d",
                                       "http://example.com:8080/",
                                       "HTTPS://EXAMPLE.COM/",
                                       "http://8.8.8.8/",
                                       "http://134744072/",
                                       "http://[2606:4700::1111]/",
                                       "http://notlocalhost/",
                                       "http://localhost.example.com/",
                                       "http://127.example.com/"};
    for (size_t i = 0; i < MP_COUNT(refused); i++)
        if (mp_net_check_url(refused[i], NULL, &why) != MP_INVALID || !*why.text)
            fail_msg("%s is not refused", refused[i]);
    for (size_t i = 0; i < MP_COUNT(fine); i++)
        if (mp_net_check_url(fine[i], NULL, &why))
            fail_msg("%s: %s", fine[i], why.text);
}

static void long_urls_are_refused(void **state)
{
    (void)state;
    mp_why why;
    static char url[9000];
    memset(url, 'a', sizeof url - 1);
    memcpy(url, "http://example.com/", strlen("http://example.com/"));
    assert_int_equal(mp_net_check_url(url, NULL, &why), MP_INVALID);
    memset(url + 7, 'a', 400); /* a host over every cap */
    url[407] = '\0';
    assert_int_equal(mp_net_check_url(url, NULL, &why), MP_INVALID);
}

static void an_exception_is_an_exact_authority(void **state)
{
    (void)state;
    mp_why why;
    static const char *const texts[] = {"127.0.0.1:9000", "[::1]:9000", "LocalHost:80"};
    const mp_net_allow allow = {texts, MP_COUNT(texts)};
    static const struct {
        const char *url;
        bool fine;
    } cases[] = {
        {"http://127.0.0.1:9000/x", true},   {"http://127.0.0.1:9001/", false},
        {"http://127.0.0.1/", false},        {"http://127.0.0.2:9000/", false},
        {"http://[::1]:9000/", true},        {"http://[::1]/", false},
        {"http://LOCALHOST/", true},         {"https://localhost/", false},
        {"https://localhost:80/", true},     {"http://localhost:9000/", false},
        {"http://a@127.0.0.1:9000/", false}, {"ftp://127.0.0.1:9000/", false},
    };
    for (size_t i = 0; i < MP_COUNT(cases); i++)
        if ((mp_net_check_url(cases[i].url, &allow, &why) == MP_OK) != cases[i].fine)
            fail_msg("%s: not %s", cases[i].url, cases[i].fine ? "allowed" : "refused");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_judged_by_block),
        cmocka_unit_test(other_families_are_refused),
        cmocka_unit_test(urls_are_judged_without_the_network),
        cmocka_unit_test(long_urls_are_refused),
        cmocka_unit_test(an_exception_is_an_exact_authority),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
