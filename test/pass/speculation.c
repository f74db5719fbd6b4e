// speculation.c - a load the program does not make is not made, and so not reported.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %race_clang -O2 -S -emit-llvm %s -o - | FileCheck %s

int shared;

// CHECK: define{{.*}} i32 @maybe(
// CHECK-NEXT:    [[ZERO:%.*]] = icmp eq i32 %{{.*}}, 0
// CHECK-NEXT:    br i1 [[ZERO]]
// CHECK:         @__csp_read4(ptr {{.*}}@shared
int maybe(int want)
{
    return want ? shared : 0;
}

// Not inlined into a checked function, where it would be checked.
__attribute__((no_sanitize("thread"))) static int peek(void)
{
    return shared;
}

// CHECK: define{{.*}} i32 @looks(
// CHECK:         call {{.*}}i32 @peek()
int looks(void)
{
    return peek();
}

// CHECK: define{{.*}} i32 @peek(
// CHECK-NOT:     __csp_read
// CHECK:         ret i32
