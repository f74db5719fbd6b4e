// select_try_norace.c - csp_try_select orders when a case was ready.
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
    csp_case cases[] = {csp_case_recv(done, NULL, NULL)};
    csp_try_select(cases, 1);
    invisible_use(value); // line: read
    return 0;
}
