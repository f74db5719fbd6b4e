// select_both_norace.c - two selects that meet on an unbuffered channel order each other.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_chan *meet, *never;

static void writer(void *arg)
{
    (void)arg;
    value = 1; // line: write
    CSP_SELECT(csp_case_recv(meet, NULL, NULL), csp_case_recv(never, NULL, NULL));
    invisible_step();
}

int main(void)
{
    meet = csp_chan_new(0, 0);
    never = csp_chan_new(0, 0);
    csp_go(writer, NULL);
    CSP_SELECT(csp_case_recv(never, NULL, NULL), csp_case_send(meet, NULL));
    invisible_wait(1);
    invisible_use(value); // line: read
    return 0;
}
