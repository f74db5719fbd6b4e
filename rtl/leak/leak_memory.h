// leak_memory.h - heap blocks that nothing leads to any more (option detect_memory_leaks).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RTL_LEAK_MEMORY_H
#define CSP_RTL_LEAK_MEMORY_H

#include "rtl.h"

typedef struct cspr_reach cspr_reach;

// Blocks allocated at one place.
typedef struct cspr_lost {
    cspr_stack stack;
    bool indirect; // only lost blocks lead to it
    size_t n, bytes;
} cspr_lost;

typedef struct cspr_losses {
    cspr_lost *list; // the most bytes first, direct ones before indirect ones
    size_t n, cap;
    uint32_t *index; // by stack and kind, open addressing; place + 1
    size_t n_index;
} cspr_losses;

// What is not reached yet, once everybody's stack has been followed: grouped. Takes no lock, allocates by mmap.
void cspr_losses_find(cspr_losses *all, cspr_reach *r);
void cspr_losses_fini(cspr_losses *all);
// Prints them as LeakSanitizer does, as one report. Caller holds the report lock.
void cspr_losses_print(cspr_losses *all);

#endif
