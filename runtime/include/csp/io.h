// io.h - calls that wait for the outside world without holding up other coroutines.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef CSP_IO_H
#define CSP_IO_H

#include "site.h"

#ifdef __cplusplus
extern "C" {
#endif
CSP_PUBLIC_BEGIN

// Calls fn(arg), which may block its OS thread or need much stack (8 MiB): foreign libraries, name look-up, file systems.
// It runs on the calling coroutine's behalf, while another worker takes over the coroutines that wait for this one; the
// caller goes on when it has returned, with the errno it left. Inside fn everything of this library may be called; what
// would park blocks the thread, as in a pthread of the program; csp_exit panics. A csp_blocking inside fn, or in a pthread
// of the program, is a plain call. No more than 1024 OS threads are made; further calls then hold up their worker.
// fn must return: neither longjmp, nor an exception, nor pthread_exit may leave it. (Go: any system call.)
CSP_SITE void csp_blocking(void (*fn)(void *), void *arg);

CSP_PUBLIC_END
#ifdef __cplusplus
}
#endif

#endif
