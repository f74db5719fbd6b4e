// report.h - what race and leak reports share: stacks made readable, names of tasks, and the lock they are written under.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RTL_REPORT_H
#define CSP_RTL_REPORT_H

#include "report/suppress.h"
#include "report/symbolize.h"
#include "rtl.h"
#include "support/print.h"

enum { CSPR_MAX_FRAMES = 256 };

// A stack as it is shown: symbolized, without our own inner frames and without what lies below main.
typedef struct cspr_view {
    size_t n;
    bool folded; // recursion was folded
    bool cut;    // deeper than we show
    cspr_place places[CSPR_MAX_FRAMES];
} cspr_view;

// One report being made: all the text and stacks it needs, in memory of its own.
typedef struct cspr_report {
    cspr_text text;
    const char *bold, *red, *green, *blue, *plain; // colour sequences, "" without colour
    bool terminal;                                 // source lines are shown
    bool is_mild;                                  // by itself it does not make the exit status 66
    uint64_t key;                                  // of what it is about: the same for the same finding
    // --- finding_log.h
    cspr_text stacks;   // those told so far, as JSON
    const char *role;   // of the stack that comes next; NULL: it is not told
    char role_what[96]; // more about it, "": nothing
    cspr_who role_who;
    bool role_is_primary;
} cspr_report;

// The one lock of reporters. Never held while the program's code or malloc runs; the holder has in_rtl > 0, so that no signal
// handler of the program's runs on it either.
void cspr_report_lock(void);
void cspr_report_unlock(void);

// Runs fn(arg) on a stack of its own: a coroutine's may have little left. Any number of threads at once; fn must not park.
void cspr_call_on_own_stack(void (*fn)(void *), void *arg);

// Caller holds the report lock for everything below.
void cspr_report_open(cspr_report *r, const char *what);                          // "====", WARNING line
void cspr_report_close(cspr_report *r, const char *what, const cspr_view *where); // SUMMARY, "===="; prints and counts
void cspr_view_frames(cspr_view *v, const uintptr_t *frames, size_t n, bool folded);
void cspr_view_stack(cspr_view *v, cspr_stack stack, unsigned byte_mask);
// A number for what a reader sees: functions, files and lines. Equal views have equal ones.
uint64_t cspr_view_hash(const cspr_view *v);
// What the next stack is to the finding, and whose (finding_log.h lists the roles).
void cspr_report_role(cspr_report *r, const char *role, bool is_primary, cspr_who who);
void cspr_report_stack(cspr_report *r, const cspr_view *v, bool with_source); // the frames and a blank line
// "coroutine 7 'name'", "thread T2", "main coroutine"; capital: for the start of a sentence.
void cspr_report_who(cspr_report *r, cspr_who who, bool capital);
// "  Coroutine 7 (running) created by main coroutine at:" and the stack; nothing for main. state NULL: running or finished.
void cspr_report_creation(cspr_report *r, cspr_who who, const char *state);
void cspr_report_place(cspr_report *r, const cspr_place *p); // "file:line:col", or the module and offset
// "file:line:col" of a site, with strip_path_prefix.
void cspr_report_site(cspr_report *r, const csp_site *site);
const char *cspr_strip_prefix(const char *file);
// A suppression of this type matches a function, file or module of the stack.
bool cspr_view_suppressed(const cspr_view *v, cspr_suppress_type type, bool top_only);

// report_location.c: what lies at an address, and "  Location is ..." of it.
typedef struct cspr_location {
    enum { CSPR_AT_NOWHERE, CSPR_AT_GLOBAL, CSPR_AT_HEAP, CSPR_AT_STACK, CSPR_AT_TLS, CSPR_AT_FD } kind;
    cspr_object_name global;
    cspr_block block;
    cspr_who owner; // of the stack or thread-local block; who made the descriptor
    int fd;
    cspr_stack creation; // of the descriptor, 0: not known
    cspr_variable variable;
    const char *function; // whose local variable it is, NULL: not known
} cspr_location;
void cspr_location_find(const cspr_race *race, cspr_location *l);
void cspr_report_location(cspr_report *r, const cspr_location *l, uintptr_t addr);

// report_frame.c: the frame in the owner's stack that addr belongs to, by a place in its function and the offset from its
// canonical address. frames: the stack of an access the owner is making now, n 0: none. False: not known.
bool cspr_frame_of(cspr_who owner, uintptr_t addr, const uintptr_t *frames, size_t n, uintptr_t *pc, intptr_t *offset);

// report_locks.c: " (mutexes: write M0, read M1)" of a side that held any; "  Mutex M0 ..." for each lock of either side.
void cspr_report_held(cspr_report *r, const cspr_side *side);
void cspr_report_locks(cspr_report *r, const cspr_race *race);
// Locks are called M0, M1, ... for the length of the process, by address.
unsigned cspr_report_lock_number(const void *lock);
// "M0 'lock' (0x...)".
void cspr_report_lock_name(cspr_report *r, const void *lock);
// "  Mutex M0 'lock' (0x...) created at:" and the stack, or one line without.
void cspr_report_lock_made(cspr_report *r, const void *lock);

// report_order.c: which order is missing.
void cspr_report_order(cspr_report *r, const cspr_race *race, const cspr_view *current, const cspr_view *previous);

extern _Atomic unsigned cspr_report_count; // how many were printed
extern _Atomic unsigned cspr_report_mild;  // how many of them were mild
// What an operation of enum csp_wait_op waits for, when it is no channel: "wait group".
const char *cspr_wait_object(int op);

#endif
