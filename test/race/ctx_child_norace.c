// ctx_child_norace.c - cancelling a parent happens before a child's done is observed.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_ctx *parent;

static void writer(void *arg)
{
    (void)arg;
    value = 1; // line: write
    csp_ctx_cancel(parent);
    invisible_step();
}

int main(void)
{
    parent = csp_ctx_with_cancel(csp_ctx_background());
    csp_ctx *child = csp_ctx_with_cancel(parent);
    csp_go(writer, NULL);
    csp_recv(csp_ctx_done(child), NULL);
    invisible_wait(1);
    invisible_use(value); // line: read
    return 0;
}
