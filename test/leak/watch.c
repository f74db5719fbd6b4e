// watch.c - leak_watch: a warning when the coroutines of one place become more and more, none when they come and go.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check --options='leak_watch=100' --args=grow %s
// RUN: %check --silent --options='leak_watch=100' --args=pass %s
// RUN: %check --silent --args=grow %s
#include <csp/csp.h>

#include <string.h>

static csp_chan *gate;

static void waits(void *done)
{
    csp_recv(gate, NULL);
    csp_wg_done(done);
}

int main(int argc, char **argv)
{
    bool grows = !strcmp(argv[argc - 1], "grow");
    csp_wg done = {0};
    gate = csp_chan_new(0, 450);
    for (int i = 0; i < 450; i++) {
        csp_wg_add(&done, 1);
        csp_go(waits, &done); // line: go
        if (grows)
            continue;
        csp_send(gate, NULL);
        csp_wg_wait(&done);
        while (csp_count() > 50) // done, but not ended yet
            csp_yield();
    }
    csp_close(gate);
    csp_wg_wait(&done);
    return 0;
}

// CHECK: CspThreadSanitizer: 100 coroutines that were started in main ({{.*}}watch.c:[[#go]]) are alive, and they become more (leak_watch)
// CHECK-NEXT: CspThreadSanitizer: 200 coroutines that were started in main
// CHECK-NEXT: CspThreadSanitizer: 400 coroutines that were started in main {{.*}}(leak_watch)
// CHECK-NOT: leak_watch
