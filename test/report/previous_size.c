// previous_size.c - the earlier access is told in its full size and from its first byte, also where it straddles words.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "../race/invisible.h"
#include <stdio.h>

typedef int vector __attribute__((vector_size(16)));
vector wide;
static struct __attribute__((packed)) {
    char before[6];
    unsigned long straddling;
} packed;
static struct {
    int first, second;
} pair;

static void writer(void *arg)
{
    (void)arg;
    wide = (vector){1, 2, 3, 4}; // line: wide
    packed.straddling = 5; // line: straddling
    pair.first = 1; // line: first
    invisible_step();
}

int main(void)
{
    fprintf(stderr, "wide %p\n", (void *)&wide);
    fprintf(stderr, "straddling %p\n", (void *)(packed.before + 6));
    fprintf(stderr, "first %p\n", (void *)&pair.first);
    csp_go(writer, NULL);
    invisible_wait(1);
    ((int *)&wide)[2] = 7;
    ((char *)&packed)[9] = 1;
    pair.second = 2;
    pair.first = 2;
    invisible_use(pair.first + pair.second);
    return 0;
}

// CHECK: wide [[WIDE:0x[0-9a-f]+]]
// CHECK-NEXT: straddling [[STRADDLING:0x[0-9a-f]+]]
// CHECK-NEXT: first [[FIRST:0x[0-9a-f]+]]
// CHECK: Previous write of size 16 at [[WIDE]] by coroutine
// CHECK-NEXT: #0 writer {{.*}}previous_size.c:[[#wide]]:
// CHECK: Previous write of size 8 at [[STRADDLING]] by coroutine
// CHECK-NEXT: #0 writer {{.*}}previous_size.c:[[#straddling]]:
// CHECK: Previous write of size 4 at [[FIRST]] by coroutine
// CHECK-NEXT: #0 writer {{.*}}previous_size.c:[[#first]]:
// CHECK: reported 3 warnings
