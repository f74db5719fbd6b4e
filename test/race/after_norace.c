// after_norace.c - making the timer of csp_after happens before its tick is received.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static void *ticks;

static void writer(void *arg)
{
    (void)arg;
    value = 1; // line: write
    csp_chan *c = csp_after(CSP_MS);
    invisible_put(&ticks, c);
    invisible_step();
}

int main(void)
{
    csp_go(writer, NULL);
    invisible_wait(1);
    csp_recv(invisible_get(&ticks), NULL);
    invisible_use(value); // line: read
    return 0;
}
