// explore.h - csp_explore: one schedule after the other in this process.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RTL_EXPLORE_H
#define CSP_RTL_EXPLORE_H

#include "rtl.h"

bool cspr_explores(void);       // the program was built to (csp/explore.h)
bool cspr_explore_wanted(void); // hooks.h
void cspr_explore(csp_exploration *e);

// A coroutine's end, as its last event: what it did comes before the next schedule.
void cspr_explore_task_ends(cspr_task *t);

bool cspr_explore_has_dropped(const cspr_task *t); // it was reported if it had to be, and never goes on

// Under the report lock. A report with this key is about to be printed: false if it was in an earlier schedule. Without an exploration
// true.
bool cspr_explore_is_new(uint64_t key, bool is_mild);
// A race that was printed has this key; one with this key was met, and will not be printed again.
void cspr_explore_note(uint64_t key);
void cspr_explore_again(uint64_t key);

// The runtime ends the process: in which schedule.
void cspr_explore_last_words(void);

#endif
