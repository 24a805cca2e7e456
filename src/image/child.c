/* child.c - see child.h.
 *
 * The child is killed and reaped by its pid only; a host that reaps all children itself, or ignores
 * SIGCHLD, merely leaves us without the reason of a death. No descriptor outlives an exec: all are
 * CLOEXEC. */
#include "image/child.h"

#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    START_MS = 30000, /* loading libvips' modules takes 0.1 s; a starving machine may need more */
    DEATH_MS = 2000,  /* given to a process whose socket has closed to be dead */
    CPU_FACTOR = 4    /* threads of one decode that may run side by side */
};

extern char **environ;

/* ---- descriptors in messages ---- */

static bool send_with_fd(int sock, const void *data, size_t n, int fd)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec part = {(void *)(uintptr_t)data, n};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.room,
                             .msg_controllen = sizeof control.room};
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    ssize_t sent;
    do
        sent = sendmsg(sock, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)n;
}

typedef enum heard { HEARD, LATE, CLOSED, NONSENSE } heard;

/* Waits for a message of exactly n bytes. */
static heard receive(int sock, void *to, size_t n, int timeout_ms)
{
    double until = mp_monotonic_s() + timeout_ms / 1000.0;
    for (;;) {
        double left = until - mp_monotonic_s();
        struct pollfd p = {.fd = sock, .events = POLLIN};
        if (left <= 0)
            return LATE;
        int ready = poll(&p, 1, (int)(left * 1000) + 1);
        if (ready == 0)
            return LATE;
        if (ready < 0 && errno != EINTR)
            return CLOSED;
        if (ready < 0)
            continue;
        ssize_t got = recv(sock, to, n, MSG_DONTWAIT | MSG_TRUNC);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got <= 0) /* the end, or a reset by a child that died with our message unread */
            return CLOSED;
        return got == (ssize_t)n ? HEARD : NONSENSE;
    }
}

/* ---- start ---- */

/* The child's environment: nothing of the host's but what decides whether and how it runs. */
enum { ENV_MAX = 9 };

static void child_environment(char *env[ENV_MAX])
{
    static const char *const kept[] = {"LD_LIBRARY_PATH=", "MAGPIE_SIMD=",  "ASAN_OPTIONS=",
                                       "LSAN_OPTIONS=",    "TSAN_OPTIONS=", "UBSAN_OPTIONS="};
    static char locale[] = "LC_ALL=C", arenas[] = "MALLOC_ARENA_MAX=2";
    size_t n = 0;
    env[n++] = locale;
    env[n++] = arenas; /* each further arena reserves 64 MB of the child's address space */
    for (size_t k = 0; k < MP_COUNT(kept); k++)
        for (char **e = environ; e && *e && n < ENV_MAX - 1; e++)
            if (strncmp(*e, kept[k], strlen(kept[k])) == 0)
                env[n++] = *e;
    env[n] = NULL;
}

/* The child gets descriptors 0 to 3 and nothing else of ours, a group of its own (Ctrl-C is for the
 * parent to handle) and default signals. */
static mp_err spawn(const char *path, int child_sock, pid_t *pid, mp_why *why)
{
    char role[] = "decode-worker";
    char *const argv[] = {(char *)(uintptr_t)path, role, NULL};
    char *env[ENV_MAX];
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, all;
    child_environment(env);
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attr);
    int code = posix_spawn_file_actions_adddup2(&files, child_sock, WIRE_FD);
    for (int fd = 0; code == 0 && fd < WIRE_FD; fd++)
        code = posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_RDWR, 0);
    if (code == 0)
        code = posix_spawn_file_actions_addclosefrom_np(&files, WIRE_FD + 1);
    if (code == 0)
        code = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                   POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attr, 0);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &all);
    if (code == 0)
        code = posix_spawn(pid, path, &files, &attr, argv, env);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    return code == 0 ? MP_OK
                     : mp_fail(why, MP_INTERNAL, "cannot start the decoder %s: %s", path,
                               strerrordesc_np(code));
}

