// half_init.c - double-checked initialisation says it is done before the object is whole.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: the flag that lets others skip the lock is set first, the table is filled afterwards.
// Order: A sets the flag, B skips the lock and reads the empty table.
// Depth: 2. Shows as: crash.
// Source: double-checked locking; order violation, Lu et al., ASPLOS 2008; SCTBench lazy01.
#include <csp/csp.h>

#include <assert.h>
#include <stdatomic.h>

static csp_mutex lock;
static atomic_bool made;
static atomic_int table_size;
static csp_wg both;

static void make_table(void)
{
#ifdef FIXED
    atomic_store(&table_size, 16);
    atomic_store(&made, true);
#else
    atomic_store(&made, true);
    atomic_store(&table_size, 16);
#endif
}

static void use_table(void *arg)
{
    (void)arg;
    if (!atomic_load(&made)) {
        csp_mutex_lock(&lock);
        if (!atomic_load(&made))
            make_table();
        csp_mutex_unlock(&lock);
    }
    assert(atomic_load(&table_size) == 16);
    csp_wg_done(&both);
}

int main(void)
{
    csp_wg_add(&both, 2);
    csp_go(use_table, NULL);
    csp_go(use_table, NULL);
    csp_wg_wait(&both);
    return 0;
}
