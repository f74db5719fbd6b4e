// reach_stop.h - the process's other threads held still, with their registers.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RTL_REACH_STOP_H
#define CSP_RTL_REACH_STOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cspr_stopped_thread {
    int tid;
    uintptr_t sp;
    uintptr_t registers[15]; // the others
} cspr_stopped_thread;

typedef struct cspr_stopped {
    cspr_stopped_thread *list;
    size_t n, cap;
    int *left_alone; // those that is_idle named, and the caller
    size_t n_left_alone;
    int helper; // who holds them; 0: there are none
    char *stack;
    uint32_t turn; // atomic, futex: whose turn it is
    bool failed;
} cspr_stopped;

// Stops all threads but the caller's and those of which is_idle says that they have nothing to tell. False: not able (the
// process is being debugged, or the system does not allow it): none is stopped. No lock held.
bool cspr_stop_others(cspr_stopped *s, bool (*is_idle)(int tid));
// They go on; calls that were waiting in the kernel go on waiting.
void cspr_let_others_go(cspr_stopped *s);

#endif
