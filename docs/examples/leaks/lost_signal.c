// lost_signal.c - a signal that came before anybody waited is gone; the wait does not look at what it waits for.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Fixed: lost_signal_fixed.c.
#include <csp/csp.h>
#include <stdio.h>

static csp_mutex m;
static csp_cond changed;
static bool ready;

static void wait_until_ready(void *arg)
{
    (void)arg;
    csp_mutex_lock(&m);
    csp_cond_wait(&changed, &m); // ready or not
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
