// chan_buffered_send_norace.c - the k-th send on a buffered channel happens before the k-th receive completes.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_chan *done;

static void writer(void *arg)
{
    (void)arg;
    invisible_wait(1);
    value = 1; // line: write
    csp_send(done, NULL);
    invisible_step();
}

int main(void)
{
    done = csp_chan_new(0, 3);
    csp_send(done, NULL);
    csp_recv(done, NULL);
    csp_go(writer, NULL);
    invisible_step();
    csp_recv(done, NULL);
    invisible_wait(2);
    invisible_use(value); // line: read
    return 0;
}
