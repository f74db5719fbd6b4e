// eh.h - a coroutine's C++ exceptions in flight stay its own when it parks inside a catch clause or a destructor.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The C++ runtime keeps the list of caught exceptions and the count of uncaught ones per OS thread. Whoever runs next on
// the thread must find neither, and who goes on elsewhere must find his own: they are taken off at each switch and put back
// after it. The function is weak: programs without the C++ runtime pay a test.
#ifndef CSP_RUNTIME_EH_H
#define CSP_RUNTIME_EH_H

// As the Itanium C++ ABI lays it out (2.2.2).
typedef struct cspi_eh {
    void *caught;
    unsigned int n_uncaught;
} cspi_eh;

extern cspi_eh *__cxa_get_globals(void) __attribute__((weak)); // not declared const, as it is elsewhere: threads change

static inline cspi_eh cspi_eh_take(void)
{
    cspi_eh mine = {0};
    if (__cxa_get_globals) {
        cspi_eh *here = __cxa_get_globals();
        mine = *here;
        *here = (cspi_eh){0};
    }
    return mine;
}

static inline void cspi_eh_put(cspi_eh mine)
{
    if (__cxa_get_globals)
        *__cxa_get_globals() = mine;
}

#endif
