// loops.c - accesses of loops are checked outside the loop where all of them are certain to happen, and where they did.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %race_clang -O2 -mllvm -csp-after-loops -S -emit-llvm %s -o - | FileCheck %s
// RUN: %race_clang -O2 -S -emit-llvm %s -o - -mllvm -csp-loops=false -mllvm -csp-after-loops=false \
// RUN:   | FileCheck --check-prefix=OFF '--implicit-check-not={{_row|_grid}}' %s
// RUN: %race_clang -O2 -S -emit-llvm %s -o - -mllvm -csp-loop-updates=false | FileCheck --check-prefix=APART %s
// RUN: %race_clang -O2 -mllvm -csp-after-loops -ffast-math -S -emit-llvm %s -o - | FileCheck --check-prefix=FAST %s

// Before the loop, which stays as the vectoriser makes it.
// CHECK-LABEL: @sum(
// CHECK:         call void @__csp_read_row(ptr %{{.*}}, i64 4, i64 %{{.*}}, i64 4, ptr
// CHECK-NOT:     __csp_read
// CHECK:         load <4 x i32>
// CHECK-NOT:     __csp_read
// CHECK:         ret i32
// OFF-LABEL: @sum(
// OFF:         __csp_read16
unsigned sum(const unsigned *a, int n)
{
    unsigned s = 0;
    for (int i = 0; i < n; i++)
        s += a[i];
    return s;
}

// What is read and written is checked as written; with a neighbour's bytes, or by another path, it is not the same.
// CHECK-LABEL: @update(
// CHECK-NOT:     __csp_read
// CHECK:         call void @__csp_write_row(ptr %{{.*}}, i64 4, i64 %{{.*}}, i64 4, ptr
// CHECK-NOT:     __csp_read
// CHECK:         ret void
// APART-LABEL: @update(
// APART:         call void @__csp_read_row(ptr %{{.*}}, i64 4, i64 %{{.*}}, i64 4, ptr
// APART:         call void @__csp_write_row(ptr %{{.*}}, i64 4, i64 %{{.*}}, i64 4, ptr
// APART:         ret void
void update(unsigned *a, int n)
{
    for (int i = 0; i < n; i++)
        a[i] = a[i] * 5 + 1;
}

// CHECK-LABEL: @shift(
// CHECK-DAG:     call void @__csp_read_row(ptr %{{.*}}, i64 4, i64 %{{.*}}, i64 4, ptr
// CHECK-DAG:     call void @__csp_write_row(ptr %{{.*}}, i64 4, i64 %{{.*}}, i64 4, ptr
// CHECK:         ret void
void shift(unsigned *a, int n)
{
    for (int i = 0; i < n; i++)
        a[i] = a[i + 1] * 5;
}

// Out of both loops: rows of rows.
// CHECK-LABEL: @plane(
// CHECK:         call void @__csp_write_grid(ptr %{{.*}}, i64 8, i64 %{{.*}}, i64 8, i64 %{{.*}}, i64 800, i64 1, i64 0, ptr
// CHECK-NOT:     __csp_write
// CHECK:         ret void
void plane(double (*a)[100], long n, long m, double v)
{
    if (m <= 0)
        return;
    for (long i = 0; i < n; i++)
        for (long j = 0; j < m; j++)
            a[i][j] = v * (double)j;
}

// A few elements with gaps between them are cheaper where they are; many are not.
// CHECK-LABEL: @few(
// CHECK-NOT:     _row
// CHECK:         __csp_read8
// CHECK:         ret double
typedef struct point {
    double x, y, z;
} point;
double few(const point *p, unsigned n)
{
    double s = 0;
    for (unsigned i = 0; i < (n & 15); i++)
        s += p[i].x;
    return s;
}

// CHECK-LABEL: @many(
// CHECK:         call void @__csp_read_row(ptr %{{.*}}, i64 8, i64 %{{.*}}, i64 24, ptr
// CHECK-NOT:     __csp_read
// CHECK:         ret double
double many(const point *p, unsigned n)
{
    double s = 0;
    for (unsigned i = 0; i < (n & 31); i++)
        s += p[i].x;
    return s;
}

// How often is known afterwards.
// CHECK-LABEL: @find(
// CHECK-NOT:     __csp_read
// CHECK:         [[N:%.*]] = phi i64
// CHECK:         call void @__csp_read_row(ptr %{{.*}}, i64 4, i64 {{.*}}, i64 4, ptr
// CHECK-NOT:     __csp_read
// CHECK:         ret i64
// OFF-LABEL: @find(
// OFF:         __csp_read4
long find(const int *a, int v)
{
    long i = 0;
    while (a[i] != v)
        i++;
    return i;
}

// Only those that happen: an access under a condition stays where it is.
// CHECK-LABEL: @under_condition(
// CHECK-DAG:     __csp_read_row
// CHECK-DAG:     __csp_write4
void under_condition(int *a, const int *b, int n)
{
    for (int i = 0; i < n; i++)
        if (b[i])
            a[i] = 1;
}

// A call may release, acquire, free or not return.
// CHECK-LABEL: @with_call(
// CHECK-NOT:     _row
// CHECK:         __csp_write4
void other(void);
void with_call(int *a, int n)
{
    for (int i = 0; i < n; i++) {
        a[i] = 1;
        other();
    }
}

// CHECK-LABEL: @with_atomic(
// CHECK-NOT:     _row
// CHECK:         __csp_write4
void with_atomic(int *a, int n, _Atomic int *flag)
{
    for (int i = 0; i < n; i++) {
        a[i] = 1;
        (void)*flag;
    }
}

// A volatile access may be how the loop waits for somebody.
// CHECK-LABEL: @with_volatile(
// CHECK-NOT:     _row
// CHECK:         __csp_write4
void with_volatile(int *a, int n, volatile int *flag)
{
    for (int i = 0; i < n; i++) {
        a[i] = 1;
        if (*flag)
            break;
    }
}

// Such a loop need not end.
// CHECK-LABEL: @for_ever(
// CHECK-NOT:     _row
// CHECK:         __csp_read4
long for_ever(const int *a)
{
    for (long i = 0;; i++)
        if (a[i & 7] != a[i])
            return i;
}

// A place that does not move is looked at once.
// CHECK-LABEL: @same_place(
// CHECK:         call preserve_mostcc void @__csp_read8(
// CHECK:         call void @__csp_write_row(
// CHECK-NOT:     __csp_
// CHECK:         ret void
void same_place(char *a, const double *p, int n)
{
    for (int i = 0; i < n; i++)
        a[i] = (char)*p;
}

// Every other element: what lies between is not looked at.
// FAST-LABEL: @every_other(
// FAST:         call void @__csp_read_row(ptr %{{.*}}, i64 4, i64 %{{.*}}, i64 8, ptr
// FAST-NOT:     __csp_read
// FAST:         ret float
float every_other(const float *a, int n)
{
    float s = 0;
    for (int i = 0; i < n; i++)
        s += a[2 * i];
    return s;
}
