// lazy-plt.c - a lazily bound, instrumented library: the first call of an entry keeps every register (rule C3).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %cspcc -fsanitize=cspthread -O2 -fPIC -shared -Wl,-z,lazy %S/Inputs/lazy-plt-lib.c -o %t.so
// RUN: %cspcc -fsanitize=cspthread -O2 -Wl,-z,lazy %s %t.so -o %t
// RUN: %t | FileCheck %s

#include <stdio.h>

long mix(long *p, long a, long b, long c, long d, long e);

int main(void)
{
    static long p[3];
    // CHECK: first 1520 second 1520
    long first = mix(p, 1, 2, 3, 4, 5);
    printf("first %ld second %ld\n", first, mix(p, 1, 2, 3, 4, 5));
    return 0;
}
