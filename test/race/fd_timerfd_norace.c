// fd_timerfd_norace.c - arming a timer happens before reading its tick.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#define INVISIBLE_THREADS
#include "invisible.h"

#include <pthread.h>
#include <sys/timerfd.h>
#include <unistd.h>

int value;
static int timer;
static struct itimerspec soon = {.it_value.tv_nsec = 1};

static void *writer(void *arg)
{
    value = 1; // line: write
    timerfd_settime(timer, 0, &soon, NULL);
    invisible_step();
    return arg;
}

int main(void)
{
    timer = timerfd_create(CLOCK_MONOTONIC, 0);
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
    unsigned long ticks;
    if (read(timer, &ticks, sizeof ticks) != sizeof ticks)
        return 1;
    invisible_wait(1);
    invisible_use(value); // line: read
    pthread_join(thread, NULL);
    return 0;
}
