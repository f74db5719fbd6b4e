// errno.c - where the running coroutine's errno is: a call that no compiler may keep the result of.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "csp/errno.h"

// Out of line in a file of its own, and nothing in its declaration says that two calls give the same address.
int *csp_errno(void)
{
    return __errno_location();
}
