// counters.c - the sums.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/counters.h"

__thread uint32_t cspr_counted_here[CSPR_N_COUNTERS] __attribute__((tls_model("initial-exec")));
static uint64_t sums[CSPR_N_COUNTERS]; // atomic

void cspr_count_step(enum cspr_counter c)
{
    __atomic_fetch_add(&sums[c], cspr_counted_here[c], __ATOMIC_RELAXED); // relaxed: a counter
    cspr_counted_here[c] = 0;
}

uint64_t cspr_counted(enum cspr_counter c)
{
    return __atomic_load_n(&sums[c], __ATOMIC_RELAXED) + cspr_counted_here[c]; // relaxed: a counter
}

const char *cspr_counter_text(enum cspr_counter c)
{
    static const char *const texts[] = {
#define X(name, text) text,
        CSPR_COUNTERS(X)
#undef X
    };
    return texts[c];
}
