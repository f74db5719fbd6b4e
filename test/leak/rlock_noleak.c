// rlock_noleak.c - a reader beside another reader.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include <csp/csp.h>

static csp_rwmutex lock;

static void waiter(void *arg)
{
    (void)arg;
    csp_rwmutex_rlock(&lock); // line: park
    csp_rwmutex_runlock(&lock);
}

int main(void)
{
    csp_rwmutex_rlock(&lock);
    csp_go(waiter, NULL); // line: go
    return 0;
}
