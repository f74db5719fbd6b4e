// output_of.h - runs a helper command and keeps what it prints.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_OUTPUT_OF_H
#define CSP_TOOLS_OUTPUT_OF_H

#include "common/target.h"
#include "common/text.h"

// Its standard output, at most 64 MB of it. 0 or the errno of starting it; ETIMEDOUT: it was killed. *wait_status as of waitpid.
int cspt_output_of(const cspt_target *command, unsigned timeout_s, cspt_text *out, int *wait_status);

#endif
