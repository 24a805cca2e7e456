/* jpeg.c - see jpeg.h. */
#include "image/jpeg.h"

#include <stdio.h> /* jpeglib.h needs it */

#include <jpeglib.h>
#include <jerror.h>
#include <setjmp.h>
#include <string.h>

enum {
    MAX_SCANS = 100, /* a progressive picture has about ten; each costs a pass over all blocks */
    ROWS = 16
};

typedef struct reading {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    jmp_buf failed;
    mp_image *out;
    mp_err err;
    mp_why *why;
} reading;

static void fail(j_common_ptr jpeg)
{
    reading *r = jpeg->client_data;
    char text[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, text);
    bool memory = jpeg->err->msg_code == JERR_OUT_OF_MEMORY;
    r->err = mp_fail(r->why, memory ? MP_TOO_BIG : MP_CORRUPT, "broken picture: %s", text);
    longjmp(r->failed, 1);
}

static void say_nothing(j_common_ptr jpeg)
{
    (void)jpeg;
}

static void leave_source(j_decompress_ptr jpeg)
{
    (void)jpeg;
}

/* All bytes were there from the start: who asks for more has a file that was cut off. */
static boolean no_more(j_decompress_ptr jpeg)
{
    ERREXIT(jpeg, JERR_INPUT_EOF);
    return FALSE;
}

static void skip(j_decompress_ptr jpeg, long n)
{
    struct jpeg_source_mgr *s = jpeg->src;
    if (n <= 0)
        return;
    if ((size_t)n > s->bytes_in_buffer)
        ERREXIT(jpeg, JERR_INPUT_EOF);
    s->next_input_byte += n;
    s->bytes_in_buffer -= (size_t)n;
}

static void count_scans(j_common_ptr jpeg)
{
    const struct jpeg_decompress_struct *d = (j_decompress_ptr)jpeg;
    reading *r = jpeg->client_data;
    if (d->input_scan_number <= MAX_SCANS)
        return;
    r->err = mp_fail(r->why, MP_CORRUPT, "broken picture: more than %d scans", MAX_SCANS);
    longjmp(r->failed, 1);
}

static void begin(reading *r, mp_span bytes)
{
    r->jpeg.err = jpeg_std_error(&r->errors);
    r->errors.error_exit = fail;
    r->errors.output_message = say_nothing;
    r->jpeg.client_data = r;
    jpeg_create_decompress(&r->jpeg);
    r->source = (struct jpeg_source_mgr){.next_input_byte = bytes.p,
                                         .bytes_in_buffer = bytes.n,
                                         .init_source = leave_source,
                                         .fill_input_buffer = no_more,
                                         .skip_input_data = skip,
                                         .resync_to_restart = jpeg_resync_to_restart,
                                         .term_source = leave_source};
    r->jpeg.src = &r->source;
    r->progress.progress_monitor = count_scans;
    r->jpeg.progress = &r->progress;
}

/* Through rows of libjpeg's own: what it makes may be a pixel longer than what is kept. */
static void read_rows(reading *r)
{
    size_t stride = (size_t)r->out->w * 3;
    JSAMPARRAY row = r->jpeg.mem->alloc_sarray((j_common_ptr)&r->jpeg, JPOOL_IMAGE,
                                               r->jpeg.output_width * 3, ROWS);
    for (size_t y = 0; y < (size_t)r->out->h;) {
        JDIMENSION n = jpeg_read_scanlines(&r->jpeg, row, ROWS);
        for (JDIMENSION i = 0; i < n && y < (size_t)r->out->h; i++, y++)
            memcpy(r->out->px + y * stride, row[i], stride);
    }
}

/* The last, partial block's pixel would be mixed with what pads the block. */
static int kept(JDIMENSION side, int shrink)
{
    return MP_MAX((int)side / shrink, 1);
}

static mp_err read_all(reading *r, int shrink)
{
    jpeg_read_header(&r->jpeg, TRUE);
    if (r->jpeg.num_components != 1 && r->jpeg.num_components != 3)
        return mp_fail(r->why, MP_UNSUPPORTED, "a JPEG of %d components", r->jpeg.num_components);
    r->jpeg.out_color_space = JCS_RGB;
    r->jpeg.scale_num = 1;
    r->jpeg.scale_denom = (unsigned)shrink;
    jpeg_start_decompress(&r->jpeg);
    mp_err err = mp_image_new(r->out, kept(r->jpeg.image_width, shrink),
                              kept(r->jpeg.image_height, shrink), 3, r->why);
    if (err)
        return err;
    read_rows(r); /* what follows the last row is nobody's concern */
    return MP_OK;
}

/* The only frame that is jumped into: it keeps nothing of its own. */
static void attempt(reading *r, mp_span bytes, int shrink)
{
    if (setjmp(r->failed))
        return;
    begin(r, bytes);
    r->err = read_all(r, shrink);
}

mp_err mp_jpeg_pixels(mp_span bytes, int shrink, mp_image *out, mp_why *why)
{
    reading r = {.out = out, .why = why};
    *out = (mp_image){0};
    attempt(&r, bytes, shrink);
    jpeg_destroy_decompress(&r.jpeg);
    if (r.err)
        mp_image_free(out);
    return r.err;
}
