// control.h - the runtime under a schedule of the detector's choosing (docs/architecture.md, "Controlled schedules").
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One worker at a time runs coroutines, and asks the detector which (hook next_co). There are no run queues, no idle workers, no
// monitor: what would put a coroutine in a queue tells co_ready. Workers beside the first are there only while that one's
// thread is another's: in a blocking call, at the end of the process. All of this is dead code without the sanitizer.
#ifndef CSP_RUNTIME_CONTROL_H
#define CSP_RUNTIME_CONTROL_H

#include "worker.h"

// The next coroutine to run on w; waits for it, and fires what is due meanwhile.
csp_co *cspi_control_find(cspi_worker *w);
// w's thread is another's from now on, or co's again. A worker that can be given the turn is started if there is none.
void cspi_control_leave(cspi_worker *w, bool away);
void cspi_control_take(cspi_worker *w, csp_co *co);
// There is a worker that can be given the turn.
#if CSP_HOOKS
void cspi_control_need_worker(void);
#else
static inline void cspi_control_need_worker(void)
{
}
#endif

// --- what the detector asks (rest.c publishes it)
void cspi_control_switch_away(void); // sched.c
bool cspi_control_poll(void);
void cspi_control_all_asleep(unsigned n_threads); // rest.c

#endif
