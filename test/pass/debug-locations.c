// debug-locations.c - the call of the detector has the place of the access, so that frame 0 of a report is file:line:column.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %race_clang -O0 -g -S -emit-llvm %s -o - | FileCheck %s
// RUN: %race_clang -O2 -g -S -emit-llvm %s -o - | FileCheck %s

struct pair {
    long a, b;
};
void both(struct pair *p, struct pair *q)
{
    p->a = 1;
    q->b = 2;
}
// CHECK: call preserve_mostcc void @__csp_write8({{.*}}, !dbg [[A:![0-9]+]]
// CHECK: call preserve_mostcc void @__csp_write8({{.*}}, !dbg [[B:![0-9]+]]
// CHECK: [[A]] = !DILocation(line: 11, column: 10
// CHECK: [[B]] = !DILocation(line: 12, column: 10
