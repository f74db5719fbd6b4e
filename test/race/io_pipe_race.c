// io_pipe_race.c - a store after the csp_write is not ordered before the csp_read.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#include "invisible.h"

#include <unistd.h>

int value;
static int ends[2];

static void writer(void *arg)
{
    (void)arg;
    invisible_use(csp_write(ends[1], "x", 1));
    value = 1; // line: write
    invisible_step();
}

int main(void)
{
    if (pipe(ends))
        return 1;
    csp_go(writer, NULL);
    char byte;
    if (csp_read(ends[0], &byte, 1) != 1)
        return 1;
    invisible_wait(1);
    invisible_use(value); // line: read
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by main coroutine:
// CHECK-NEXT: {{^}}    #0 main {{.*}}io_pipe_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by coroutine {{[0-9]+}}:
// CHECK-NEXT: {{^}}    #0 writer {{.*}}io_pipe_race.c:[[#write]]:
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}io_pipe_race.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
