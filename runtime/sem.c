// sem.c - a weighted semaphore, strictly first come, first served.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Detector. Releases accumulate in the semaphore's clock and every acquire joins all of it. That is more order than there is
// (rule F1 asks for a queue of released units with their clocks): races across unrelated permits are missed, none is invented.
#include "waitq.h"

#include "csp/go.h"

struct sem_waiter {
    cspi_waiter base;
    int64_t wanted;
};

static cspi_lock *state_lock(csp_sem *s)
{
    return cspi_lock_of(&s->lock);
}

static void check_amount(int64_t k)
{
    if (k < 0)
        csp_panic("csp_sem: negative number of permits");
}

static bool take_locked(csp_sem *s, int64_t k)
{
    if (!cspi_waitq_empty(&s->waiters) || s->permits < k)
        return false;
    s->permits -= k;
    CSP_HOOK(acquire, s, NULL);
    return true;
}

// Takes those who can be served now off the queue, in order; the first who cannot blocks the rest.
static cspi_waiter *serve_locked(csp_sem *s)
{
    cspi_waitq served = {0};
    for (;;) {
        struct sem_waiter *w = (struct sem_waiter *)s->waiters.head;
        if (!w || w->wanted > s->permits)
            return served.head;
        s->permits -= w->wanted;
        CSP_HOOK(acquire, s, cspi_task(w->base.co));
        cspi_waitq_remove(&s->waiters, &w->base);
        cspi_waitq_push(&served, &w->base);
    }
}

void csp_sem_init(csp_sem *s, int64_t n)
{
    CSPI_FRAME();
    (void)CSP_HOOK_VALUE(take_site, NULL);
    check_amount(n);
    *s = (csp_sem){.permits = n};
    CSP_HOOK(sync_reset, s);
}

void csp_sem_acquire(csp_sem *s, int64_t k)
{
    CSPI_FRAME();
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    check_amount(k);
    cspi_lock_acquire(state_lock(s));
    if (take_locked(s, k)) {
        cspi_lock_release(state_lock(s));
        (void)site;
        return;
    }
    struct sem_waiter w = {.base.co = cspi_self(), .wanted = k};
    const cspi_wait wait = {.op = CSP_WAIT_SEM, .obj = s, .site = site};
    cspi_waitq_push(&s->waiters, &w.base);
    cspi_park(&wait, state_lock(s));
}

bool csp_sem_tryacquire(csp_sem *s, int64_t k)
{
    CSPI_FRAME();
    (void)CSP_HOOK_VALUE(take_site, NULL);
    check_amount(k);
    cspi_lock_acquire(state_lock(s));
    bool taken = take_locked(s, k);
    cspi_lock_release(state_lock(s));
    return taken;
}

void csp_sem_release(csp_sem *s, int64_t k)
{
    CSPI_FRAME();
    (void)CSP_HOOK_VALUE(take_site, NULL);
    check_amount(k);
    cspi_lock_acquire(state_lock(s));
    CSP_HOOK(release_merge, s, NULL);
    s->permits += k;
    cspi_waiter *woken = serve_locked(s);
    cspi_lock_release(state_lock(s));
    cspi_waitq_ready_all(woken);
}
