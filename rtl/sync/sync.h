// sync.h - sync clocks of one address, for the core's files (atomics, hooks).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A sync object lives in the side record of its word, so free and the reuse of memory drop it in passing and no table of
// addresses is needed. Stamps are made before and let go after the word is taken: sections stay short.
#ifndef CSP_RTL_SYNC_H
#define CSP_RTL_SYNC_H

#include "shadow/shadow.h"
#include "shadow/side.h"

// Replaces *slot, whose owner the caller is, by a reference to s (NULL: nothing).
static inline void cspr_stamp_set(cspr_stamp **slot, cspr_stamp *s)
{
    cspr_stamp *old = *slot;
    *slot = cspr_stamp_ref(s);
    cspr_stamp_unref(old);
}

// The task a hook or interceptor means: t, or the running one. NULL: nothing is to be done.
static inline cspr_task *cspr_task_meant(void *t)
{
    return t ? (cspr_task *)t : cspr_task_current();
}

// False: the object has no clock. Most acquires find nothing. Relaxed: the object's own lock orders us after the release that
// matters.
static inline bool cspr_sync_may_be(const void *obj)
{
    return cspr_cell_is_aside(__atomic_load_n(&cspr_shadow_of((uintptr_t)obj)[1], __ATOMIC_RELAXED));
}

// As cspr_release, cspr_release_merge; `by` tells reports what it was (depot.h).
void cspr_release_by(const void *obj, cspr_task *t, uintptr_t by);
void cspr_release_merge_by(const void *obj, cspr_task *t, uintptr_t by);

#endif
