// chan_unbuffered_send_norace.c - a send happens before its receive completes.
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
    done = csp_chan_new(0, 0);
    csp_go(writer, NULL);
    csp_recv(done, NULL);
    invisible_wait(1);
    invisible_use(value); // line: read
    return 0;
}
