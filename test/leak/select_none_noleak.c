// select_none_noleak.c - a select without cases but with a default does not.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include <csp/csp.h>

static void waiter(void *arg)
{
    (void)arg;
    csp_try_select(NULL, 0);
}

int main(void)
{
    csp_go(waiter, NULL); // line: go
    return 0;
}
