// access_bitfield_word_norace.c - the bytes of a word belong to whoever writes them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

typedef struct flags {
    unsigned char left, right;
} flags;
flags shared;

static void other(void *arg)
{
    (void)arg;
    shared.left = 1; // line: write
    invisible_step();
}

int main(void)
{
    csp_go(other, NULL);
    invisible_wait(1);
    shared.right = 1; // line: read
    return 0;
}
