// chan_close_norace.c - close happens before a receive that returns because of it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_chan *done;

static void writer(void *arg)
{
    (void)arg;
    value = 1; // line: write
    csp_close(done);
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
