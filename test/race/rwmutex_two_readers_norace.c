// rwmutex_two_readers_norace.c - a writer's lock orders both ways.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include "invisible.h"

int value;
static csp_rwmutex lock;

static void writer(void *arg)
{
    (void)arg;
    csp_rwmutex_lock(&lock);
    value = 1; // line: write
    csp_rwmutex_unlock(&lock);
    invisible_step();
}

int main(void)
{
    csp_go(writer, NULL);
    invisible_wait(1);
    csp_rwmutex_rlock(&lock);
    invisible_use(value); // line: read
    csp_rwmutex_runlock(&lock);
    return 0;
}
