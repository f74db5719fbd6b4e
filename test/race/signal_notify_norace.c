// signal_notify_norace.c - csp_signal_notify happens before receiving the signal.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

#include <signal.h>

int value;
static csp_chan *signals;

static void listener(void *arg)
{
    (void)arg;
    value = 1; // line: write
    csp_signal_notify(signals, SIGUSR1);
    invisible_step();
}

int main(void)
{
    signals = csp_chan_new(sizeof(int), 1);
    csp_go(listener, NULL);
    invisible_wait(1);
    raise(SIGUSR1);
    csp_recv(signals, NULL);
    invisible_use(value); // line: read
    return 0;
}
