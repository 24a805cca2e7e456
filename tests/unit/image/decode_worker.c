/* decode_worker.c - the binary in its decode worker's role, for tests of the image room alone. */
#include "image/decode.h"

#include <string.h>

int main(int argc, char **argv)
{
    return argc > 1 && strcmp(argv[1], "decode-worker") == 0 ? mp_decode_worker_main() : 2;
}
