// ended_holder_noleak.c - the holder ends, and another unlocks for it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include <csp/csp.h>

static csp_mutex m;

static void holder(void *arg)
{
    csp_mutex_lock(&m);
    csp_send(arg, NULL);
}

static void waiter(void *arg)
{
    csp_recv(arg, NULL);
    csp_mutex_unlock(&m);
    csp_mutex_lock(&m);
    csp_mutex_unlock(&m);
}

int main(void)
{
    csp_chan *locked = csp_chan_new(0, 0);
    csp_go(waiter, locked);
    csp_go(holder, locked);
    return 0;
}
