// group_go_race.c - a write after csp_group_go is not ordered before the function.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

int value;

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
    csp_group_go(g, reader, NULL);
    value = 1; // line: write
    invisible_step();
    csp_group_wait(g);
    csp_group_free(g);
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 reader {{.*}}group_go_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by main coroutine{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 main {{.*}}group_go_race.c:[[#write]]:
// CHECK: {{^}}  Location is global 'value' of size 4 at
// CHECK: {{^}}  Coroutine {{[0-9]+}} ({{running|finished}}) created by {{main coroutine|coroutine [0-9]+}} at:
// CHECK-NEXT: {{^}}    #0 csp_group_go
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}group_go_race.c:[[#read]]:{{[0-9]+}} in reader
// CHECK: CspThreadSanitizer: reported 1 warnings
