// access_coroutine_stack_norace.c - a coroutine's variable may be used by another one with the right order.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

static void *shared;
static csp_chan *done;

static void owner(void *arg)
{
    (void)arg;
    int local = 0;
    invisible_put(&shared, &local);
    csp_chan *given = done;
    csp_send(given, NULL);
    invisible_step();
    invisible_wait(2);
    invisible_use(local);
    (void)given;
    invisible_step();
    invisible_wait(4);
}

int main(void)
{
    done = csp_chan_new(0, 1);
    csp_go(owner, NULL);
    invisible_wait(1);
    csp_recv(done, NULL);
    invisible_step();
    invisible_wait(3);
    invisible_use(*(int *)invisible_get(&shared)); // line: read
    invisible_step();
    return 0;
}
