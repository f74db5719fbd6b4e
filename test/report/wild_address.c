// wild_address.c - an access through a pointer near the end of the address space dies as it would without the detector.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %cspcc -fsanitize=cspthread -O1 -g %s -o %t
// RUN: not --crash %t 64
// RUN: not --crash %t 25
// RUN: not --crash %t 4096
// What container_of(NULL) gives. The detector must not walk through the rest of the address space, which begins at 0 again.
#include <stdlib.h>

struct three {
    long word[3];
} here;

int main(int argc, char **argv)
{
    const struct three *there = (void *)-(argc > 1 ? atol(argv[1]) : 64);
    here = *there;
    return 0;
}
