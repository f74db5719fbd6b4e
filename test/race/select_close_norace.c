// select_close_norace.c - a receive case that ends because of a close is ordered after it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_chan *done, *never;

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
    done = csp_chan_new(0, 0);
    never = csp_chan_new(0, 0);
    csp_go(writer, NULL);
    bool ok = true;
    CSP_SELECT(csp_case_recv(never, NULL, NULL), csp_case_recv(done, NULL, &ok));
    invisible_wait(1);
    invisible_use(value); // line: read
    return ok;
}
