// tsan.c - under stock ThreadSanitizer with libcsp_for_tsan: what channels, locks, wait groups and starts order is no race, two
// coroutines that nothing orders are one, also on a single worker.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <csp/csp.h>

#include <stdio.h>
#include <stdlib.h>

static csp_chan *signal_only, *buffered;
static csp_mutex mutex;
static csp_rwmutex rwmutex;
static csp_wg done;
static int passed, counted, guarded, racy;

static void pass_on(void *unused)
{
    (void)unused;
    passed = 42;
    csp_send(signal_only, NULL);
}

static void send_blocks(void *unused)
{
    (void)unused;
    for (int i = 0; i < 100; i++) {
        int *p = malloc(sizeof *p);
        if (!p)
            abort();
        *p = i;
        csp_send(buffered, &p);
    }
    csp_close(buffered);
}

static void count(void *unused)
{
    (void)unused;
    for (int i = 0; i < 200; i++) {
        csp_mutex_lock(&mutex);
        counted++;
        csp_mutex_unlock(&mutex);
        csp_rwmutex_rlock(&rwmutex);
        int seen = guarded;
        csp_rwmutex_runlock(&rwmutex);
        csp_rwmutex_lock(&rwmutex);
        guarded = seen + 1;
        csp_rwmutex_unlock(&rwmutex);
        if (i % 50 == 0)
            csp_yield();
    }
    csp_wg_done(&done);
}

static void use_stack(void *unused)
{
    (void)unused;
    volatile char room[512];
    for (size_t i = 0; i < sizeof room; i++)
        room[i] = (char)i;
    csp_wg_done(&done);
}

static void collide(void *unused)
{
    (void)unused;
    racy++;
    csp_wg_done(&done);
}

static void start(int n, void (*fn)(void *))
{
    csp_wg_add(&done, n);
    for (int i = 0; i < n; i++)
        csp_go(fn, NULL);
    csp_wg_wait(&done);
}

int main(int argc, char **argv)
{
    (void)argv;
    signal_only = csp_chan_new(0, 0);
    buffered = csp_chan_new(sizeof(int *), 4);
    csp_go(pass_on, NULL);
    csp_recv(signal_only, NULL);
    csp_go(send_blocks, NULL);
    int sum = passed, *p;
    while (csp_recv(buffered, &p)) {
        sum += *p;
        free(p);
    }
    start(8, count);
    for (int i = 0; i < 200; i++) // the same stacks again and again
        start(3, use_stack);
    csp_sleep(CSP_MS);
    if (argc > 1)
        start(2, collide);
    csp_chan_free(signal_only);
    csp_chan_free(buffered);
    printf("%d %d\n", sum, counted);
    return sum == 42 + 4950 && counted == 1600 ? 0 : 1;
}
