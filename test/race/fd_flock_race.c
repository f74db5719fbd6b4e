// fd_flock_race.c - what comes after the unlocking is not ordered.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#define _GNU_SOURCE
#define INVISIBLE_THREADS
#include "invisible.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

int value;
static int mine, other;

static void *writer(void *arg)
{
    invisible_use(flock(other, LOCK_EX));
    invisible_use(flock(other, LOCK_UN));
    value = 1; // line: write
    invisible_step();
    return arg;
}

int main(void)
{
    char path[] = "/tmp/cspthread_fd_flock_XXXXXX", again[64];
    mine = mkstemp(path);
    snprintf(again, sizeof again, "/proc/self/fd/%d", mine);
    other = open(again, O_RDWR);
    unlink(path);
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    invisible_wait(1);
    invisible_use(flock(mine, LOCK_EX));
    invisible_use(value); // line: read
    invisible_use(flock(mine, LOCK_UN));
    pthread_join(thread, NULL);
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by main thread:
// CHECK-NEXT: {{^}}    #0 main {{.*}}fd_flock_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by thread T{{[0-9]+}}:
// CHECK-NEXT: {{^}}    #0 writer {{.*}}fd_flock_race.c:[[#write]]:
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}fd_flock_race.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
