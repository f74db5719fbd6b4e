// fd_epoll_race.c - a store after epoll_ctl is not ordered before epoll_wait.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <unistd.h>

int value;
static int set, ends[2];
static struct epoll_event wanted = {.events = EPOLLOUT};

static void *writer(void *arg)
{
    epoll_ctl(set, EPOLL_CTL_ADD, ends[1], &wanted);
    value = 1; // line: write
    invisible_step();
    return arg;
}

int main(void)
{
    set = epoll_create1(0);
    if (pipe(ends))
        return 1;
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    struct epoll_event event;
    if (epoll_wait(set, &event, 1, -1) != 1)
        return 1;
    invisible_wait(1);
    invisible_use(value); // line: read
    pthread_join(thread, NULL);
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: data race (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Read of size 4 at 0x{{[0-9a-f]+}} by main thread:
// CHECK-NEXT: {{^}}    #0 main {{.*}}fd_epoll_race.c:[[#read]]:
// CHECK: {{^}}  Previous write of size 4 at 0x{{[0-9a-f]+}} by thread T{{[0-9]+}}:
// CHECK-NEXT: {{^}}    #0 writer {{.*}}fd_epoll_race.c:[[#write]]:
// CHECK: {{^}}  Location is global 'value' of size 4 at
// CHECK: {{^}}  Thread T{{[0-9]+}} (tid={{[0-9]+}}, {{running|finished}}) created by main thread at:
// CHECK-NEXT: {{^}}    #0 pthread_create
// CHECK: SUMMARY: CspThreadSanitizer: data race {{.*}}fd_epoll_race.c:[[#read]]:{{[0-9]+}} in main
// CHECK: CspThreadSanitizer: reported 1 warnings
