// debug.h - a small HTTP endpoint that shows a running program's coroutines and counts; in libcsp_debug, a library of its own.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Not part of csp.h: link -lcsp_debug -lcsp -lmicrohttpd. What it serves, to GET and HEAD:
//     /                                  these lines
//     /debug/csp/coroutines              coroutines counted by equal stacks, most frequent first (also with ?debug=1)
//     /debug/csp/coroutines?debug=2      coroutines one by one (csp_dump's form), the first ten thousand
//     /debug/csp/leaks                   coroutines that are stuck, with the sanitizer (csp_leak_check)
//     /debug/csp/leaks?parked=1          all that are parked on each other
//     /metrics                           csp_stats_prometheus
// One thread serves; it is none of the program's, so that all others asleep is a deadlock as without it. Its answers hold the
// coroutines for as long as a look takes. Stacks and labels may tell secrets: keep it on loopback.
#ifndef CSP_DEBUG_H
#define CSP_DEBUG_H

#include "site.h"

#ifdef __cplusplus
extern "C" {
#endif
CSP_PUBLIC_BEGIN

// Serves at "127.0.0.1:6060", "localhost:0", "[::1]:6060", ":6060" (as localhost); port 0: any that is free. Returns the
// port, or -1 with errno: EINVAL no such form, EACCES an address that is not loopback, EALREADY it serves already,
// EAGAIN no thread to be had, EADDRINUSE and what else socket, bind and listen say. Does not park. Ends in a forked
// child, which has to call again. (net/http/pprof)
int csp_debug_serve(const char *addr);

// As csp_debug_serve at any numeric address, "0.0.0.0:6060" say: whoever can reach the port sees the program's inside.
int csp_debug_serve_anywhere(const char *addr);

// Ends serving, once running answers are written; nothing when it does not serve. Blocks the thread for that moment.
void csp_debug_stop(void);

CSP_PUBLIC_END
#ifdef __cplusplus
}
#endif
#endif
