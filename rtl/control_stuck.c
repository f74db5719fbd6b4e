// control_stuck.c - the end of a controlled run in which no thread can ever go on, and there are no coroutines.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "control_state.h"

#include <unistd.h>

void cspr_control_stuck(void)
{
    cspr_note("fatal error: all threads wait for one another - deadlock!");
    cspr_last_words();
    _exit(cspr_flags.exitcode);
}
