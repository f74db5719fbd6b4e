// group_limit_place_race.c - the k-th end is not ordered before start number k + limit - 1.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

int value;

// csp_count orders nothing.
INVISIBLE static void wait_for_count(size_t n)
{
    while (csp_count() > n)
        invisible_pause();
}

static int first(csp_ctx *ctx, void *arg)
{
    (void)ctx, (void)arg;
    return 0;
}

static int second(csp_ctx *ctx, void *arg)
{
    (void)ctx, (void)arg;
    wait_for_count(2); // the first has ended
    value = 1;         // line: write
    return 0;
}

static int third(csp_ctx *ctx, void *arg)
{
    (void)ctx, (void)arg;
    invisible_use(value); // line: read
    return 0;
}

int main(void)
{
    csp_group *g = csp_group_new(NULL);
    csp_group_limit(g, 2);
    csp_group_go(g, first, NULL);
    csp_group_go(g, second, NULL);
    wait_for_count(1); // both have
    csp_group_go(g, third, NULL);
    csp_group_wait(g);
    csp_group_free(g);
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 third {{.*}}group_limit_place_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 second {{.*}}group_limit_place_race.c:[[#write]]:
// CHECK: {{^}}  Location is global 'value' of size 4 at
// CHECK: {{^}}  Coroutine {{[0-9]+}} ({{running|finished}}) created by {{main coroutine|coroutine [0-9]+}} at:
// CHECK-NEXT: {{^}}    #0 csp_group_go
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}group_limit_place_race.c:[[#read]]:{{[0-9]+}} in third
// CHECK: CspThreadSanitizer: reported 1 warnings
