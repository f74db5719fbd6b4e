// access_bitfields_norace.c - members of one word that are no neighbours in bit-fields are locations of their own.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

struct {
    unsigned a : 4;
    unsigned char : 0;
    unsigned char b;
} both;

static void writer(void *arg)
{
    (void)arg;
    both.a = 1; // line: first
    invisible_step();
}

int main(void)
{
    csp_go(writer, NULL);
    invisible_wait(1);
    both.b = 2; // line: second
    return 0;
}
