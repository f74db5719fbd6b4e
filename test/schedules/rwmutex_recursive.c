// rwmutex_recursive.c - a reader takes the read lock once more inside, and a writer comes in between.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: a waiting writer keeps new readers out, so the inner read lock waits for the writer and the writer for the
// outer one.
// Order: A read-locks, B asks to write, A read-locks again.
// Depth: 2. Shows as: asleep.
// Source: RWR deadlock, section 5.1.1 of Tu et al., ASPLOS 2019; kubernetes#62464 in GoKer (GoBench, CGO 2021).
#include <csp/csp.h>

static csp_rwmutex lock;
static int entries[2] = {1, 2};
static csp_wg both;

static int get(int i)
{
    csp_rwmutex_rlock(&lock);
    int entry = entries[i];
    csp_rwmutex_runlock(&lock);
    return entry;
}

static void read_all(void *arg)
{
    int *sum = arg;
#ifdef FIXED
    *sum = get(0) + get(1);
#else
    csp_rwmutex_rlock(&lock);
    *sum = get(0) + get(1);
    csp_rwmutex_runlock(&lock);
#endif
    csp_wg_done(&both);
}

static void write_one(void *arg)
{
    (void)arg;
    csp_rwmutex_lock(&lock);
    entries[0] = 5;
    csp_rwmutex_unlock(&lock);
    csp_wg_done(&both);
}

int main(void)
{
    int sum = 0;
    csp_wg_add(&both, 2);
    csp_go(read_all, &sum);
    csp_go(write_one, NULL);
    csp_wg_wait(&both);
    return 0;
}
