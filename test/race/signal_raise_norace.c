// signal_raise_norace.c - what a raiser did is ordered by what else it did.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

#include <signal.h>

int value;
static csp_chan *signals, *written;

static void raiser(void *arg)
{
    (void)arg;
    value = 1; // line: write
    csp_send(written, NULL);
    raise(SIGUSR1);
}

int main(void)
{
    signals = csp_chan_new(sizeof(int), 1);
    written = csp_chan_new(0, 1);
    csp_signal_notify(signals, SIGUSR1);
    csp_go(raiser, NULL);
    csp_recv(signals, NULL);
    csp_recv(written, NULL);
    invisible_use(value); // line: read
    return 0;
}
