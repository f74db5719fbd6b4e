// access_size64_norace.c - a store of a vector of 64 bytes against what follows it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace --levels=O0,O1,O2 %s
#include "invisible.h"

typedef int vector __attribute__((vector_size(64)));

union {
    vector v;
    int items[18];
} both;

static void writer(void *arg)
{
    vector one = {1, 2};
    both.v = one + (int)(long)arg; // line: first
    invisible_step();
}

int main(void)
{
    csp_go(writer, NULL);
    invisible_wait(1);
    both.items[16] = 2; // line: second
    return 0;
}
