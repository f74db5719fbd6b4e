// once_recursive.c - what is set up once writes to the log, which sets itself up in the same once.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: a once that is called from inside its own function waits for itself.
// Order: `verbose` is set before the set-up looks at it.
// Depth: 2. Shows as: asleep.
// Source: sync.Once, section 6.1.1 of Tu et al., ASPLOS 2019; recursion behind a condition.
#include <csp/csp.h>

#include <stdatomic.h>

static csp_once set_up_once;
static atomic_bool verbose;
static atomic_int logged;
static csp_wg both;

static void set_up(void *arg);

static void write_log(void)
{
#ifndef FIXED
    csp_once_do(&set_up_once, set_up, NULL);
#endif
    atomic_fetch_add(&logged, 1);
}

static void set_up(void *arg)
{
    (void)arg;
    if (atomic_load(&verbose))
        write_log();
}

static void use(void *arg)
{
    (void)arg;
    csp_once_do(&set_up_once, set_up, NULL);
    csp_wg_done(&both);
}

static void read_options(void *arg)
{
    (void)arg;
    csp_sleep(CSP_MS);
    atomic_store(&verbose, true);
    csp_wg_done(&both);
}

int main(void)
{
    csp_wg_add(&both, 2);
    csp_go(read_options, NULL);
    csp_go(use, NULL);
    csp_wg_wait(&both);
    return 0;
}
