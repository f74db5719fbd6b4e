// tls_migrate_norace.c - a thread-local is the running thread's, also where the function was on another thread a moment before.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace --levels=O0,O1,O2 --procs=2,4 %s
#include "invisible.h"

#include <stdlib.h>

static __thread long mine;
__thread struct { char name[3]; int count; } known;

enum { COROUTINES = 16, ROUNDS = 200 };

static void worker(void *done)
{
    for (long i = 0; i < ROUNDS; i++) {
        mine += i;
        known.count++;
        csp_yield(); // the next turn may be another thread's
        mine -= i;
        known.name[1] = 'x';
    }
    csp_wg_done(done);
}

int main(void)
{
    static csp_wg done;
    csp_wg_add(&done, COROUTINES);
    for (int i = 0; i < COROUTINES; i++)
        csp_go(worker, &done);
    csp_wg_wait(&done);
    return 0;
}
