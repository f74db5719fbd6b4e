// blocking_norace.c - what a csp_blocking call does is its caller's doing; the stack it runs on has no history.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_chan *done;

static void call(void *arg)
{
    (void)arg;
    int local[64];
    for (int i = 0; i < 64; i++)
        *(volatile int *)&local[i] = i;
    invisible_use(local[63]);
}

static void store(void *arg)
{
    call(arg);
    value = 1; // line: write
}

static void caller(void *fn)
{
    csp_blocking((void (*)(void *))fn, NULL);
    if (fn == (void *)store)
        csp_send(done, NULL);
    invisible_step();
}

int main(void)
{
    done = csp_chan_new(0, 1);
    for (int i = 0; i < 10; i++) { // one after the other, without order, most on one thread's stack
        csp_go(caller, (void *)call);
        invisible_wait(i + 1);
    }
    csp_go(caller, (void *)store);
    csp_recv(done, NULL);
    invisible_use(value); // line: read
    return 0;
}
