// counters.h - how often what makes checking cheap did so, for stats=1.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Each thread counts for itself and adds up in steps: counting touches no memory of others. What a thread that is gone had not
// added yet is lost, so sums are a little low.
#ifndef CSP_RTL_COUNTERS_H
#define CSP_RTL_COUNTERS_H

#include "rtl.h"

// Each names the option that switches it off (flags.inc).
#define CSPR_COUNTERS(X)                                                                                               \
    X(RESUMED, "epochs gone on with (resume_epochs)")                                                                  \
    X(READ_SETS, "sets of readers made (read_sets)")                                                                   \
    X(REREADS, "reads written over earlier ones (reread_in_place)")                                                    \
    X(OWN_REREADS, "reads given a place of their task's own (own_rereads)")                                            \
    X(READS_OF_OWN, "writes that stand for reads (reads_of_own)")                                                      \
    X(TWO_WRITES, "words kept in their cells with two writes (two_writes)")                                            \
    X(KNOWN, "epochs found known to all (known_to_all)")                                                               \
    X(MEETINGS, "meetings joined once (meet_once)")                                                                    \
    X(NAMED, "joins of clocks settled by names, or in part (named_nodes)")                                             \
    X(LINES, "lines recorded at once (whole_lines)")                                                                   \
    X(AHEAD, "runs of shadow fetched ahead (shadow_ahead)")

enum cspr_counter {
#define X(name, text) CSPR_COUNT_##name,
    CSPR_COUNTERS(X)
#undef X
        CSPR_N_COUNTERS
};

enum { CSPR_COUNTER_STEP = 64 };
extern __thread uint32_t cspr_counted_here[CSPR_N_COUNTERS] __attribute__((tls_model("initial-exec")));
void cspr_count_step(enum cspr_counter c);
static inline void cspr_count(enum cspr_counter c)
{
    if (CSPR_UNLIKELY(++cspr_counted_here[c] == CSPR_COUNTER_STEP))
        cspr_count_step(c);
}

// So far, with what the calling thread has not added yet.
uint64_t cspr_counted(enum cspr_counter c);
// What it counts, in words.
const char *cspr_counter_text(enum cspr_counter c);

#endif
