// blocking.c - calls that block the OS thread: they run on a big stack, and another worker goes on in their worker's place.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The call runs on the stack of the worker's own loop, which is big and otherwise unused while a coroutine runs. Meanwhile
// the thread is no worker: the coroutine is bound to it, as a thread of the program is to its own, so whatever the call
// does - make others ready, create coroutines, even park - works as from such a thread, and parking blocks it. The worker is
// *away*, which is one way of being stuck (worker.h): one more may work in its place.
//
// Nothing is lost: the worker hands over its queue, then gives room, then looks at all queues (as in I1 to I3); who pushes
// later sees the room. If it was the last one awake and timers are pending or descriptors watched, a worker is woken to keep those.
// See: docs/architecture.md (blocking calls); Go's entersyscall, exitsyscall
#include "csp/io.h"

#include "control.h"
#include "monitor.h"

static __thread cspi_worker *tls_away __attribute__((tls_model("initial-exec")));

__attribute__((noinline)) cspi_worker *cspi_away_self(void)
{
    __asm__ volatile("" ::: "memory");
    return tls_away;
}

__attribute__((noinline)) void cspi_away_set_self(cspi_worker *w)
{
    tls_away = w;
}

static void leave(cspi_worker *w, csp_co *co)
{
    cspi_lock_acquire(&cspi_sched.lock);
    cspi_worker_drain_locked(w);
    cspi_sched.n_stuck += !w->stuck;
    w->away = true;
    csp_store_rlx(&w->stuck, true); // relaxed: under the lock; atomic for the monitor
    cspi_sched.n_away++;
    csp_store_rlx(&cspi_sched.handovers, cspi_sched.handovers + 1); // relaxed: under the lock; statistics
    csp_add_rlx(&cspi_sched.n_bound_running, 1);                    // relaxed: under the lock
    cspi_counts_changed_locked();
    bool nobody_keeps = cspi_nobody_keeps_locked();
    cspi_lock_release(&cspi_sched.lock);
    co->bound = true;
    cspi_worker_set_self(NULL);
    cspi_foreign_set_self(co);
    cspi_away_set_self(w);
#if CSP_HOOKS
    if (CSPI_CONTROLLED())
        cspi_control_leave(w, true);
#endif
    csp_fence_seq();
    if (nobody_keeps || cspi_work_waits())
        cspi_wake_one();
}

// False: too many work already.
static bool come_back(cspi_worker *w, csp_co *co)
{
    cspi_away_set_self(NULL);
    cspi_foreign_set_self(NULL);
    cspi_worker_set_self(w);
    co->bound = false;
    cspi_lock_acquire(&cspi_sched.lock);
    w->away = false;
    csp_store_rlx(&w->stuck, false); // relaxed: under the lock
    cspi_sched.n_stuck--;
    cspi_sched.n_away--;
    csp_add_rlx(&cspi_sched.n_bound_running, -1); // relaxed: under the lock; the worker itself is at work again
    cspi_counts_changed_locked();
    bool may_go_on =
        w == csp_load_rlx(&cspi_sched.exempt) || (!cspi_sched.n_surplus && !csp_load_acq(&cspi_sched.stopping));
    cspi_lock_release(&cspi_sched.lock);
#if CSP_HOOKS
    if (CSPI_CONTROLLED()) {
        cspi_control_take(w, co);
        return true;
    }
#endif
    return may_go_on;
}

bool cspi_blocking_run(cspi_worker *w, csp_co *co)
{
    // The last call on this stack may have been another coroutine's.
    CSP_HOOK(forget, w->stack_lo, __builtin_frame_address(0));
    leave(w, co);
    w->release(w->release_arg);
    if (come_back(w, co))
        return true;
    CSP_HOOK(task_leave);
    return false;
}

void csp_blocking(void (*fn)(void *), void *arg)
{
    CSPI_FRAME();
    CSPI_POINT(BLOCKING, NULL);
    (void)cspi_self(); // the runtime has started
    if (cspi_worker_self())
        cspi_call_on_loop(fn, arg);
    else
        fn(arg); // a thread of the program, or inside such a call: the thread may block
}