/* Sealed: a child that cut the memory short would make our reads of it fatal. */
static mp_err share_memory(mp_child *c, int *fd, mp_why *why)
{
    *fd = memfd_create("magpie-pixels", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (*fd < 0 || ftruncate(*fd, WIRE_SHARED) != 0 ||
        fcntl(*fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
        return mp_fail_errno(why, errno, "no shared memory for decoding");
    void *map = mmap(NULL, WIRE_SHARED, PROT_READ, MAP_SHARED, *fd, 0);
    if (map == MAP_FAILED)
        return mp_fail_errno(why, errno, "no shared memory for decoding");
    c->shared = map;
    return MP_OK;
}

/* *theirs is above the child's own numbers, so that placing them cannot overwrite it. */
static mp_err connect_pair(mp_child *c, int *theirs, mp_why *why)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return mp_fail_errno(why, errno, "no socket for decoding");
    c->sock = pair[0];
    *theirs = pair[1];
    if (pair[1] <= WIRE_FD) {
        *theirs = fcntl(pair[1], F_DUPFD_CLOEXEC, WIRE_FD + 1);
        close(pair[1]);
    }
    return *theirs >= 0 ? MP_OK : mp_fail_errno(why, errno, "no socket for decoding");
}

static mp_err shake_hands(mp_child *c, const char *path, int memory, int64_t memory_bytes,
                          mp_why *why)
{
    wire_hello hello = {WIRE_MAGIC, sizeof(wire_request), memory_bytes};
    wire_ready ready;
    heard h = send_with_fd(c->sock, &hello, sizeof hello, memory)
                  ? receive(c->sock, &ready, sizeof ready, START_MS)
                  : CLOSED;
    if (h == LATE)
        return mp_fail(why, MP_INTERNAL, "the decoder %s does not start", path);
    if (h != HEARD || ready.magic != WIRE_MAGIC)
        return mp_fail(why, MP_INTERNAL,
                       "the decoder %s is no magpie of this version: set MAGPIE_DECODER", path);
    ready.why.text[sizeof ready.why.text - 1] = '\0';
    return ready.err
               ? mp_fail(why, MP_INTERNAL, "the decoder %s cannot start: %s", path, ready.why.text)
               : MP_OK;
}

mp_err mp_child_start(const char *path, int64_t memory_bytes, mp_child **out, mp_why *why)
{
    int theirs = -1, memory = -1;
    mp_child *c = mp_xcalloc(1, sizeof *c);
    *c = (mp_child){.sock = -1};
    *out = NULL;
    mp_err err = share_memory(c, &memory, why);
    if (!err)
        err = connect_pair(c, &theirs, why);
    if (!err)
        err = spawn(path, theirs, &c->pid, why);
    if (theirs >= 0)
        close(theirs); /* before waiting: an end of file must mean that the child has ended */
    if (!err)
        err = shake_hands(c, path, memory, memory_bytes, why);
    if (memory >= 0)
        close(memory);
    if (err)
        mp_child_end(c);
    else
        *out = c;
    return err;
}

/* ---- end ---- */

static bool reap(mp_child *c, int flags, int *status)
{
    pid_t got;
    do
        got = waitpid(c->pid, status, flags);
    while (got < 0 && errno == EINTR);
    if (got == 0)
        return false;
    if (got < 0)
        *status = -1; /* the host has reaped it: the reason is lost */
    c->pid = 0;
    return true;
}

void mp_child_end(mp_child *c)
{
    int status;
    if (c->sock >= 0)
        close(c->sock);
    if (c->pid > 0) {
        kill(c->pid, SIGKILL);
        reap(c, 0, &status);
    }
    if (c->shared)
        munmap((void *)(uintptr_t)c->shared, WIRE_SHARED);
    free(c);
}

/* The socket of a dying process closes a little before its status can be had. */
static mp_err explain_death(mp_child *c, heard h, mp_why *why)
{
    static const struct timespec ms = {.tv_nsec = 1000000};
    int status = 0;
    bool dead = reap(c, WNOHANG, &status);
    for (int waited = 0; !dead && h == CLOSED && waited < DEATH_MS; waited++) {
        nanosleep(&ms, NULL);
        dead = reap(c, WNOHANG, &status);
    }
    if (!dead)
        return mp_fail(why, MP_CORRUPT, "broken picture: its decoder answered nonsense");
    if (status == -1)
        return mp_fail(why, MP_CORRUPT, "broken picture: its decoder died");
    if (!WIFSIGNALED(status))
        return mp_fail(why, MP_CORRUPT, "broken picture: its decoder died: exit code %d",
                       WEXITSTATUS(status));
    int sig = WTERMSIG(status);
    if (sig == SIGXCPU || sig == SIGALRM)
        return mp_fail(why, MP_TIMEOUT, "decoding took too much processor time");
    return mp_fail(why, MP_CORRUPT, "broken picture: its decoder died: signal %d (%s)", sig,
                   sigabbrev_np(sig) ? sigabbrev_np(sig) : "?");
}

/* ---- one picture ---- */

/* A child that somehow escapes the deadline cannot burn a processor for ever. Set from outside,
 * because the sandbox lets the child change no limit. */
static void limit_cpu(const mp_child *c, int timeout_ms)
{
    clockid_t clock;
    struct timespec used;
    struct rlimit l;
    if (clock_getcpuclockid(c->pid, &clock) != 0 || clock_gettime(clock, &used) != 0 ||
        prlimit(c->pid, RLIMIT_CPU, NULL, &l) != 0)
        return;
    rlim_t until = (rlim_t)used.tv_sec + CPU_FACTOR * ((rlim_t)timeout_ms / 1000 + 1);
    l.rlim_cur = MP_MIN(until, l.rlim_max);
    prlimit(c->pid, RLIMIT_CPU, &l, NULL);
}

mp_answer mp_child_ask(mp_child *c, const wire_request *q, int fd, wire_reply *reply, mp_err *err,
                       mp_why *why)
{
    limit_cpu(c, q->timeout_ms);
    heard h = send_with_fd(c->sock, q, sizeof *q, fd)
                  ? receive(c->sock, reply, sizeof *reply, q->timeout_ms)
                  : CLOSED;
    *err = MP_OK;
    c->served++;
    if (h == HEARD) {
        reply->why.text[sizeof reply->why.text - 1] = '\0';
        return MP_ANSWERED;
    }
    if (h == LATE) {
        *err = mp_fail(why, MP_TIMEOUT, "decoding took longer than %d ms", q->timeout_ms);
        return MP_LATE;
    }
    *err = explain_death(c, h, why);
    return MP_DIED;
}
