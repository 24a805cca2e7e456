/* hostile_load.c - stands between the real worker and its loader (--wrap=mp_load): a PPM whose
 * comment names a crime makes the loader commit it, inside the real sandbox. What it got away with
 * is told in the error's text. */
#include "image/load.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

mp_err __real_mp_load(mp_span bytes, const mp_load_limits *limits, int min_short, int min_long,
                      mp_loaded *out, mp_why *why);
mp_err __wrap_mp_load(mp_span bytes, const mp_load_limits *limits, int min_short, int min_long,
                      mp_loaded *out, mp_why *why);

/* Each returns true if it succeeded in doing what it must not. */
static bool open_read(void)
{
    return open("/etc/passwd", O_RDONLY) >= 0;
}

static bool open_write(void)
{
    return open("/tmp/magpie-escaped", O_WRONLY | O_CREAT, 0600) >= 0;
}

static bool make_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}

static bool start_process(void)
{
    return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) >= 0;
}

static bool signal_parent(void)
{
    return kill(getppid(), 0) == 0;
}

static bool make_code(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
           MAP_FAILED;
}

static bool raise_limit(void)
{
    struct rlimit l = {RLIM_INFINITY, RLIM_INFINITY};
    return setrlimit(RLIMIT_CPU, &l) == 0;
}

static bool write_fd(void)
{
    return write(2, "x", 1) == 1;
}

static bool remove_file(void)
{
    return unlink("/tmp/magpie-escaped") == 0 || errno != EPERM;
}

static bool take_memory(void)
{
    void *volatile p = malloc((size_t)3 << 30); /* volatile: compilers know what malloc is */
    return p != NULL;
}

/* From a thread: it inherits the filter, and threads that existed before must have it too. */
static void *open_in_thread(void *got)
{
    *(bool *)got = open_read();
    return NULL;
}

static bool open_from_thread(void)
{
    pthread_t thread;
    bool got = false;
    if (pthread_create(&thread, NULL, open_in_thread, &got) != 0)
        return true; /* decoders need threads: that this fails is wrong as well */
    pthread_join(thread, NULL);
    return got;
}

static bool hang(void)
{
    for (;;)
        nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    return true;
}

static bool spin(void)
{
    for (volatile unsigned i = 0;; i++)
        continue;
    return true;
}

static bool crash(void)
{
    raise(SIGSEGV);
    signal(SIGSEGV, SIG_DFL);
    return raise(SIGSEGV) == 0;
}

static bool run_program(void)
{
    char *const argv[] = {(char[]){"true"}, NULL};
    return execve("/bin/true", argv, NULL) == 0;
}

static bool leave(void)
{
    _exit(7);
}

/* A sleeping thread from before the sandbox, which then tries to get out. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static bool old_thread_got;
static pthread_t old_thread;

static void *wait_at_gate(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&gate);
    old_thread_got = open_read();
    pthread_mutex_unlock(&gate);
    return NULL;
}

__attribute__((constructor)) static void start_old_thread(void)
{
    pthread_mutex_lock(&gate);
    pthread_create(&old_thread, NULL, wait_at_gate, NULL);
}

static bool open_from_old_thread(void)
{
    pthread_mutex_unlock(&gate);
    pthread_join(old_thread, NULL);
    return old_thread_got;
}

static const struct crime {
    const char *name;
    bool (*commit)(void);
} crimes[] = {
    {"open_read", open_read},
    {"open_write", open_write},
    {"make_socket", make_socket},
    {"start_process", start_process},
    {"signal_parent", signal_parent},
    {"make_code", make_code},
    {"raise_limit", raise_limit},
    {"write_fd", write_fd},
    {"remove_file", remove_file},
    {"take_memory", take_memory},
    {"thread", open_from_thread},
    {"old_thread", open_from_old_thread},
    {"hang", hang},
    {"spin", spin},
    {"crash", crash},
    {"run_program", run_program},
    {"leave", leave},
};

mp_err __wrap_mp_load(mp_span bytes, const mp_load_limits *limits, int min_short, int min_long,
                      mp_loaded *out, mp_why *why)
{
    for (size_t i = 0; i < MP_COUNT(crimes); i++) {
        size_t n = strlen(crimes[i].name);
        if (bytes.n > n + 4 && memcmp(bytes.p, "P6\n#", 4) == 0 &&
            memcmp(bytes.p + 4, crimes[i].name, n) == 0 && bytes.p[4 + n] == '\n')
            return mp_fail(why, MP_CORRUPT, crimes[i].commit() ? "escaped" : "held");
    }
    return __real_mp_load(bytes, limits, min_short, min_long, out, why);
}
