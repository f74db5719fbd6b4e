// cxx.c - order that the C++ runtime gives by atomics of its own: function-local statics and the counts of exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The pass puts these calls around those of the C++ runtime in compiled code, rather than that we stand before its functions:
// so it makes no difference whether libstdc++ is linked statically.
// Edges: end of a static's initialisation -> every use (the compiler's fast path is an acquire load of the guard, which the
// detector sees already). Each holder's letting go of an exception -> the destruction of the exception, by whoever was last.
#include "support/libc.h"

#include <string.h>

static bool is_checked(void)
{
    return cspr_ready && !cspr_bypass();
}

CSPR_INTERFACE void __csp_cxx_guard_acquired(void *guard);
CSPR_INTERFACE void __csp_cxx_guard_acquired(void *guard)
{
    if (is_checked())
        cspr_acquire(guard, cspr_task_current());
}

CSPR_INTERFACE void __csp_cxx_guard_releasing(void *guard);
CSPR_INTERFACE void __csp_cxx_guard_releasing(void *guard)
{
    if (is_checked())
        cspr_release(guard, cspr_task_current());
}

// --- exceptions, as libstdc++ lays them out on x86-64 ---------------------------------------------------------------------------
//
//   block:  count and padding (16) | __cxa_exception (112), its _Unwind_Exception at 80 | the thrown object
//
// std::rethrow_exception throws a dependent exception, whose first word points to the thrown object.

enum { HEADER = 112, UNWIND_HEADER = 80, BEFORE_OBJECT = 128 };

// Who lets go learns what those knew who did before: one of them is about to destroy it.
static void drop(void *object)
{
    if (!object)
        return;
    void *count = (char *)object - BEFORE_OBJECT;
    cspr_release_merge(count, cspr_task_current());
    cspr_acquire(count, cspr_task_current());
}

CSPR_INTERFACE void __csp_cxx_exception_ptr_releasing(void *exception_ptr);
CSPR_INTERFACE void __csp_cxx_exception_ptr_releasing(void *exception_ptr)
{
    if (is_checked())
        drop(*(void **)exception_ptr);
}

typedef struct eh_globals {
    char *caught; // __cxa_exception
    unsigned n_uncaught;
} eh_globals;
extern eh_globals *__cxa_get_globals(void) __attribute__((weak));

static const char *const exception_class = "\0++CCUNG"; // GNUCC++, most significant byte first; ours is little-endian

CSPR_INTERFACE void __csp_cxx_end_catch(void);
CSPR_INTERFACE void __csp_cxx_end_catch(void)
{
    eh_globals *g = is_checked() && __cxa_get_globals ? __cxa_get_globals() : NULL;
    if (!g || !g->caught || memcmp(g->caught + UNWIND_HEADER + 1, exception_class + 1, 7) != 0)
        return; // none, another language's or another library's
    bool dependent = g->caught[UNWIND_HEADER] != 0;
    drop(dependent ? *(void **)g->caught : g->caught + HEADER);
}
