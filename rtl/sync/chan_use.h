// chan_use.h - who used a channel last: a close races with an unordered send, a free with any unordered use (rule F1).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A map of the channel's own instead of shadow cells: with a thousand senders every send would make a read set of a thousand
// members, and every operation would use up an epoch id. Here an epoch needs no name.
#ifndef CSP_RTL_CHAN_USE_H
#define CSP_RTL_CHAN_USE_H

#include "task/task.h"

enum { CSPR_USERS_INLINE = 4 };

// The last uses by one logical id.
typedef struct cspr_user {
    uint32_t id; // CSPR_NO_ID: a free place
    cspr_who who;
    uint64_t any_at, send_at; // epochs; 0: none
    cspr_stack any_stack, send_stack, recv_stack;
    uint32_t sent, received; // the channel's counter at the last of each; 0: never
    uint8_t did;             // 1 << enum csp_chan_use of all that `who` did
} cspr_user;

typedef struct cspr_uses {
    const void *chan;
    cspr_lock lock;
    // --- under lock
    uint32_t n, cap;  // cap: a power of two
    uint32_t ever;    // 1 << enum csp_chan_use of all that anybody did: places are taken over when an id is
    cspr_user *users; // by id, open addressing
    cspr_user closer; // any_at 0: not closed
    uint32_t n_uses;
    uint32_t closed; // n_uses then
    cspr_user first[CSPR_USERS_INLINE];
} cspr_uses;

void cspr_uses_init(cspr_uses *u, const void *chan);
void cspr_uses_fini(cspr_uses *u);
// The running task t uses the channel; reports the races that makes. `use`: enum csp_chan_use.
// Who used it, latest first as far as there is room, the closer among them; how many there are. For leak reports: 0 where
// the map is just being used by a thread that was stopped in the midst of it. *ever: what was ever done, also by those whose
// place in the map others have now; all bits where it is not known.
struct cspr_leak_peer;
size_t cspr_uses_list(cspr_uses *u, struct cspr_leak_peer *out, size_t max, uint32_t *ever);
void cspr_uses_note(cspr_uses *u, cspr_task *t, int use, cspr_stack stack);

// Calls fn for each user, newest of its logical id; some may have ended. Under the channel's lock: fn calls nothing of it.
void cspr_uses_each(cspr_uses *u, void (*fn)(const cspr_user *user, void *arg), void *arg);
// hooks.c: of the detector's object of a channel.
void cspr_chan_each_user(void *ch, void (*fn)(const cspr_user *user, void *arg), void *arg);

#endif
