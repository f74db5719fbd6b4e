// filter.c - what a thread's filter holds.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "shadow/filter.h"

#include <string.h>

__thread struct cspr_filter cspr_filter[CSPR_FILTER_SLOTS] __attribute__((tls_model("initial-exec")));
__thread uint32_t cspr_filter_generation __attribute__((tls_model("initial-exec")));

void cspr_filter_flush(void)
{
    cspr_filter_generation = (cspr_filter_generation + 1) & ((1u << CSPR_STACK_BITS) - 1);
    if (!cspr_filter_generation) // came round: very old entries must not match
        memset(cspr_filter, 0, sizeof cspr_filter);
}
