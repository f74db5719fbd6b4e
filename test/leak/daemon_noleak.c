// daemon_noleak.c - a daemon may still wait at the end.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_norace %s
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
    csp_go_with(&(csp_go_options){.name = "server", .daemon = true}, serve, NULL);
    return 0;
}
