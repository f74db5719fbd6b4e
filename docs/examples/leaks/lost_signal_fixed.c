// lost_signal_fixed.c - the condition is looked at under the mutex, before and after each wait.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <csp/csp.h>
#include <stdio.h>

static csp_mutex m;
static csp_cond changed;
static bool ready;

static void wait_until_ready(void *arg)
{
    (void)arg;
    csp_mutex_lock(&m);
    while (!ready)
        csp_cond_wait(&changed, &m);
    csp_mutex_unlock(&m);
}

int main(void)
{
    csp_mutex_lock(&m);
    ready = true;
    csp_cond_signal(&changed);
    csp_mutex_unlock(&m);
    csp_go(wait_until_ready, NULL);
    printf("started\n");
    return 0;
}
