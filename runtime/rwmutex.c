// rwmutex.c - many readers or one writer.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// All state is under one internal lock, held for a few instructions. Ownership is always handed over, so that who waits is
// served in turn: a waiting writer keeps new readers out, and an unlocking writer lets in the readers that waited for it
// before the next writer. Neither side can starve the other.
//
// Invariant  I1 readers > 0 excludes writing; waiting_readers is not empty only while a writer holds or waits.
#include "waitq.h"

#include "panic.h"

static cspi_lock *state_lock(csp_rwmutex *m)
{
    return cspi_lock_of(&m->lock);
}

// Under the state lock, which it releases by parking; returns as a holder.
static void wait_for_turn(csp_rwmutex *m, cspi_waitq *q, int op, const csp_site *site)
{
    cspi_waiter w = {.co = cspi_self()};
    const cspi_wait wait = {.op = op, .obj = m, .site = site};
    cspi_waitq_push(q, &w);
    cspi_park(&wait, state_lock(m));
}

static bool take_write_locked(csp_rwmutex *m)
{
    if (m->writing || m->readers || !cspi_waitq_empty(&m->waiting_writers))
        return false;
    m->writing = 1;
    return true;
}

static bool take_read_locked(csp_rwmutex *m)
{
    if (m->writing || !cspi_waitq_empty(&m->waiting_writers))
        return false;
    m->readers++;
    return true;
}

// Hands m, which nobody holds, to the next writer; NULL: none waits.
static cspi_waiter *admit_writer_locked(csp_rwmutex *m)
{
    cspi_waiter *w = cspi_waitq_pop(&m->waiting_writers);
    m->writing = w != NULL;
    return w;
}

static cspi_waiter *admit_readers_locked(csp_rwmutex *m)
{
    cspi_waiter *list = cspi_waitq_take_all(&m->waiting_readers);
    for (cspi_waiter *w = list; w; w = w->next)
        m->readers++;
    return list;
}

void csp_rwmutex_lock(csp_rwmutex *m)
{
    CSPI_FRAME();
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    cspi_lock_acquire(state_lock(m));
    if (take_write_locked(m))
        cspi_lock_release(state_lock(m));
    else
        wait_for_turn(m, &m->waiting_writers, CSP_WAIT_WLOCK, site);
    CSP_HOOK(locked, m, CSP_LOCK_WRITE, NULL, site);
}

bool csp_rwmutex_trylock(csp_rwmutex *m)
{
    CSPI_FRAME();
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    cspi_lock_acquire(state_lock(m));
    bool taken = take_write_locked(m);
    cspi_lock_release(state_lock(m));
    if (taken)
        CSP_HOOK(locked, m, CSP_LOCK_WRITE, NULL, site);
    (void)site;
    return taken;
}

void csp_rwmutex_unlock(csp_rwmutex *m)
{
    CSPI_FRAME();
    (void)CSP_HOOK_VALUE(take_site, NULL);
    cspi_lock_acquire(state_lock(m));
    if (!m->writing) {
        cspi_lock_release(state_lock(m));
        cspi_fatal("sync: Unlock of unlocked RWMutex");
    }
    CSP_HOOK(unlocking, m, CSP_LOCK_WRITE);
    m->writing = 0;
    cspi_waiter *woken = admit_readers_locked(m);
    if (!woken)
        woken = admit_writer_locked(m);
    cspi_lock_release(state_lock(m));
    cspi_waitq_ready_all(woken);
}

void csp_rwmutex_rlock(csp_rwmutex *m)
{
    CSPI_FRAME();
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    cspi_lock_acquire(state_lock(m));
    if (take_read_locked(m))
        cspi_lock_release(state_lock(m));
    else
        wait_for_turn(m, &m->waiting_readers, CSP_WAIT_RLOCK, site);
    CSP_HOOK(locked, m, CSP_LOCK_READ, NULL, site);
}

bool csp_rwmutex_tryrlock(csp_rwmutex *m)
{
    CSPI_FRAME();
    const csp_site *site = CSP_HOOK_VALUE(take_site, NULL);
    cspi_lock_acquire(state_lock(m));
    bool taken = take_read_locked(m);
    cspi_lock_release(state_lock(m));
    if (taken)
        CSP_HOOK(locked, m, CSP_LOCK_READ, NULL, site);
    (void)site;
    return taken;
}

void csp_rwmutex_runlock(csp_rwmutex *m)
{
    CSPI_FRAME();
    (void)CSP_HOOK_VALUE(take_site, NULL);
    cspi_lock_acquire(state_lock(m));
    if (!m->readers) {
        cspi_lock_release(state_lock(m));
        cspi_fatal("sync: RUnlock of unlocked RWMutex");
    }
    CSP_HOOK(unlocking, m, CSP_LOCK_READ);
    cspi_waiter *woken = --m->readers ? NULL : admit_writer_locked(m);
    cspi_lock_release(state_lock(m));
    cspi_waitq_ready_all(woken);
}
