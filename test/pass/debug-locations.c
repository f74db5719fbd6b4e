// debug-locations.c - the call of the detector has the place of the access: frame 0 of a report is file:line:column.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %race_clang -O0 -g -S -emit-llvm %s -o - | FileCheck %s
// RUN: %race_clang -O2 -g -S -emit-llvm -mllvm -csp-reads-before-writes=false %s -o - | FileCheck %s --check-prefixes=CHECK,MOVED

struct pair {
    long a, b;
};
// CHECK: @both(
// CHECK: call preserve_mostcc void @__csp_write8({{.*}}, !dbg [[A:![0-9]+]]
// CHECK: call preserve_mostcc void @__csp_write8({{.*}}, !dbg [[B:![0-9]+]]
void both(struct pair *p, struct pair *q)
{
    p->a = 1;
    q->b = 2;
}

// A load moved out of its loop has lost its place; the place of its use stands for it.
// MOVED: @add(
// MOVED: call preserve_mostcc void @__csp_read4(ptr {{.*}}@total{{.*}}, !dbg [[TOTAL:![0-9]+]]
int total;
void add(const int *p, int n)
{
    do
        total += *p++;
    while (--n);
}

// CHECK-DAG: [[A]] = !DILocation(line: 14, column: 10
// CHECK-DAG: [[B]] = !DILocation(line: 15, column: 10
// MOVED-DAG: [[TOTAL]] = !DILocation(line: 25, column: 15
