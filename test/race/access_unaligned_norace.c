// access_unaligned_norace.c - an unaligned access does not touch its neighbours.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

#include <stdint.h>

typedef struct __attribute__((packed)) packet {
    char head[5];
    uint64_t body; // bytes 5 to 12
    char tail[3];
} packet;
_Alignas(16) packet shared;

static void other(void *arg)
{
    (void)arg;
    shared.body = 1; // line: write
    invisible_step();
}

int main(void)
{
    csp_go(other, NULL);
    invisible_wait(1);
    shared.tail[0] = 1; // byte 13
    return 0;
}
