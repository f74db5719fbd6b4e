// io_buffer_race.c - csp_read writes its buffer where it was called, not ordered after a store behind the bytes' writing.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

#include <sys/socket.h>

long buffer[2];
static int ends[2];

static void writer(void *arg)
{
    (void)arg;
    invisible_use(csp_write(ends[1], "12345678", 8));
    buffer[0] = 1; // line: write
    invisible_step();
}

int main(void)
{
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
        return 1;
    csp_go(writer, NULL);
    invisible_wait(1);
    if (csp_read(ends[0], buffer, sizeof buffer) != 8) // line: read
        return 1;
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Write of size 8 at 0x{{[0-9a-f]+}} by main coroutine:
// CHECK-NEXT: {{^}}    #0 csp_read
// CHECK-NEXT: {{^}}    #1 main {{.*}}io_buffer_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 8 at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}:
// CHECK-NEXT: {{^}}    #0 writer {{.*}}io_buffer_race.c:[[#write]]:
// CHECK: {{^}}  Location is global 'buffer' of size 16 at
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}io_buffer_race.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
