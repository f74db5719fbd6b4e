// cond_noleak.c - a condition that is signalled until the waiter is through.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include <csp/csp.h>

static csp_mutex lock;
static csp_cond changed;
static bool through;

static void waiter(void *arg)
{
    (void)arg;
    csp_mutex_lock(&lock);
    csp_cond_wait(&changed, &lock); // line: park
    through = true;
    csp_mutex_unlock(&lock);
}

int main(void)
{
    csp_go(waiter, NULL); // line: go
    for (bool done = false; !done; csp_yield()) {
        csp_mutex_lock(&lock);
        csp_cond_signal(&changed);
        done = through;
        csp_mutex_unlock(&lock);
    }
    return 0;
}
