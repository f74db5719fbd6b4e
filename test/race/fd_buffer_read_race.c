// fd_buffer_read_race.c - read writes its buffer.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <pthread.h>
#include <unistd.h>

long buffer[2];
static int ends[2];

static void *reader(void *arg)
{
    buffer[0] = 1; // line: write
    invisible_step();
    return arg;
}

int main(void)
{
    if (pipe(ends) || write(ends[1], "12345678", 8) != 8)
        return 1;
    pthread_t thread;
    pthread_create(&thread, NULL, reader, NULL);
    invisible_wait(1);
    if (read(ends[0], buffer, sizeof buffer) != 8) // line: read
        return 1;
    pthread_join(thread, NULL);
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Write of size 8 at 0x{{[0-9a-f]+}} by main thread:
// CHECK-NEXT: {{^}}    #0 read
// CHECK-NEXT: {{^}}    #1 main {{.*}}fd_buffer_read_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 8 at 0x{{[0-9a-f]+}} by thread T{{[0-9]+}}:
// CHECK-NEXT: {{^}}    #0 reader {{.*}}fd_buffer_read_race.c:[[#write]]:
// CHECK: {{^}}  Location is global 'buffer' of size 16 at
// CHECK: {{^}}  Thread T{{[0-9]+}} (tid={{[0-9]+}}, {{running|finished}}) created by main thread at:
// CHECK-NEXT: {{^}}    #0 pthread_create
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}fd_buffer_read_race.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
