// ticker_norace.c - making a ticker happens before its ticks are received.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static void *ticks;

static void writer(void *arg)
{
    (void)arg;
    value = 1; // line: write
    csp_ticker *t = csp_ticker_new(CSP_MS);
    invisible_put(&ticks, csp_ticker_chan(t));
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
