// ctx_sleep_race.c - a write after the cancel is not ordered before a csp_sleep_ctx returns.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

int value;
static csp_ctx *ctx;

static void canceller(void *arg)
{
    (void)arg;
    csp_ctx_cancel(ctx);
    value = 1; // line: write
    invisible_step();
}

int main(void)
{
    ctx = csp_ctx_with_cancel(NULL);
    csp_go(canceller, NULL);
    if (csp_sleep_ctx(CSP_MINUTE, ctx))
        return 1;
    invisible_wait(1);
    invisible_use(value); // line: read
    csp_ctx_free(ctx);
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by main coroutine{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 main {{.*}}ctx_sleep_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 canceller {{.*}}ctx_sleep_race.c:[[#write]]:
// CHECK: {{^}}  Location is global 'value' of size 4 at
// CHECK: {{^}}  Coroutine {{[0-9]+}} ({{running|finished}}) created by {{main coroutine|coroutine [0-9]+}} at:
// CHECK-NEXT: {{^}}    #0 csp_go
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}ctx_sleep_race.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
