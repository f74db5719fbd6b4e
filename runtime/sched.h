// sched.h - what channels, locks and timers need of the scheduler: who am I, park me, make that one ready.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Parking follows Go's gopark: the caller queues itself on some object under that object's lock, then calls cspi_park with
// the lock still held; the scheduler releases it only once the coroutine's registers are saved, so a waker that gets the
// lock can never resume a coroutine that is still running. A waker takes the waiter off the queue under the same lock and
// calls cspi_ready after (or before) releasing it. cspi_ready may be called from any thread, also timers and foreign ones.
//
// A pthread of the program that calls in is given a csp_co of its own; parking it blocks that thread on a futex. Callers
// need not know the difference.
#ifndef CSP_RUNTIME_SCHED_H
#define CSP_RUNTIME_SCHED_H

#include "base/lock.h"
#include "hooks.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct csp_co csp_co;

// What a parked coroutine waits for; lives on its stack while it is parked, read by dumps and the leak check.
typedef struct cspi_wait {
    int op;               // enum csp_wait_op of hooks.h
    bool will_wake;       // a timer or descriptor will wake it
    const void *obj;      // csp_chan *, lock, ...; NULL for nil channels and selects
    void *ch;             // the detector's object of that channel
    const csp_site *site; // of the public call
    const csp_case_view *cases;
    size_t n_cases;
} cspi_wait;

// The calling coroutine. The first call in a process starts the runtime and makes the calling thread's flow the main
// coroutine if it is the program's main thread; any other unknown pthread gets a csp_co of its own. Never NULL.
// Not to be cached across a park by thread-local tricks; a csp_co pointer itself stays valid for its coroutine.
csp_co *cspi_self(void);

// Parks the calling coroutine; *lock (may be NULL) is held and is released once its state is saved. `wait` must stay
// valid until it runs again. Returns after a cspi_ready; there are no spurious returns.
void cspi_park(const cspi_wait *wait, cspi_lock *lock);
// As above with several locks held: release(arg) is called on the scheduler's stack once the state is saved (select).
void cspi_park_with(const cspi_wait *wait, void (*release)(void *arg), void *arg);

// Runs fn(arg) on the stack of the worker's loop, as a blocking call (blocking.c). The caller runs on a worker.
void cspi_call_on_loop(void (*fn)(void *), void *arg);

// Makes a parked coroutine runnable, exactly once per park. It runs next on this worker (as Go's runnext). Never parks.
void cspi_ready(csp_co *co);

// fn(arg) is the last thing the calling coroutine does, whether its function returns or it calls csp_exit. One per coroutine;
// not for main and pthreads. fn must not park.
void cspi_at_end(void (*fn)(void *), void *arg);

// The detector's task of a coroutine (for hooks on behalf of a parked partner).
void *cspi_task(csp_co *co);

// True when parking blocks the coroutine's own thread: a pthread of the program, or the flow that ends the process.
bool cspi_is_bound(const csp_co *co);

// Uniform 32-bit random number, per worker, no lock.
uint32_t cspi_random(void);

// As csp_go, for what starts coroutines by other means: the place is the caller's.
void cspi_go_at(void (*fn)(void *), void *arg, const csp_site *site, void *caller);
// Likewise; dumps call it by entry; fn gets the address of a copy of the bytes, 16-byte aligned, on the coroutine's own stack.
void cspi_go_copy(void (*fn)(void *), const void *bytes, size_t size, void *entry, const csp_site *site, void *caller);

// Creates a coroutine from a timer: as csp_go, but the order comes from the snapshot (may be NULL), which is not freed.
void cspi_go_from(void (*fn)(void *), void *arg, void *snapshot);

#ifdef __cplusplus
}
#endif
#endif
