/* sandbox.c - see sandbox.h. Sanitizers need more of the system than any sandbox would leave them
 * (they map terabytes and read /proc), so that builds with them run without the memory limit and
 * the filter; the decode path is otherwise the same. */
#include "image/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static int64_t address_space_in_use(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f) {
        if (fscanf(f, "%ld", &pages) != 1)
            pages = 0;
        fclose(f);
    }
    return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

static mp_err limit(int resource, rlim_t value, mp_why *why)
{
    struct rlimit l = {value, value};
    return setrlimit(resource, &l) == 0 ? MP_OK : mp_fail_errno(why, errno, "setrlimit");
}

static const int allowed[] = {
    SCMP_SYS(read),
    SCMP_SYS(pread64),
    SCMP_SYS(readv),
    SCMP_SYS(recvmsg),
    SCMP_SYS(sendmsg),
    SCMP_SYS(sendto),
    SCMP_SYS(close),
    SCMP_SYS(fstat),
    SCMP_SYS(lseek),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(brk),
    SCMP_SYS(futex),
    SCMP_SYS(sched_yield),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(getrandom),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(getrusage),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(setitimer),
    SCMP_SYS(membarrier),
    SCMP_SYS(sysinfo),
};

/* What no decoder has an honest reason for ends the process instead of failing. */
static const int deadly[] = {
    SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork),
    SCMP_SYS(vfork),  SCMP_SYS(ptrace),   SCMP_SYS(process_vm_writev),
};

static int fill(scmp_filter_ctx filter, int socket)
{
    /* Threads, but no processes. clone3 hides its flags in memory: glibc falls back to clone. */
    const struct scmp_arg_cmp a_thread = {0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD};
    const struct scmp_arg_cmp not_executable = {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0};
    const struct scmp_arg_cmp our_socket = {0, SCMP_CMP_EQ, (scmp_datum_t)socket, 0};
    const struct scmp_arg_cmp set_flags = {1, SCMP_CMP_EQ, F_SETFL, 0};
    const struct scmp_arg_cmp to_ourselves = {0, SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0};
    const struct {
        int call;
        unsigned n;
        struct scmp_arg_cmp arg[2];
    } bounded[] = {
        {SCMP_SYS(mmap), 1, {not_executable}}, {SCMP_SYS(mprotect), 1, {not_executable}},
        {SCMP_SYS(clone), 1, {a_thread}},      {SCMP_SYS(fcntl), 2, {our_socket, set_flags}},
        {SCMP_SYS(tgkill), 1, {to_ourselves}}, /* abort() */
    };
    int code = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    for (size_t i = 0; i < MP_COUNT(allowed) && code == 0; i++)
        code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    for (size_t i = 0; i < MP_COUNT(bounded) && code == 0; i++)
        code = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, bounded[i].call, bounded[i].n,
                                      bounded[i].arg);
    for (size_t i = 0; i < MP_COUNT(deadly) && code == 0; i++)
        code = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, deadly[i], 0);
    return code;
}

static mp_err close_door(int socket, mp_why *why)
{
    /* Everything else fails with EPERM: libraries that probe for more go on without. */
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (!filter)
        return mp_fail(why, MP_INTERNAL, "seccomp does not start");
    /* libvips keeps threads from the warm-up: without this they would stay outside. */
    int code = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    if (code == 0)
        code = fill(filter, socket);
    if (code == 0)
        code = seccomp_load(filter);
    seccomp_release(filter);
    return code == 0 ? MP_OK : mp_fail_errno(why, -code, "seccomp");
}

mp_err mp_sandbox_enter(int64_t memory_bytes, int socket, mp_why *why)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return mp_fail_errno(why, errno, "prctl");
    mp_err err = limit(RLIMIT_CORE, 0, why);
    if (!err)
        err = limit(RLIMIT_FSIZE, 0, why);
    if (err || SANITIZED)
        return err;
    err = limit(RLIMIT_AS, (rlim_t)(address_space_in_use() + memory_bytes), why);
    return err ? err : close_door(socket, why);
}
