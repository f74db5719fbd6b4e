// chan_close_parked_norace.c - close happens before the receives it wakes return.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_chan *done;

static void writer(void *arg)
{
    (void)arg;
    invisible_settle();
    value = 1; // line: write
    csp_close(done);
    invisible_step();
}

int main(void)
{
    done = csp_chan_new(0, 1);
    csp_go(writer, NULL);
    csp_recv(done, NULL);
    invisible_wait(1);
    invisible_use(value); // line: read
    return 0;
}
