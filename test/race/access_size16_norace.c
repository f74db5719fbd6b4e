// access_size16_norace.c - 16-byte objects side by side never conflict.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

typedef struct pair {
    _Alignas(16) __int128 both;
} pair;
pair cells[3];

static void other(void *arg)
{
    (void)arg;
    cells[1].both = 1; // line: write
    invisible_step();
}

int main(void)
{
    csp_go(other, NULL);
    invisible_wait(1);
    cells[0].both = 1;
    cells[2].both = 1;
    return 0;
}
