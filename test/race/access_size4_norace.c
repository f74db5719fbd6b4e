// access_size4_norace.c - two variables of 4 bytes side by side in one word never conflict.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

#include <stdint.h>

uint32_t cells[8];

static void other(void *arg)
{
    (void)arg;
    cells[2] = 1; // line: write
    invisible_step();
}

int main(void)
{
    csp_go(other, NULL);
    invisible_wait(1);
    cells[1] = 1;
    cells[3] = 1;
    return 0;
}
