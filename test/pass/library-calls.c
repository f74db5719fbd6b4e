// library-calls.c - library functions stay calls, so that the interceptors see their accesses (rule D3).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %race_clang -O2 -S %s -o - | FileCheck %s

#include <string.h>

// CHECK-LABEL: equal:
// CHECK: {{(jmp|callq)}} {{(memcmp|bcmp)}}
int equal(const char *a, const char *b)
{
    return memcmp(a, b, 8) == 0;
}

// CHECK-LABEL: length:
// CHECK: {{(jmp|callq)}} strlen
size_t length(const char *s)
{
    return strlen(s);
}
