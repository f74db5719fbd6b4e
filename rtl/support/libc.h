// libc.h - the real libc functions, and what every interceptor opens with.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An interceptor has the libc function's own name, so that the program's calls, and those of its libraries, end up here. It
//   1. calls straight through when cspr_bypass() says so,
//   2. pushes a frame record (stacks then show the function and its caller's line),
//   3. tells the detector, without cspr_enter (what it calls does that itself), and calls the real one outside of it.
// Inside rtl and runtime themselves memcpy and friends are others, see rawmem.h.
#ifndef CSP_RTL_LIBC_H
#define CSP_RTL_LIBC_H

#include "intercept/intercept_library.h"
#include "rtl.h"

#include <pthread.h>
#include <search.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <threads.h>
#include <time.h>

#define REAL(ret, name, params) extern ret(*cspr_real_##name) params;
#include "intercept/intercept.inc"
void *cspr_find_real(const char *name, const char *version);

// Whether pc lies in libc's or the dynamic loader's code.
typedef struct cspr_code {
    uintptr_t lo, size;
} cspr_code;
extern cspr_code cspr_libc_code, cspr_loader_code; // immutable after start
static inline bool cspr_pc_is_loader(uintptr_t pc)
{
    return pc - cspr_loader_code.lo < cspr_loader_code.size;
}
static inline bool cspr_pc_is_libc(uintptr_t pc)
{
    return pc - cspr_libc_code.lo < cspr_libc_code.size || cspr_pc_is_loader(pc);
}

// While the process forks (exit.c).
void cspr_threads_fork_lock(bool take);
void cspr_barriers_fork_lock(bool take);
void cspr_shadow_locks_fork_lock(bool take); // control_lock.c

// intercept_thread.c: for pthread_cleanup_push below the first function of a thread.
void cspr_forget_records(void *unused);

static inline void cspr_frame_pop(csp_frame *f)
{
    __csp_top = f->prev;
}

// Weak: a program that brings its own memcpy or pthread_mutex_lock keeps it.
#define CSPR_INTERCEPTOR CSPR_INTERFACE __attribute__((weak))

#define CSPR_FRAME()                                                                                                   \
    csp_frame frame_here_ __attribute__((cleanup(cspr_frame_pop))) = {__csp_top, __builtin_return_address(0), 0};      \
    __csp_top = &frame_here_

// A place in the function it stands in.
#define CSPR_PC()                                                                                                      \
    ({                                                                                                                 \
        void *pc_here_;                                                                                                \
        __asm__ volatile("lea 0(%%rip), %0" : "=r"(pc_here_));                                                         \
        pc_here_;                                                                                                      \
    })
// The stack of that place; after CSPR_FRAME().
#define CSPR_STACK() cspr_stack_here(CSPR_PC(), NULL)

#endif
