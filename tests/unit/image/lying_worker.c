/* lying_worker.c - speaks the wire protocol and lies; which lie is told by the name it is started
 * by. No sandbox: only its parent is under test. */
#include "image/wire.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool hear(void *to, size_t n)
{
    char room[CMSG_SPACE(4 * sizeof(int))];
    struct iovec part = {to, n};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    return recvmsg(WIRE_FD, &message, 0) == (ssize_t)n;
}

static void say(const void *data, size_t n)
{
    if (send(WIRE_FD, data, n, MSG_NOSIGNAL) != (ssize_t)n)
        _exit(1);
}

static wire_reply honest(const wire_request *q)
{
    wire_reply r = {.format = MP_PNG, .width = 10, .height = 10, .frames = 1};
    r.fitted_w = r.fitted_h = q->spec.fit_long_side;
    r.thumbnail_n = 100;
    return r;
}

/* Texts without an end and with anything in them, numbers that are none. */
static void odd_exif(mp_exif *e)
{
    memset(e, '\xff', sizeof *e);
    memset(e->make, 'x', sizeof e->make);
    strcpy(e->model, "A\x1b[1m\n\xff\xe2\x80\xae\xc3\xa9\xed\xa0\x80\xc0\xaf  ");
    memset(e->lens, '\xf0', sizeof e->lens);
    e->f_number = INFINITY;
    e->iso = -1;
    e->exposure_s = 0.5;
    e->latitude = 12;
    e->longitude = 181;
}

/* One lie per name; each must be noticed. */
static bool lie(const char *name, wire_reply *r)
{
    const struct {
        const char *name;
        int32_t *number;
        int32_t value;
    } numbers[] = {
        {"wide", &r->width, 1 << 30},        {"flat", &r->height, 0},
        {"negative", &r->width, -4},         {"no_format", &r->format, 0},
        {"odd_format", &r->format, 99},      {"no_frames", &r->frames, 0},
        {"big_fitted", &r->fitted_w, 60000}, {"minus_fitted", &r->fitted_h, -1},
    };
    for (size_t i = 0; i < MP_COUNT(numbers); i++)
        if (strcmp(name, numbers[i].name) == 0) {
            *numbers[i].number = numbers[i].value;
            return true;
        }
    if (strcmp(name, "big_thumbnail") == 0)
        r->thumbnail_n = INT64_MAX;
    else if (strcmp(name, "minus_thumbnail") == 0)
        r->thumbnail_n = -1;
    else if (strcmp(name, "nan") == 0)
        r->quality.entropy = NAN;
    else if (strcmp(name, "exif") == 0)
        odd_exif(&r->exif);
    else if (strcmp(name, "year") == 0)
        r->taken_ms = INT64_MAX;
    else
        return strcmp(name, "thumbnail_is_no_webp") == 0;
    return true;
}

static void answer(const char *name, const wire_request *q, int round)
{
    wire_reply r = honest(q);
    if (strcmp(name, "short") == 0) {
        say("?", 1);
        pause();
    } else if (strcmp(name, "long") == 0) {
        static char room[sizeof(wire_reply) + 1];
        say(room, sizeof room);
        pause();
    } else if (strcmp(name, "hang_up") == 0) {
        close(WIRE_FD); /* and lives on */
        pause();
    } else if (strcmp(name, "words") == 0) {
        r.err = 12345;
        memset(r.why.text, '\x1b', sizeof r.why.text); /* no end, and terminal codes */
        say(&r, sizeof r);
    } else if (strcmp(name, "second") == 0 && round == 1) {
        abort();
    } else if (strcmp(name, "second") == 0) {
        r.err = MP_TOO_BIG;
        strcpy(r.why.text, "served");
        say(&r, sizeof r);
    } else if (lie(name, &r)) {
        say(&r, sizeof r);
    }
}

int main(int argc, char **argv)
{
    const char *name = strrchr(argv[0], '/');
    wire_hello hello;
    wire_request request;
    wire_ready ready = {.magic = WIRE_MAGIC};
    name = name ? name + 1 : argv[0];
    if (argc < 2 || !hear(&hello, sizeof hello))
        return 2;
    if (strcmp(name, "other_version") == 0)
        ready.magic++;
    if (strcmp(name, "no_sandbox") == 0) {
        ready.err = MP_INTERNAL;
        strcpy(ready.why.text, "seccomp: not here");
    }
    say(&ready, sizeof ready);
    for (int round = 0; hear(&request, sizeof request); round++)
        answer(name, &request, round);
    return 0;
}
