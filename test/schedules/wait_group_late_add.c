// wait_group_late_add.c - a handler that has to try again counts itself again after it had counted itself out.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: the group's counter was 0 in between: whoever waits for it goes on without the second try.
// Order: the retry is asked for before the handler looks, and main waits meanwhile.
// Depth: 2. Shows as: race.
// Source: WaitGroup misuse, section 6.1 of Tu et al., ASPLOS 2019; wait-group reuse.
#include <csp/csp.h>

#include <stdatomic.h>

static atomic_bool again;
static csp_wg handlers;
static int handled;

static void handle(void *arg)
{
    (void)arg;
    handled++;
#ifndef FIXED
    csp_wg_done(&handlers);
#endif
    if (atomic_exchange(&again, false)) {
        csp_wg_add(&handlers, 1);
        csp_go(handle, NULL);
    }
#ifdef FIXED
    csp_wg_done(&handlers);
#endif
}

static void ask_again(void *arg)
{
    (void)arg;
    csp_sleep(CSP_MS);
    atomic_store(&again, true);
}

int main(void)
{
    csp_wg_add(&handlers, 1);
    csp_go(ask_again, NULL);
    csp_go(handle, NULL);
    csp_wg_wait(&handlers);
    return handled < 1;
}
