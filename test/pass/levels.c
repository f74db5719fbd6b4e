// levels.c - every optimization level and both kinds of link-time optimization are instrumented, once, by us alone.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %race_clang -O0 -S -emit-llvm %s -o - | FileCheck %s
// RUN: %race_clang -O1 -g -S -emit-llvm %s -o - | FileCheck %s
// RUN: %race_clang -O2 -g -S -emit-llvm %s -o - | FileCheck %s
// RUN: %race_clang -O3 -S -emit-llvm %s -o - | FileCheck %s
// RUN: %race_clang -Os -fPIC -S -emit-llvm %s -o - | FileCheck %s
// RUN: %race_clang -O2 -flto -S -emit-llvm %s -o - | FileCheck %s --check-prefixes=CHECK,LTO
// RUN: %race_clang -O2 -g -flto=thin -S -emit-llvm %s -o - | FileCheck %s --check-prefixes=CHECK,LTO

#include <stdatomic.h>
#include <string.h>

void other(void);

// CHECK: define{{.*}} void @work(
// LTO-SAME:      [[WORK:#[0-9]+]]
// CHECK-NOT:     __tsan
// CHECK-COUNT-1: @__csp_write4(
// CHECK-NOT:     @__csp_write4(
// CHECK:         call void @other()
// CHECK-NOT:     __tsan
// CHECK:         call i32 @__csp_atomic32_fetch_add(
// CHECK:         call ptr @__csp_memcpy(
// CHECK-NOT:     __tsan
// CHECK:         ret void
void work(int *plain, _Atomic int *counter, char *to, const char *from, size_t n)
{
    *plain = 1;
    other();
    atomic_fetch_add(counter, 1);
    memcpy(to, from, n);
}
// CHECK: define internal void @csp.module_ctor()
// CHECK: call void @__tsan_init()
// LTO: attributes [[WORK]] = { {{.*}}noinline{{.*}} }
