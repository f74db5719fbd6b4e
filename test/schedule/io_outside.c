// io_outside.c - what comes from outside of the process takes real time, and the run says that it is not replayable.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A pipe of its own that nobody will write to is no such thing: that is a deadlock.
// RUN: %cspcc -fsanitize=cspthread -g -O1 %s -o %t
// RUN: rm -f %t.log
// RUN: sh -c 'sleep 0.2; echo hello' | env CSPTHREAD_OPTIONS=schedule=random:seed=1:finding_log=%t.log %t | FileCheck %s
// RUN: FileCheck --check-prefix=LOG %s < %t.log
// RUN: env CSPTHREAD_OPTIONS=schedule=random:seed=1 not %t own 2>&1 | FileCheck --check-prefix=OWN %s
// CHECK: 6 bytes
// LOG: "replayable":false,"why_not":"wait for descriptor 0, whose other end is outside the process"
// OWN: fatal error: all coroutines are asleep - deadlock!
#include <csp/csp.h>

#include <stdio.h>
#include <unistd.h>

static void beat(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++)
        csp_sleep(CSP_MS);
}

int main(int argc, char **argv)
{
    (void)argv;
    int own[2], fd = 0;
    char text[16];
    if (argc > 1) {
        if (pipe(own))
            return 1;
        fd = own[0];
    }
    csp_go(beat, NULL);
    printf("%zd bytes\n", csp_read(fd, text, sizeof text));
}
