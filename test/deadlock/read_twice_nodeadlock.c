// read_twice_nodeadlock.c - a reader that reads again while no writer waits.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
#include <csp/csp.h>

static csp_rwmutex m;

static void reader(void *arg)
{
    (void)arg;
    csp_rwmutex_rlock(&m);
    csp_rwmutex_rlock(&m);
    csp_rwmutex_runlock(&m);
    csp_rwmutex_runlock(&m);
}

int main(void)
{
    csp_go(reader, NULL);
    csp_go(reader, NULL);
    return 0;
}
