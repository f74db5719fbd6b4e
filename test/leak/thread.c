// thread.c - a thread of the program that sleeps in the kernel is held still and looked at: what is on its stack can be reached.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace --options='detect_leaks=0' %s
#include <csp/csp.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static csp_chan *passed;
static atomic_int stage;
static int wakes[2];

static void sender(void *ch)
{
    csp_send(ch, NULL);
}

// With every signal blocked, in a read that must not be interrupted.
static void *holder(void *unused)
{
    (void)unused;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    csp_chan *volatile mine = passed;
    passed = NULL;
    atomic_store(&stage, 1);
    char c;
    if (read(wakes[0], &c, 1) != 1)
        abort();
    csp_recv(mine, NULL);
    return NULL;
}

__attribute__((noinline)) static void start(pthread_t *t)
{
    passed = csp_chan_new(0, 0);
    csp_go(sender, passed);
    pthread_create(t, NULL, holder, NULL);
    while (atomic_load(&stage) != 1)
        csp_yield();
}

static void *no_holder(void *unused)
{
    (void)unused;
    atomic_store(&stage, 2);
    char c;
    return read(wakes[0], &c, 1) == 1 ? NULL : (abort(), NULL);
}

static void lose(void *unused)
{
    (void)unused;
    csp_go(sender, csp_chan_new(0, 0));
}

int main(void)
{
    pthread_t t;
    csp_leak leaks[2];
    if (pipe(wakes) != 0)
        abort();
    start(&t);
    csp_leak_options all = {.parked_too = true};
    while (csp_leak_check(&all, leaks, 2) != 1)
        csp_yield();
    if (leaks[0].verdict != CSP_LEAK_PARKED)
        fprintf(stderr, "the thread was not looked at\n");
    if (write(wakes[1], "", 1) != 1)
        abort();
    pthread_join(t, NULL);

    pthread_create(&t, NULL, no_holder, NULL);
    while (atomic_load(&stage) != 2)
        csp_yield();
    if (csp_leak_check_scope(lose, NULL, NULL, leaks, 2) != 1 || leaks[0].verdict != CSP_LEAK_STUCK)
        fprintf(stderr, "a thread that knows nothing stands in the way\n");
    if (write(wakes[1], "", 1) != 1)
        abort();
    pthread_join(t, NULL);
}
