// signal_ctx_norace.c - csp_signal_ctx happens before its context is seen cancelled by the signal.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

#include <signal.h>

int value;
static csp_ctx *ctx;

static void listener(void *arg)
{
    (void)arg;
    value = 1; // line: write
    invisible_put((void **)&ctx, csp_signal_ctx(NULL, SIGUSR1));
    invisible_step();
}

int main(void)
{
    csp_go(listener, NULL);
    invisible_wait(1);
    raise(SIGUSR1);
    csp_recv(csp_ctx_done(invisible_get((void **)&ctx)), NULL);
    invisible_use(value); // line: read
    return 0;
}
