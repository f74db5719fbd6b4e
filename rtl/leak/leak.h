// leak.h - coroutines that nobody will wake: found, judged by what can still be reached, grouped, told.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Classes
//   stuck     proven: nothing that can still run can reach anything it waits on, so it will never be woken
//   orphaned  parked when the program (or the scope) ended, but somebody could still have woken it
//   late      can still run: let run for leak_grace_ms, then not reported
#ifndef CSP_RTL_LEAK_H
#define CSP_RTL_LEAK_H

#include "leak/leak_memory.h"
#include "rtl.h"

typedef enum cspr_leak_class { CSPR_LEAK_STUCK, CSPR_LEAK_ORPHANED } cspr_leak_class;

enum { CSPR_LEAK_CASES = 16, CSPR_LEAK_IDS = 8, CSPR_LEAK_PEERS = 8, CSPR_LEAK_FRAMES = 256 };

// Somebody else who used the channel. Sequence numbers say who was later; 0: never.
typedef struct cspr_leak_peer {
    cspr_who who;
    uint32_t sent, received, closed;
    cspr_stack send_stack, recv_stack, close_stack;
} cspr_leak_peer;

// One thing that is waited on.
typedef struct cspr_leak_target {
    int op;
    const void *obj;
    bool has_info;         // a channel the detector knows:
    cspr_chan_info info;   // copied: the channel may be gone when this is printed
    size_t n_peers, n_all; // n_all may be more than are kept
    uint32_t ever;         // 1 << enum csp_chan_use of all that was ever done; all bits: not known
    cspr_leak_peer peers[CSPR_LEAK_PEERS];
    const csp_site *site;
    int64_t count; // of a wait group; -1: not known
    bool held;     // a lock that somebody holds:
    cspr_who holder;
    cspr_held hold;
} cspr_leak_target;

// Coroutines of one class, parked at one place, created at one place.
typedef struct cspr_leak_group {
    uint64_t hash;
    cspr_leak_class class;
    size_t count;
    uint64_t ids[CSPR_LEAK_IDS]; // of the first ones
    cspr_who who;                // of the first
    int op;
    const char *waiting;       // "chan send"
    int64_t since_ns;          // of the one that is parked longest
    size_t stack_bytes;        // of all, in use
    size_t heap_bytes;         // of blocks that only stuck ones can reach, counted at the first that does
    size_t n_targets, n_cases; // n_cases may be more than are kept
    cspr_leak_target *targets;
    size_t n_frames;
    uintptr_t *frames;
} cspr_leak_group;

typedef struct cspr_leaks {
    cspr_leak_group **list; // as found; longest wait first once they are joined
    size_t n, cap;
    uint32_t *index; // by hash, open addressing; place + 1
    size_t n_index;
    size_t n_coroutines;
    int64_t now_ns, pause_ns;
    char *room; // of memory for all this, linked by its first word; what is left of the newest piece
    size_t room_used;
    cspr_losses losses; // option detect_memory_leaks
    bool proven;        // else some threads could not be looked at, and nobody is called stuck
} cspr_leaks;

// NOW: the program goes on afterwards. AT_END: it does not. AT_REST: neither, and its coroutines already stand still.
enum cspr_leak_when { CSPR_LEAK_NOW, CSPR_LEAK_AT_END, CSPR_LEAK_AT_REST };

// leak_find.c. Caller holds the report lock. The program is held still meanwhile. sp: what lies above on the caller's stack is in use; 0: main has returned.
void cspr_leaks_find(cspr_leaks *all, const csp_leak_query *q, uintptr_t sp, enum cspr_leak_when when);
void cspr_leaks_fini(cspr_leaks *all);

// hooks.c: who used the channel, latest first as far as there is room; how many there are.
size_t cspr_chan_users(void *ch, cspr_leak_peer *out, size_t max, uint32_t *ever);

// leak_report.c. Caller holds the report lock. Joins what looks the same, forgets what is suppressed or ignored.
void cspr_leaks_join(cspr_leaks *all, const csp_leak_query *q);
void cspr_leaks_print(const cspr_leaks *all);
void cspr_leaks_tell(const cspr_leaks *all, void (*tell)(const csp_leak_found *found, void *arg), void *arg);
// leak_peer.c: "  the last to receive was ...", "  hint: ..."
typedef struct cspr_report cspr_report;
void cspr_leak_add_peers(cspr_report *r, const cspr_leak_target *t, const char *indent);
void cspr_leak_add_hint(cspr_report *r, const cspr_leak_group *g);

// At the end of the program: lets the runtime come to rest (option leak_grace_ms), then reports. Called once, by the thread that
// ends the program, outside the detector; may park it and go on on another thread. sp: as above.
void cspr_leak_check(uintptr_t sp);
// The hook: a check while the program goes on.
size_t cspr_leak_check_now(const csp_leak_query *q, void (*tell)(const csp_leak_found *found, void *arg), void *arg);

// The hook: the number of the signal that option leak_check_signal names; 0: none.
int cspr_leak_signal(void);

// exit.c: the frames of main and what it calls lie below; 0: main is called in an unusual way.
extern uintptr_t cspr_main_frame;

// leak_thread.c: at the very end, threads that have ended and were neither joined nor detached.
void cspr_leak_check_threads(void);
// intercept_thread.c: those; returns how many were written.
size_t cspr_threads_unjoined(cspr_who *out, size_t max);

#endif
