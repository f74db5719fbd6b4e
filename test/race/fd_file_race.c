// fd_file_race.c - a store after the write to a file is not ordered before the read.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int value;
static int out;

static void *writer(void *arg)
{
    invisible_use(pwrite(out, "x", 1, 0));
    value = 1; // line: write
    invisible_step();
    return arg;
}

int main(void)
{
    char path[] = "/tmp/cspthread_fd_file_XXXXXX", again[64];
    out = mkstemp(path);
    snprintf(again, sizeof again, "/proc/self/fd/%d", out);
    int in = open(again, O_RDONLY);
    unlink(path);
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    char byte;
    while (pread(in, &byte, 1, 0) != 1)
        invisible_pause();
    invisible_wait(1);
    invisible_use(value); // line: read
    pthread_join(thread, NULL);
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by main thread:
// CHECK-NEXT: {{^}}    #0 main {{.*}}fd_file_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by thread T{{[0-9]+}}:
// CHECK-NEXT: {{^}}    #0 writer {{.*}}fd_file_race.c:[[#write]]:
// CHECK: {{^}}  Location is global 'value' of size 4 at
// CHECK: {{^}}  Thread T{{[0-9]+}} (tid={{[0-9]+}}, {{running|finished}}) created by main thread at:
// CHECK-NEXT: {{^}}    #0 pthread_create
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}fd_file_race.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
