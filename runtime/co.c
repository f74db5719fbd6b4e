// co.c - what a coroutine's state is called, and the walk over all of them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "co.h"

#include "stack.h"
#include "worker.h"

// Go's words where Go has the thing.
const char *cspi_wait_name(const cspi_wait *w)
{
    switch (w->op) {
    case CSP_WAIT_SEND:
        return w->obj ? "chan send" : "chan send (nil chan)";
    case CSP_WAIT_RECV:
        return w->obj ? "chan receive" : "chan receive (nil chan)";
    case CSP_WAIT_SELECT:
        return w->n_cases ? "select" : "select (no cases)";
    case CSP_WAIT_MUTEX:
        return "sync.Mutex.Lock";
    case CSP_WAIT_RLOCK:
        return "sync.RWMutex.RLock";
    case CSP_WAIT_WLOCK:
        return "sync.RWMutex.Lock";
    case CSP_WAIT_WG:
        return "sync.WaitGroup.Wait";
    case CSP_WAIT_COND:
        return "sync.Cond.Wait";
    case CSP_WAIT_ONCE:
        return "sync.Once.Do";
    case CSP_WAIT_SEM:
        return "semacquire";
    case CSP_WAIT_SLEEP:
        return "sleep";
    case CSP_WAIT_IO:
        return "IO wait";
    default:
        return "waiting";
    }
}

struct walk {
    bool (*fn)(csp_co *co, void *arg);
    void *arg;
    bool go_on;
};

CSPI_LOOKS static bool visit(csp_co *co, void *arg)
{
    struct walk *w = arg;
    // Acquire, and before all else: one that is being made is free, and what a live one holds is what it was made with.
    if (csp_load_acq(&co->state) == CO_FREE)
        return w->go_on;
    // After a fork the child has only the one that forked; the others' stacks are mere memory there.
    bool is_here = co->id >= cspi_sched.first_id || co == cspi_sched.survivor;
    if (is_here)
        w->go_on = w->fn(co, w->arg);
    return w->go_on;
}

static bool lock_if_free(bool wait)
{
    if (wait)
        cspi_lock_acquire(&cspi_sched.lock);
    return wait || cspi_lock_try(&cspi_sched.lock);
}

void cspi_co_each_moment(bool (*fn)(csp_co *co, void *arg), void *arg, bool from_signal)
{
    struct walk w = {fn, arg, true};
    if (visit(&cspi_sched.main_co, &w))
        cspi_stack_each(visit, &w, !from_signal);
    if (!lock_if_free(!from_signal))
        return;
    for (csp_co *co = cspi_sched.foreign; co && w.go_on; co = co->foreign_next)
        visit(co, &w);
    cspi_lock_release(&cspi_sched.lock);
}

void cspi_co_each(bool (*fn)(csp_co *co, void *arg), void *arg)
{
    cspi_co_each_moment(fn, arg, false);
}
