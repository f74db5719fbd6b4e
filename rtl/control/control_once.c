// control_once.c - the function of a pthread_once: the order it gives however it ends, and who waits for it under control.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// While a function of a once runs, its task may lose the turn; who comes meanwhile waits for it here, not in libc. The function may
// end by an exception or by cancellation, so this file is compiled with -fexceptions: marks are taken back, and what was done before
// is known to who tries next. The mark alone counts: libc's own state changes before the exception has come through us.
#include "control/control_libc.h"

#include <limits.h>

enum { DONE = 2 }; // in glibc's pthread_once_t

static cspr_who me(void)
{
    const cspr_task *t = cspr_task_current();
    return t ? cspr_task_who(t) : 0;
}

// Frames that an exception has left took no records off.
typedef struct running {
    const pthread_once_t *control;
    csp_frame *top;
} running;

static void ends(const running *r)
{
    __csp_top = r->top;
    cspr_shadow_lock *s = cspr_shadow_lock_find(r->control);
    if (s) {
        s->holder = 0;
        cspr_shadow_lock_tidy(s);
    }
    cspr_control_wake(r->control, UINT_MAX);
}

static bool other_runs(const void *object)
{
    const cspr_shadow_lock *s = cspr_shadow_lock_find(object);
    return s && s->holder;
}

int cspr_control_once(pthread_once_t *control, void (*fn)(void), int (*run)(pthread_once_t *, void (*)(void)))
{
    cspr_control_point(CSP_OP_ONCE, control);
    while (other_runs(control))
        cspr_control_await(CSP_OP_ONCE, control, INT64_MAX);
    if (*control & DONE)
        return run(control, fn);
    __attribute__((cleanup(ends), unused)) const running here = {control, __csp_top};
    cspr_shadow_lock_make(control)->holder = me();
    return run(control, fn);
}

static void release(const running *r)
{
    __csp_top = r->top;
    cspr_release(r->control, cspr_task_current());
}

void cspr_once_call(pthread_once_t *control, void (*fn)(void))
{
    cspr_acquire(control, cspr_task_current()); // an attempt that failed
    __attribute__((cleanup(release), unused)) const running here = {control, __csp_top};
    fn();
}
