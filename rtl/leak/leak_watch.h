// leak_watch.h - how many coroutines of each creation site are alive, and a warning when they grow (option leak_watch).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RTL_LEAK_WATCH_H
#define CSP_RTL_LEAK_WATCH_H

#include "rtl.h"

// A coroutine was created with this stack, one ended. No lock held, not in the detector.
void cspr_leak_watch_began_slow(cspr_stack creation);
void cspr_leak_watch_ended_slow(cspr_who who);

static inline void cspr_leak_watch_began(cspr_stack creation)
{
    if (CSPR_UNLIKELY(cspr_flags.leak_watch > 0))
        cspr_leak_watch_began_slow(creation);
}
static inline void cspr_leak_watch_ended(cspr_who who)
{
    if (CSPR_UNLIKELY(cspr_flags.leak_watch > 0))
        cspr_leak_watch_ended_slow(who);
}

#endif
