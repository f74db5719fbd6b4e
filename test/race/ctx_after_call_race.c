// ctx_after_call_race.c - a write after csp_ctx_after is not ordered before its function.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

int value;
static csp_ctx *ctx;

static void reader(void *arg)
{
    (void)arg;
    invisible_wait(2);
    invisible_use(value); // line: read
    invisible_step();
}

static void canceller(void *arg)
{
    (void)arg;
    invisible_wait(1);
    csp_ctx_cancel(ctx);
    invisible_step();
}

int main(void)
{
    ctx = csp_ctx_with_cancel(NULL);
    csp_go(canceller, NULL);
    csp_ctx_call *call = csp_ctx_after(ctx, reader, NULL);
    value = 1; // line: write
    invisible_step();
    invisible_wait(3);
    csp_ctx_call_free(call);
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 reader {{.*}}ctx_after_call_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by main coroutine{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 main {{.*}}ctx_after_call_race.c:[[#write]]:
// CHECK: {{^}}  Location is global 'value' of size 4 at
// CHECK: {{^}}  Coroutine {{[0-9]+}} ({{running|finished}}) created by {{main coroutine|coroutine [0-9]+}} at:
// CHECK-NEXT: {{^}}    #0 csp_ctx_after
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}ctx_after_call_race.c:[[#read]]:{{[0-9]+}} in reader
// CHECK: CspThreadSanitizer: reported 1 warnings
