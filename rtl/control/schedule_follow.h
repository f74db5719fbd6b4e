// schedule_follow.h - a record that is followed: who goes on next by it, and the first step that is not as recorded.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RTL_SCHEDULE_FOLLOW_H
#define CSP_RTL_SCHEDULE_FOLLOW_H

#include "control/control.h"
#include "control/schedule_text.h"

typedef enum cspr_follow_mode {
    CSPR_FOLLOW_OFF,     // the strategy decides
    CSPR_FOLLOW_STEPS,   // as recorded
    CSPR_FOLLOW_GO_ON,   // over, or diverged: who runs goes on
    CSPR_FOLLOW_COMPARE, // the strategy decides; what it does is compared
} cspr_follow_mode;

// prefix: so many decisions, 0: all. The schedule stays in use; its marks are changed.
void cspr_follow_begin(const cspr_schedule *schedule, uint64_t prefix, bool compare_only);
uint64_t cspr_follow_diverged_at(void); // the step, from 1; 0: it did not

// As cspr_recorder has them. Without cspr_follow_begin the strategy decides.
int cspr_follow(const cspr_candidate *c, uint32_t n, bool may_fire);
void cspr_follow_executed(const cspr_candidate *c, uint32_t n, int chosen, uintptr_t pc);
bool cspr_follow_number(uint32_t n, uint32_t *number);
void cspr_follow_chose(uint32_t n, uint32_t number);

uint32_t cspr_follow_hash(const cspr_candidate *c, uint32_t n); // of those who could go on, as schedule files have it

// schedule_file.c: where the step was, in this process; 0: not known.
uintptr_t cspr_schedule_place(const cspr_step *s);

#endif
