// annotate.h - what programs asked not to be told about.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_RTL_ANNOTATE_H
#define CSP_RTL_ANNOTATE_H

#include "rtl.h"
#include "support/print.h"
#include "task/task.h"

// AnnotateBenignRace was told of the address. No lock of ours may be held that others hold while annotating.
bool cspr_is_benign(uintptr_t addr);
// From here on, change > 0, or no longer, < 0, the running task's accesses and what orders it are not looked at. Nests.
void cspr_ignore_all(int change);

void cspr_benign_fork_lock(bool take); // while the process forks (exit.c)

#endif
