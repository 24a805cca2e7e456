/* manifest.h - manifest.json of a model: what it is, which files, how large, which hash.
 *
 * One form for three places: an entry of the catalogue (models/, one file each, built into
 * the binary), a file that a user gives, and manifest.json in an installed model's folder:
 *
 *   {"magpie_model": 1, "id": "clip-vit-b32", "family": "clip", "about": "...", "licence": "MIT",
 *    "sha256": "...",                      over the files' hashes in their order; installed alone
 *    "source": {"repository": "openai/...", "revision": "..."},
 *    "files": [{"name": "model.safetensors", "path": "openai/.../resolve/.../model.safetensors",
 *               "bytes": 605157884, "sha256": "..."}],
 *    "architecture": {"side": 224, "patch": 32, "vocabulary": 49408, "dims": 512,
 *                     "image": {"width": 768, "layers": 12, "heads": 12, "hidden": 3072},
 *                     "text": {"width": 512, "layers": 12, "heads": 8, "hidden": 2048},
 *                     "activation": "quick_gelu", "mean": [r, g, b], "deviation": [r, g, b]},
 *    "weights": "model.safetensors",
 *    "tokenizer": {"vocabulary": "vocab.json", "merges": "merges.txt"}}
 *
 * "path" is the file's place below a hub's address. What is not pinned has no "bytes" and no
 * "sha256" in the catalogue, and both once it is installed. Models of the family lite have neither
 * architecture nor weights nor tokenizer. Members that are not named here are ignored. */
#ifndef MP_MANIFEST_H
#define MP_MANIFEST_H

#include "base/base.h"

enum { MP_MANIFEST_FILES = 16, MP_MANIFEST_NAME = 64, MP_MANIFEST_BYTES = 64 * 1024 };

typedef struct mp_manifest_file {
    char name[MP_MANIFEST_NAME]; /* in the model's folder: letters, digits and ._- */
    char path[512];              /* below the hub's address; "": not said */
    int64_t bytes;               /* 0: not pinned */
    char sha256[65];             /* lower-case hex; "": not pinned */
} mp_manifest_file;

typedef struct mp_manifest_tower {
    int width, layers, heads, hidden;
} mp_manifest_tower;

/* Of models that have one: side 0 says that there is none. */
typedef struct mp_manifest_architecture {
    int side, patch; /* pixels */
    mp_manifest_tower image, text;
    int vocabulary, dims;
    char activation[16]; /* "quick_gelu" or "gelu" */
    float mean[3], deviation[3];
} mp_manifest_architecture;

typedef struct mp_manifest {
    char id[MP_MANIFEST_NAME], family[16], about[256], licence[64];
    char sha256[65]; /* "" where not installed */
    char repository[128], revision[64];
    mp_manifest_architecture architecture;
    char weights[MP_MANIFEST_NAME]; /* each one of files' names, or "" */
    char vocabulary[MP_MANIFEST_NAME], merges[MP_MANIFEST_NAME];
    mp_manifest_file files[MP_MANIFEST_FILES];
    size_t n_files;
} mp_manifest;

/* Reads one; nothing in it is trusted: names keep to one folder, numbers to sane bounds. CORRUPT
 * tells what is wrong with it; then *out is all zeros. */
MP_CHECK mp_err mp_manifest_read(mp_manifest *out, mp_str text, mp_why *why);
/* <folder>/manifest.json, of an installed model: sizes and hashes must all be there. The files are
 * not looked at. Errors: NOT_FOUND, CORRUPT, IO. */
MP_CHECK mp_err mp_manifest_load(mp_manifest *out, const char *folder, mp_why *why);
/* As text, to be read by mp_manifest_read again; appended. */
void mp_manifest_as_json(const mp_manifest *m, mp_buf *out);

/* True when <folder>/manifest.json is one of ours and every file in it has the size it says.
 * sha256 (65 bytes, may be NULL) receives the hash over all files. The files' own SHA-256s are
 * checked when the model is installed and when it is opened (checked.h), not here. */
bool mp_manifest_check(const char *folder, char sha256[65]);

#endif
