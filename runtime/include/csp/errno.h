// errno.h - errno that stays right over calls that park.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// errno is each coroutine's own: the runtime keeps it when a coroutine parks and sets it again where it goes on, perhaps on
// another OS thread. But libc promises compilers that the address of errno never changes, and at -O2 they keep it in a
// register over calls. So errno is defined anew here, over a function that promises nothing.
#ifndef CSP_ERRNO_H
#define CSP_ERRNO_H

#include "site.h"

#include <errno.h>

#ifdef __cplusplus
extern "C" {
#endif
CSP_PUBLIC_BEGIN

// The address of the running coroutine's errno, valid until the next call that parks. Does not park.
int *csp_errno(void);

CSP_PUBLIC_END
#ifdef __cplusplus
}
#endif

#undef errno
#define errno (*csp_errno())

#endif
