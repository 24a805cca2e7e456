/* address.c - which addresses are public. See net.h.
 *
 * After the IANA special-purpose registries (RFC 6890 and its successors). IPv4 is public unless
 * listed; IPv6 is public only inside 2000::/3 and unless listed there, which leaves out loopback,
 * link-local, unique-local, multicast, mapped and compatible IPv4 and NAT64 at once. */
#include "net/net.h"

#include <netinet/in.h>
#include <string.h>

static const struct block4 {
    uint32_t net;
    int bits;
} refused4[] = {
    {0x00000000, 8},  /* 0.0.0.0/8 this network */
    {0x0A000000, 8},  /* 10.0.0.0/8 private */
    {0x64400000, 10}, /* 100.64.0.0/10 shared, CGNAT */
    {0x7F000000, 8},  /* 127.0.0.0/8 loopback */
    {0xA83F8110, 32}, /* 168.63.129.16 a cloud's platform endpoint, though of a public block */
    {0xA9FE0000, 16}, /* 169.254.0.0/16 link-local, metadata endpoints */
    {0xAC100000, 12}, /* 172.16.0.0/12 private */
    {0xC0000000, 24}, /* 192.0.0.0/24 protocol assignments */
    {0xC0000200, 24}, /* 192.0.2.0/24 TEST-NET-1 */
    {0xC0586300, 24}, /* 192.88.99.0/24 6to4 relays */
    {0xC0A80000, 16}, /* 192.168.0.0/16 private */
    {0xC6120000, 15}, /* 198.18.0.0/15 benchmarks */
    {0xC6336400, 24}, /* 198.51.100.0/24 TEST-NET-2 */
    {0xCB007100, 24}, /* 203.0.113.0/24 TEST-NET-3 */
    {0xE0000000, 4},  /* 224.0.0.0/4 multicast */
    {0xF0000000, 4},  /* 240.0.0.0/4 reserved, broadcast */
};

/* Upper halves of addresses. */
static const struct block6 {
    uint64_t net;
    int bits;
} refused6[] = {
    {0x2001000000000000, 23}, /* 2001::/23 protocol assignments, Teredo among them */
    {0x20010DB800000000, 32}, /* 2001:db8::/32 documentation */
    {0x2002000000000000, 16}, /* 2002::/16 6to4 */
    {0x3FFF000000000000, 20}, /* 3fff::/20 documentation */
};
static const struct block6 global6 = {0x2000000000000000, 3};

static bool in6(uint64_t upper, struct block6 block)
{
    return (upper ^ block.net) >> (64 - block.bits) == 0;
}

static bool allowed4(uint32_t address)
{
    for (size_t i = 0; i < MP_COUNT(refused4); i++)
        if ((address ^ refused4[i].net) >> (32 - refused4[i].bits) == 0)
            return false;
    return true;
}

static bool allowed6(const uint8_t bytes[16])
{
    uint64_t upper = 0;
    for (int i = 0; i < 8; i++)
        upper = upper << 8 | bytes[i];
    if (!in6(upper, global6))
        return false;
    for (size_t i = 0; i < MP_COUNT(refused6); i++)
        if (in6(upper, refused6[i]))
            return false;
    return true;
}

/* Copied out: the caller's storage need not be aligned for the type. */
bool mp_net_address_allowed(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in a;
        memcpy(&a, address, sizeof a);
        return allowed4(ntohl(a.sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 a;
        memcpy(&a, address, sizeof a);
        return allowed6(a.sin6_addr.s6_addr);
    }
    return false;
}
