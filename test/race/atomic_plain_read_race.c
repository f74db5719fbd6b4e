// atomic_plain_read_race.c - a plain read races with an atomic write that is not ordered before it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

#include <stdatomic.h>

atomic_int flag;

// The same object without its atomicity, as a forgotten cast or a memcpy would see it.
__attribute__((unused)) static inline int *plain(atomic_int *a)
{
    return (int *)a;
}

static void writer(void *arg)
{
    (void)arg;
    atomic_store_explicit(&flag, 1, memory_order_relaxed); // line: write
    invisible_step();
}

int main(void)
{
    csp_go(writer, NULL);
    invisible_wait(1);
    invisible_use(*plain(&flag)); // line: read
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by main coroutine{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 main {{.*}}atomic_plain_read_race.c:[[#read]]:
// CHECK: {{^}}  Previous atomic write of size 4 at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}{{( \(mutexes: .*\))?}}:
// CHECK-NEXT: {{^}}    #0 writer {{.*}}atomic_plain_read_race.c:[[#write]]:
// CHECK: {{^}}  Location is global 'flag' of size 4 at
// CHECK: {{^}}  Coroutine {{[0-9]+}} ({{running|finished}}) created by {{main coroutine|coroutine [0-9]+}} at:
// CHECK-NEXT: {{^}}    #0 csp_go
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}atomic_plain_read_race.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
