// all_asleep_nodeadlock.c - everybody waits, but somebody for a timer.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include <csp/csp.h>

static csp_mutex m;

static void holder(void *arg)
{
    csp_mutex_lock(&m);
    csp_send(arg, NULL);
    csp_sleep(20 * CSP_MS);
    csp_mutex_unlock(&m);
}

int main(void)
{
    csp_chan *ch = csp_chan_new(0, 0);
    csp_go(holder, ch);
    csp_recv(ch, NULL);
    csp_mutex_lock(&m);
    csp_mutex_unlock(&m);
    csp_chan_free(ch);
    return 0;
}
