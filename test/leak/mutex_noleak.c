// mutex_noleak.c - a lock that is.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include <csp/csp.h>

static csp_mutex lock;

static void waiter(void *arg)
{
    (void)arg;
    csp_mutex_lock(&lock); // line: park
    csp_mutex_unlock(&lock);
}

int main(void)
{
    csp_mutex_lock(&lock);
    csp_go(waiter, NULL); // line: go
    csp_mutex_unlock(&lock);
    return 0;
}
