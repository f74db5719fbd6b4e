// group_limit_race.c - with a limit of 2 it does not.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

int value;

static int writer(csp_ctx *ctx, void *arg)
{
    (void)ctx, (void)arg;
    value = 1; // line: write
    invisible_step();
    return 0;
}

static int reader(csp_ctx *ctx, void *arg)
{
    (void)ctx, (void)arg;
    invisible_wait(1);
    invisible_use(value); // line: read
    return 0;
}

int main(void)
{
    csp_group *g = csp_group_new(NULL);
    csp_group_limit(g, 2);
    csp_group_go(g, writer, NULL);
    csp_group_go(g, reader, NULL);
    csp_group_wait(g);
    csp_group_free(g);
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 reader {{.*}}group_limit_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 writer {{.*}}group_limit_race.c:[[#write]]:
// CHECK: {{^}}  Location is global 'value' of size 4 at
// CHECK: {{^}}  Coroutine {{[0-9]+}} ({{running|finished}}) created by {{main coroutine|coroutine [0-9]+}} at:
// CHECK-NEXT: {{^}}    #0 csp_group_go
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}group_limit_race.c:[[#read]]:{{[0-9]+}} in reader
// CHECK: CspThreadSanitizer: reported 1 warnings
