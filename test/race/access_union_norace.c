// access_union_norace.c - disjoint parts of a union never conflict.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

#include <stdint.h>

typedef union number {
    uint32_t whole;
    uint16_t halves[2];
    uint8_t bytes[4];
} number;
number shared;

static void other(void *arg)
{
    (void)arg;
    shared.halves[0] = 1; // line: write
    invisible_step();
}

int main(void)
{
    csp_go(other, NULL);
    invisible_wait(1);
    shared.bytes[2] = 1;
    return 0;
}
