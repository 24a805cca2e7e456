/* unzip.h - reads a ZIP file back, for the tests alone: all of it, in memory. */
#ifndef TEST_UNZIP_H
#define TEST_UNZIP_H

#include "base/base.h"

typedef struct unzipped {
    char name[300]; /* bytes as they stand in the file */
    char *data;     /* NUL-terminated beyond its n bytes */
    size_t n;
    bool stored;
} unzipped;

typedef struct unzip {
    unzipped entry[512];
    size_t n;
} unzip;

/* False unless the whole file is read without a complaint. unzip_free in each case. */
bool unzip_read(unzip *u, int fd);
void unzip_free(unzip *u);
/* NULL: not there. */
const unzipped *unzip_find(const unzip *u, const char *name);
/* How many names begin so. */
size_t unzip_count(const unzip *u, const char *prefix);

#endif
