// access_memmove_norace.c - memmove touches the bytes it is asked for, no others.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

#include <string.h>

char shared[64];
char source[] = "fifteen letters";

static void other(void *arg)
{
    (void)arg;
    memmove(shared + 8, source, 16); // line: write
    invisible_step();
}

int main(void)
{
    csp_go(other, NULL);
    invisible_wait(1);
    shared[7] = 1;
    shared[24] = 1;
    return 0;
}
