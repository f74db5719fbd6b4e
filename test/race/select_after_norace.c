// select_after_norace.c - a select that received is ordered; its timeout plays no part.
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
    CSP_SELECT(csp_case_recv(done, NULL, NULL), csp_case_after(CSP_MS));
    invisible_use(value); // line: read
    return 0;
}
