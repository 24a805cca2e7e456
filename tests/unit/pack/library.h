/* library.h - a small library of awkward pictures, and how the tests export it. */
#ifndef TEST_LIBRARY_H
#define TEST_LIBRARY_H

#include "../test.h"
#include "unzip.h"

#include "magpie.h"
#include "pack/export.h"

#include <jansson.h>

typedef struct fixture {
    char dir[64]; /* of all: library, pictures, scratch, the ZIP file */
    char scratch[96];
    magpie *m;
    int64_t first; /* id of the first picture added */
    size_t n;      /* pictures in the library */
    int fd;        /* a new, empty file for the export */
} fixture;

#define assert_fine(call)                                                                          \
    do {                                                                                           \
        magpie_err err_ = (call);                                                                  \
        if (err_ != MAGPIE_OK)                                                                     \
            fail_msg("%s: %s: %s", #call, magpie_err_word(err_), outer.text);                      \
    } while (0)

/* Before and after each test: *state is a fixture. */
int set_up(void **state);
int tear_down(void **state);

/* Options for all that an export can hold. */
mp_export_options everything(const fixture *f);
/* Exports to f->fd, which must work, and reads the file back. unzip_free(out). */
void export_to(fixture *f, const mp_export_options *opt, unzip *out, mp_export_report *report);
void assert_scratch_is_empty(const fixture *f);

/* An entry as JSON; json_decref. */
json_t *json_of(const unzip *u, const char *name);
/* A member that must be there and be of its type. */
const char *text_at(const json_t *o, const char *key);
json_int_t number_at(const json_t *o, const char *key);

#endif
