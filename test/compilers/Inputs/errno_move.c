// errno_move.c - errno is right after calls that park, when the coroutine goes on another OS thread than before.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Optimizing compilers keep the address of errno over calls; csp/errno.h is there so that they cannot. The move is forced: a
// plain pthread wakes the coroutine, so whichever worker is free takes it, while others keep the workers busy in turns. With one
// worker there is nobody to move to, and the test is of errno alone.
#define _GNU_SOURCE // gettid
#include <csp/csp.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOVES = 5, PATIENCE_S = 60 };

static int moves, finished;

static pid_t thread_now(void)
{
    return gettid();
}

// Parks between the write of errno and its reads, all in one function: what a compiler would merge.
static void traveller(void *pings)
{
    int value;
    while (!__atomic_load_n(&finished, __ATOMIC_RELAXED)) {
        pid_t before = thread_now();
        errno = 5;
        bool open = csp_recv(pings, &value);
        int after_recv = errno;
        csp_yield();
        int after_yield = errno;
        if (thread_now() != before)
            __atomic_fetch_add(&moves, 1, __ATOMIC_RELAXED);
        if (after_recv != 5 || after_yield != 5) {
            printf("errno is %d after a receive, %d after a yield\n", after_recv, after_yield);
            exit(1);
        }
        if (!open)
            return;
        // A call that sets it, on this thread, seen through the same name.
        if (open && (close(-1) != -1 || errno != EBADF)) {
            printf("errno is %d after close(-1)\n", errno);
            exit(1);
        }
    }
}

static void spinner(void *unused)
{
    (void)unused;
    while (!__atomic_load_n(&finished, __ATOMIC_RELAXED))
        csp_yield();
}

static void *pinger(void *pings)
{
    int enough = atoi(getenv("CSP_MAXPROCS")) > 1 ? MOVES : 0;
    int64_t end = csp_now() + PATIENCE_S * CSP_SECOND;
    for (int i = 0; i < 1000 || (__atomic_load_n(&moves, __ATOMIC_RELAXED) < enough && csp_now() < end); i++)
        csp_send(pings, &i);
    if (__atomic_load_n(&moves, __ATOMIC_RELAXED) < enough)
        printf("moved %d times only\n", moves);
    __atomic_store_n(&finished, 1, __ATOMIC_RELAXED);
    csp_close(pings);
    return NULL;
}

int main(void)
{
    csp_chan *pings = csp_chan_new(sizeof(int), 0);
    csp_go(traveller, pings);
    for (int i = 0; i < 3; i++)
        csp_go(spinner, NULL);
    pthread_t thread;
    if (pthread_create(&thread, NULL, pinger, pings) != 0)
        return 1;
    while (csp_count() > 1 || !__atomic_load_n(&finished, __ATOMIC_RELAXED))
        csp_sleep(CSP_MS);
    pthread_join(thread, NULL);
    return 0;
}
