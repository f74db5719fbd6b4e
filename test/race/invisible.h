// invisible.h - forces the order in time of steps in different coroutines or threads without the detector seeing any order.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A race must be reported whatever the order in which its two accesses happen to run, but a test that compares the report's
// text needs one fixed order. Everything here is compiled without any instrumentation, so that neither the counter nor the
// waiting creates a happens-before edge; csp_yield and sched_yield are no edges by definition.
//
// Define INVISIBLE_THREADS before including it in a program of plain threads, which shall not start the runtime.
#ifndef CSP_TEST_INVISIBLE_H
#define CSP_TEST_INVISIBLE_H

#include <sched.h>
#ifndef INVISIBLE_THREADS
#include <csp/csp.h>
#endif

#define INVISIBLE __attribute__((disable_sanitizer_instrumentation, noinline, unused))

static int invisible_step_now;

INVISIBLE static void invisible_pause(void)
{
#ifndef INVISIBLE_THREADS
    csp_yield();
#endif
    sched_yield();
}

// One more step is done.
INVISIBLE static void invisible_step(void)
{
    __atomic_fetch_add(&invisible_step_now, 1, __ATOMIC_SEQ_CST);
    __asm__ volatile("" ::: "memory");
}

// Waits until `steps` steps are done, in whichever coroutines.
INVISIBLE static void invisible_wait(int steps)
{
    while (__atomic_load_n(&invisible_step_now, __ATOMIC_SEQ_CST) < steps)
        invisible_pause();
    __asm__ volatile("" ::: "memory");
}

// Lets the others run for a good while, so that they are most likely parked where they go next. Only for tests that hold
// either way and want to take a certain path.
INVISIBLE static void invisible_settle(void)
{
    for (int i = 0; i < 200; i++)
        invisible_pause();
}

// Uses a value, so that reading it is not optimised away.
INVISIBLE static void invisible_use(long value)
{
    __asm__ volatile("" : : "r"(value) : "memory");
}

// A pointer or number handed over without order.
INVISIBLE static void *invisible_get(void *const *from)
{
    return __atomic_load_n(from, __ATOMIC_SEQ_CST);
}
INVISIBLE static void invisible_put(void **to, void *value)
{
    __atomic_store_n(to, value, __ATOMIC_SEQ_CST);
}
#endif
