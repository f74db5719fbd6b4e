// snapshot.h - all coroutines as they stood at one moment, copied while the workers are held, to be printed afterwards.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RUNTIME_SNAPSHOT_H
#define CSP_RUNTIME_SNAPSHOT_H

#include "walk.h"

#ifdef __cplusplus
extern "C" {
#endif

// Coroutines alike in all but number, name, labels and time: same stack, same state, same creator.
typedef struct cspi_group {
    struct cspi_group *next; // in the hash chain
    const char *status;      // as in "coroutine 7 [chan receive]:"
    uintptr_t entry;         // what csp_go was given; 0: main, a thread of the program
    uintptr_t created_at;    // return address of the csp_go; 0: unknown
    const void *sp;          // of the first one
    size_t count;
    uint64_t some_ids[4]; // of the first few
    int64_t longest_ns;
    cspi_frames frames;
} cspi_group;

typedef struct cspi_seen {
    uint64_t id;
    const cspi_group *group;
    csp_co *co;        // for its address only, and while it cannot have ended
    int64_t parked_ns; // for how long; -1: not parked
    const void *obj;   // that it waits on
    bool is_chan;      // obj is a channel, with:
    size_t len, cap;
    size_t n_cases; // of a select
    char name[48];
    char labels[160];
} cspi_seen;

typedef struct cspi_snapshot {
    size_t n_all; // coroutines
    // The first max_each of them, by number.
    cspi_seen *each;
    size_t n_each, max_each;
    // The others, by likeness.
    cspi_group *groups;
    size_t n_groups;
    size_t n_ungrouped; // too many different stacks: these were only counted
    bool all_stopped;   // else some computed on, and what is said of them and by them is a moment's value
} cspi_snapshot;

// Holds the workers, looks, lets them go on. Signal-safe; from_signal: locks which are taken, perhaps by whom the handler
// interrupted, are not waited for, and the workers stay held (the process ends). Only one at a time: NULL while another
// thread takes one, or for want of memory. The caller's own stack is `own`.
cspi_snapshot *cspi_snapshot_take(size_t max_each, const cspi_frames *own, bool from_signal);
void cspi_snapshot_free(cspi_snapshot *s);

#ifdef __cplusplus
}
#endif
#endif
