// chan_unbuffered_recv_norace.c - on an unbuffered channel the receive happens before its send completes.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_chan *done;

static void writer(void *arg)
{
    (void)arg;
    value = 1; // line: write
    csp_recv(done, NULL);
    invisible_step();
}

int main(void)
{
    done = csp_chan_new(sizeof(int), 0);
    csp_go(writer, NULL);
    int signal = 1;
    csp_send(done, &signal);
    invisible_wait(1);
    invisible_use(value); // line: read
    return 0;
}
