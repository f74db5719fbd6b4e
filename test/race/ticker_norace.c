// ticker_norace.c - setting a ticker happens before the ticks that follow are received.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_ticker *ticks;

static void writer(void *arg)
{
    (void)arg;
    value = 1; // line: write
    csp_ticker_reset(ticks, CSP_MS);
    invisible_step();
}

int main(void)
{
    ticks = csp_ticker_new(3600 * CSP_SECOND);
    csp_go(writer, NULL);
    csp_recv(csp_ticker_chan(ticks), NULL);
    invisible_wait(1);
    invisible_use(value); // line: read
    return 0;
}
