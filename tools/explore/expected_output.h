// expected_output.h - what CTest's PASS_ and FAIL_REGULAR_EXPRESSION say of what a test wrote.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_TOOLS_EXPECTED_OUTPUT_H
#define CSP_TOOLS_EXPECTED_OUTPUT_H

#include "common/target.h"

// Whether one of CMake's regular expressions can be used; else *why says why not, to be freed.
bool cspt_is_pattern(const char *pattern, char **why);
// What is wrong with the output (NULL: nothing was written), to be freed; NULL: nothing is.
char *cspt_output_fault(const cspt_target *t, const char *output);

#endif
