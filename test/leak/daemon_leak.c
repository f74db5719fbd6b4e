// daemon_leak.c - a server that still waits at the end is a leak, whatever its name.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check --status=66 %s
#include <csp/csp.h>

static csp_chan *requests;

static void serve(void *arg)
{
    (void)arg;
    csp_recv(requests, NULL); // line: park
}

int main(void)
{
    requests = csp_chan_new(0, 0);
    csp_go_with(&(csp_go_options){.name = "server", .daemon = false}, serve, NULL);
    return 0;
}

// CHECK: WARNING: CspThreadSanitizer: coroutine leak (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Coroutine {{[0-9]+}} 'server' is parked in chan receive
// CHECK: SUMMARY: CspThreadSanitizer: coroutine leak {{.*}}daemon_leak.c:[[#park]]:
