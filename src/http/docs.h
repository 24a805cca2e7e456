/* docs.h - the interface file that the binary holds. Inside the http room. */
#ifndef MP_HTTP_DOCS_H
#define MP_HTTP_DOCS_H

#include <stddef.h>
#include <stdint.h>

/* api/openapi.json, made into a C file by cmake/embed_file.cmake. */
extern const uint8_t mp_openapi_json[];
extern const size_t mp_openapi_json_bytes;

#endif
