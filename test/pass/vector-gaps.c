// vector-gaps.c - vectorized loops over every other element, or some fields, do not check what lies between (rule D1).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %race_clang -O2 -S -emit-llvm %s -o - | FileCheck %s
// RUN: %race_clang -O3 -march=x86-64-v3 -S -emit-llvm %s -o - | FileCheck %s

// CHECK-LABEL: @sum_even(
// CHECK-NOT: __csp_read{{(16|32|64|_range)}}
// CHECK: ret i32
int sum_even(const int *a, int n)
{
    int sum = 0;
    for (int i = 0; i < n; i++)
        sum += a[2 * i];
    return sum;
}

struct point {
    float x, y, z, w;
};
// CHECK-LABEL: @sum_fields(
// CHECK-NOT: __csp_read{{(16|32|64|_range)}}
// CHECK: ret float
float sum_fields(const struct point *p, int n)
{
    float sum = 0;
    for (int i = 0; i < n; i++)
        sum += p[i].x + p[i].z;
    return sum;
}
