// control.c - the runtime under a schedule of the detector's choosing: workers, and finding the next coroutine.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "control.h"

#include "poll.h"

#if CSP_HOOKS

csp_co *cspi_control_find(cspi_worker *w)
{
    for (;;) {
        csp_add_seq(&cspi_sched.n_halted, 1u); // for who looks at all coroutines: this worker may stand here for long
        csp_co *co = cspi_hooks->next_co(w->carrier);
        csp_add_seq(&cspi_sched.n_halted, (uint32_t)-1);
        if (co)
            return co;
        cspi_timers_run_due(w);
    }
}

static bool can_run(const cspi_worker *w)
{
    return w->carrier && !w->away;
}

void cspi_control_need_worker(void)
{
    cspi_lock_acquire(&cspi_sched.lock);
    cspi_worker *w = NULL;
    bool found = false;
    for (int i = 0; i < cspi_sched.n_started && !found; i++)
        found = can_run(cspi_sched.workers[i]);
    if (!found)
        w = cspi_worker_add_locked();
    cspi_lock_release(&cspi_sched.lock);
    if (!w)
        return;
    w->carrier = cspi_hooks->carrier_new();
    cspi_worker_spawn(w);
}

void cspi_control_leave(cspi_worker *w, bool away)
{
    cspi_hooks->carrier_leave(w->carrier, away);
    cspi_control_need_worker();
}

void cspi_control_take(cspi_worker *w, csp_co *co)
{
    if (!w->carrier)
        w->carrier = cspi_hooks->carrier_new();
    cspi_hooks->carrier_take(w->carrier, co);
}

bool cspi_control_poll(void)
{
    return csp_load_rlx(&cspi_poll_waiting) > 0 && cspi_poll_now(); // relaxed: nobody else runs
}

#endif
