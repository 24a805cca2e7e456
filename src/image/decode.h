/* decode.h - the pool of sandboxed decode workers.
 *
 * A pool owns `workers` child processes, each started with posix_spawn (safe in a threaded host)
 * as `<decoder> decode-worker`, talking over a socketpair; the file descriptor of the picture and
 * of the shared memory travel by SCM_RIGHTS. In the child: no file system, no network, no new
 * processes (seccomp, for all its threads), RLIMIT_AS / CPU / FSIZE / CORE, and it dies with its
 * parent. A child that misses its deadline or crashes is killed and replaced; the picture gets
 * MP_TIMEOUT or MP_CORRUPT. A crash in a child that had served other pictures before is tried once
 * more in a fresh one, so that no picture pays for another. The deadline does not count the time
 * that a child takes to start. Builds with sanitizers have no seccomp filter and no RLIMIT_AS.
 * Safe from any thread: a call takes a free worker or waits for one. */
#ifndef MP_DECODE_H
#define MP_DECODE_H

#include "image/image.h"

typedef struct mp_decoder_options {
    const char *decoder; /* path of the magpie binary */
    int workers;         /* at least 1; started when first needed */
    int timeout_ms;      /* per picture */
    int64_t max_pixels;
    int32_t max_side;
    int64_t memory_bytes; /* RLIMIT_AS beyond what the idle worker uses; 0: 1 GiB */
} mp_decoder_options;

enum { MP_MAX_VIEWS = 4 };

typedef struct mp_decode_spec {
    mp_view_spec view[MP_MAX_VIEWS];
    int n_views;
    bool analysis;     /* pHashes and quality */
    int thumbnail;     /* long side of a WebP thumbnail, 0: none */
    int fit_long_side; /* also the whole picture as RGB, aspect kept, long side at most this
                          (never enlarged), at most 1024; 0: none */
    bool header; /* the header alone: size, time and EXIF, none of the above; no pixel is decoded */
} mp_decode_spec;

/* What the camera wrote into the picture. Texts are valid UTF-8 without control characters, ""
 * where nothing is said; numbers are NAN then. */
typedef struct mp_exif {
    char make[64], model[64], lens[96], software[64], artist[96], copyright[160];
    char taken[32];                             /* local time as it stands there */
    double exposure_s, f_number, iso, focal_mm; /* above 0 */
    double focal_35mm;                          /* as on 35 mm film */
    double bias_ev;                             /* exposure compensation */
    double flash;                               /* bit 0: it fired */
    double latitude, longitude, altitude_m;     /* WGS 84; south, west and below are negative */
} mp_exif;

typedef struct mp_decoded {
    mp_format format;
    int width, height; /* of the original, after orientation */
    int frames;
    int64_t taken_ms; /* EXIF DateTimeOriginal as UTC, 0 if none */
    mp_exif exif;     /* with `header` alone */
    mp_image view[MP_MAX_VIEWS];
    mp_image fitted;
    uint64_t phash[8]; /* as mp_phash8 */
    mp_quality quality;
    uint8_t *thumbnail; /* WebP */
    size_t thumbnail_n;
} mp_decoded;

typedef struct mp_decoder mp_decoder; /* opaque: decode.c */
/* Starts nothing yet; caller closes. */
MP_CHECK mp_err mp_decoder_open(mp_decoder **out, const mp_decoder_options *opt, mp_why *why);
/* Decodes the picture behind fd (a regular file or memfd, read from offset 0; not closed; open it
 * read-only: the child is given it).
 * *out is owned by the caller: mp_decoded_free. Errors: UNSUPPORTED (no known magic),
 * CORRUPT (broken, or its worker died), TOO_BIG (header says more than the limits, or memory),
 * TIMEOUT, IO, INVALID (a spec that cannot be), INTERNAL (no worker can be started). */
MP_CHECK mp_err mp_decode_fd(mp_decoder *d, int fd, const mp_decode_spec *spec, mp_decoded *out,
                             mp_why *why);
/* The same for bytes in memory (goes through a memfd). */
MP_CHECK mp_err mp_decode_bytes(mp_decoder *d, mp_span bytes, const mp_decode_spec *spec,
                                mp_decoded *out, mp_why *why);
void mp_decoded_free(mp_decoded *d); /* leaves it empty */
/* Ends the children and waits for them. NULL allowed. */
void mp_decoder_close(mp_decoder *d);

/* main() of the child: serves requests on file descriptor 3 until it closes; returns exit code. */
int mp_decode_worker_main(void);

#endif
