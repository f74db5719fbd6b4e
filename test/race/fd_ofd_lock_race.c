// fd_ofd_lock_race.c - what comes after the unlocking is not ordered.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#define _GNU_SOURCE
#define INVISIBLE_THREADS
#include "invisible.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int value;
static int mine, other;

static int set_lock(int fd, short type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_len = 1};
    return fcntl(fd, F_OFD_SETLKW, &lock);
}

static void *writer(void *arg)
{
    invisible_use(set_lock(other, F_WRLCK));
    invisible_use(set_lock(other, F_UNLCK));
    value = 1; // line: write
    invisible_step();
    return arg;
}

int main(void)
{
    char path[] = "/tmp/cspthread_fd_ofd_lock_XXXXXX", again[64];
    mine = mkstemp(path);
    snprintf(again, sizeof again, "/proc/self/fd/%d", mine);
    other = open(again, O_RDWR);
    unlink(path);
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    invisible_wait(1);
    invisible_use(set_lock(mine, F_WRLCK));
    invisible_use(value); // line: read
    invisible_use(set_lock(mine, F_UNLCK));
    pthread_join(thread, NULL);
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by main thread:
// CHECK-NEXT: {{^}}    #0 main {{.*}}fd_ofd_lock_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by thread T{{[0-9]+}}:
// CHECK-NEXT: {{^}}    #0 writer {{.*}}fd_ofd_lock_race.c:[[#write]]:
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}fd_ofd_lock_race.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
