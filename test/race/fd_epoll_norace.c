// fd_epoll_norace.c - epoll_ctl happens before the epoll_wait that returns the event.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
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
    value = 1; // line: write
    epoll_ctl(set, EPOLL_CTL_ADD, ends[1], &wanted);
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
