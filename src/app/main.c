/* main.c - one binary: the CLI and the roles of the service. */
#include "magpie.h"

#include <stdio.h>

int main(void)
{
    printf("magpie %s\n", MAGPIE_VERSION);
    return 0;
}
