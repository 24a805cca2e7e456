/* Answers UD2 where CPUID stood in one module (older_cpu.py writes it there; both have two bytes)
 * with the processor's own words, less AVX-512 and the products of bytes (VNNI): for peers that ask
 * the processor and know no setting for it. Bits: Intel SDM volume 2, CPUID, leaf 7. x86-64, Linux.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <dlfcn.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

static const char *module;

static void hide(unsigned leaf, unsigned sub, unsigned *a, unsigned *b, unsigned *c, unsigned *d)
{
    if (leaf == 7 && sub == 0) {
        *b &= ~(1u << 16 | 1u << 17 | 1u << 21 | 1u << 26 | 1u << 27 | 1u << 28 | 1u << 30 |
                1u << 31);
        *c &= ~(1u << 1 | 1u << 6 | 1u << 11 | 1u << 12 | 1u << 14);
        *d &= ~(1u << 2 | 1u << 3 | 1u << 8 | 1u << 22 | 1u << 23 | 1u << 24 | 1u << 25);
    } else if (leaf == 7 && sub == 1) {
        *a &= ~(1u << 4 | 1u << 5 | 1u << 21 | 1u << 23);
        *d &= ~(1u << 4 | 1u << 5 | 1u << 8 | 1u << 10 | 1u << 19);
    }
}

static void answer(int number, siginfo_t *info, void *context)
{
    static const uint8_t ud2[2] = {0x0f, 0x0b};
    greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
    void *at = info->si_addr;
    Dl_info where;
    if (memcmp(at, ud2, sizeof ud2) != 0 || !dladdr(at, &where) ||
        !strstr(where.dli_fname, module)) {
        signal(number, SIG_DFL); /* not ours: it comes again, and ends the process */
        return;
    }
    unsigned leaf = (unsigned)g[REG_RAX], sub = (unsigned)g[REG_RCX], a, b, c, d;
    __cpuid_count(leaf, sub, a, b, c, d);
    hide(leaf, sub, &a, &b, &c, &d);
    g[REG_RAX] = a, g[REG_RBX] = b, g[REG_RCX] = c, g[REG_RDX] = d;
    g[REG_RIP] += (greg_t)sizeof ud2;
}

/* Before the module whose path holds `part` (kept) is loaded. 0, or -1 with errno. */
int older_cpu(const char *part)
{
    module = part;
    struct sigaction action = {.sa_sigaction = answer, .sa_flags = SA_SIGINFO};
    return sigaction(SIGILL, &action, NULL);
}
