// sleep_norace.c - a channel orders; how long somebody slept does not matter.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_chan *done;

static void writer(void *arg)
{
    (void)arg;
    value = 1; // line: write
    csp_send(done, NULL);
    invisible_step();
}

int main(void)
{
    done = csp_chan_new(0, 1);
    csp_go(writer, NULL);
    invisible_wait(1);
    csp_sleep(CSP_MS);
    csp_recv(done, NULL);
    invisible_use(value); // line: read
    return 0;
}
