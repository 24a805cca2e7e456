/* manifest.h - manifest.json of an installed model: which files, how large, which hash. */
#ifndef MP_MANIFEST_H
#define MP_MANIFEST_H

#include "base/base.h"

/* True when <folder>/manifest.json is one of ours and every file in it has the size it says.
 * sha256 (65 bytes, may be NULL) receives the hash over all files. The files' own SHA-256s are
 * checked when the model is installed, not at every start: they are 110 MB. */
bool mp_manifest_check(const char *folder, char sha256[65]);

#endif
