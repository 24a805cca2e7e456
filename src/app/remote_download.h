/* remote_download.h - files of a service to disk: whole under their name, or not at all. A
 * connection that breaks off is taken up where it broke. */
#ifndef MP_APP_REMOTE_DOWNLOAD_H
#define MP_APP_REMOTE_DOWNLOAD_H

#include "app/remote.h"

/* Writes what `path` answers to the file `to` ("-": standard output). bytes: how many it must be;
 * -1: unknown. Reports a failure; *got tells the bytes. */
int remote_download(const remote *r, const char *path, const char *to, int64_t bytes, int64_t *got);

#endif
