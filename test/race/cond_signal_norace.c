// cond_signal_norace.c - a signal happens before the wait it ends, also without the mutex.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_mutex lock;
static csp_cond changed;
static bool waiting;

static void writer(void *arg)
{
    (void)arg;
    for (bool ready = false; !ready; invisible_pause()) {
        csp_mutex_lock(&lock);
        ready = waiting;
        csp_mutex_unlock(&lock);
    }
    value = 1; // line: write
    csp_cond_signal(&changed);
    invisible_step();
}

int main(void)
{
    csp_go(writer, NULL);
    csp_mutex_lock(&lock);
    waiting = true;
    csp_cond_wait(&changed, &lock);
    csp_mutex_unlock(&lock);
    invisible_wait(1);
    invisible_use(value); // line: read
    return 0;
}
