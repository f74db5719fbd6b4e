// control_thread.c - pthreads that wait under a controlled schedule: what wakes them besides that for which they wait.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A thread that is cancelled ends at its next cancellation point, also when its type is asynchronous: at any other moment it may not
// have the turn.
#include "control/control_libc.h"
#include "intercept/intercept_thread.h"

#include <errno.h>
#include <limits.h>

static __thread cspr_control_own own __attribute__((tls_model("initial-exec")));

cspr_control_own *cspr_control_own_record(void)
{
    return &own;
}

bool cspr_control_await(int op, const void *obj, int64_t deadline_ns)
{
    cspr_control_begin(); // who waits lets others run, if there are any, and the time
    own.waits_for = obj;
    bool woken = cspr_control_block(op, obj, deadline_ns);
    own.waits_for = NULL;
    return woken;
}

bool cspr_control_was_interrupted(bool restarts)
{
    uint8_t how = own.interrupted;
    own.interrupted = CSPR_NOT_INTERRUPTED;
    return how == CSPR_INTERRUPTED || (how == CSPR_INTERRUPTED_RESTARTS && !restarts);
}

static uint32_t any_signalled; // atomic

void cspr_control_note_signal(enum cspr_interruption how)
{
    // relaxed: a signal comes at any moment; the flags are looked at again
    __atomic_store_n(&own.signalled, (uint8_t)how, __ATOMIC_RELAXED);
    __atomic_store_n(&any_signalled, 1, __ATOMIC_RELAXED);
}

static void wake_signalled(cspr_control_own *o, void *any)
{
    uint8_t how = __atomic_exchange_n(&o->signalled, CSPR_NOT_INTERRUPTED, __ATOMIC_RELAXED); // relaxed: as above
    if (!how || !o->waits_for)
        return;
    o->interrupted = how;
    cspr_control_wake(o->waits_for, UINT_MAX);
    *(bool *)any = true;
}

bool cspr_control_wake_signalled(void)
{
    bool any = false;
    if (CSPR_UNLIKELY(__atomic_exchange_n(&any_signalled, 0, __ATOMIC_RELAXED))) // relaxed: as above
        cspr_threads_each_own(wake_signalled, &any);
    return any;
}

// --- cancellation ------------------------------------------------------------------------------------------------------------------

CSPR_LIBC(pthread_cancel);
CSPR_LIBC(pthread_testcancel);
CSPR_LIBC(pthread_setcanceltype);

bool cspr_control_is_cancelled(void)
{
    int state, unused;
    if (CSPR_LIKELY(!own.cancelled))
        return false;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    pthread_setcancelstate(state, &unused);
    return state == PTHREAD_CANCEL_ENABLE;
}

bool cspr_control_await_cancellable(int op, const void *obj, int64_t deadline_ns)
{
    return cspr_control_is_cancelled() || cspr_control_await(op, obj, deadline_ns);
}

void cspr_control_testcancel(void)
{
    if (CSPR_UNLIKELY(own.cancelled))
        libc_pthread_testcancel();
}

static int controlled_pthread_cancel(pthread_t handle)
{
    if (!cspr_is_program())
        return libc_pthread_cancel(handle);
    cspr_control_point(CSP_OP_THREAD, NULL);
    cspr_control_own *target = cspr_thread_own(handle);
    int result = libc_pthread_cancel(handle);
    if (result || !target)
        return result;
    target->cancelled = true;
    if (target->waits_for)
        cspr_control_wake(target->waits_for, UINT_MAX);
    return 0;
}

static void controlled_pthread_testcancel(void)
{
    if (cspr_is_program())
        cspr_control_point_idle(CSP_OP_THREAD, NULL);
    libc_pthread_testcancel();
}

static __thread bool is_asynchronous __attribute__((tls_model("initial-exec")));

static int controlled_pthread_setcanceltype(int type, int *old)
{
    if (!cspr_is_program() || (type != PTHREAD_CANCEL_ASYNCHRONOUS && type != PTHREAD_CANCEL_DEFERRED))
        return libc_pthread_setcanceltype(type, old);
    if (old)
        *old = is_asynchronous ? PTHREAD_CANCEL_ASYNCHRONOUS : PTHREAD_CANCEL_DEFERRED;
    is_asynchronous = type == PTHREAD_CANCEL_ASYNCHRONOUS;
    return 0;
}

// --- giving the processor away -------------------------------------------------------------------------------------------------------

CSPR_LIBC(sched_yield);
CSPR_LIBC(thrd_yield);

static int controlled_sched_yield(void)
{
    if (!cspr_is_program())
        return libc_sched_yield();
    cspr_control_point_idle(CSP_OP_YIELD, NULL);
    return 0;
}

static void controlled_thrd_yield(void)
{
    controlled_sched_yield();
}

void cspr_control_threads_take_over(void)
{
    cspr_thread_note_main();
    CSPR_TAKE_OVER(pthread_cancel);
    CSPR_TAKE_OVER(pthread_testcancel);
    CSPR_TAKE_OVER(pthread_setcanceltype);
    CSPR_TAKE_OVER(sched_yield);
    CSPR_TAKE_OVER(thrd_yield);
}
