/* bench_decode_worker.c - the decode worker alone. */
#include "image/decode.h"

int main(void)
{
    return mp_decode_worker_main();
}
