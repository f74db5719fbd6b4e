// select_send_norace.c - a send case of a select orders like a send.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_chan *done, *never;

static void writer(void *arg)
{
    (void)arg;
    value = 1; // line: write
    CSP_SELECT(csp_case_recv(never, NULL, NULL), csp_case_send(done, NULL));
    invisible_step();
}

int main(void)
{
    done = csp_chan_new(0, 0);
    never = csp_chan_new(0, 0);
    csp_go(writer, NULL);
    csp_recv(done, NULL);
    invisible_wait(1);
    invisible_use(value); // line: read
    return 0;
}
