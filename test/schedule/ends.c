// ends.c - how a controlled run ends: who is stuck is reported, who can still run may, all asleep is a deadlock.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %cspcc -fsanitize=cspthread -g -O1 %s -o %t
// RUN: %python %S/Inputs/seeds.py --seeds=6 --again=2 --status=66 %t stuck
// RUN: env CSPTHREAD_OPTIONS=schedule=random:seed=1 not %t stuck 2>&1 | FileCheck --check-prefix=STUCK %s
// RUN: %python %S/Inputs/seeds.py --seeds=6 --again=2 --seen=late --only %t late
// RUN: %python %S/Inputs/seeds.py --seeds=6 --again=2 --status=2 %t asleep
// RUN: env CSPTHREAD_OPTIONS=schedule=pct:seed=1 not %t asleep 2>&1 | FileCheck --check-prefix=ASLEEP %s
// RUN: %python %S/Inputs/seeds.py --seeds=6 --again=2 --status=7 %t exit
// STUCK: WARNING: CspThreadSanitizer: coroutine leak
// STUCK: reported 1 warnings
// ASLEEP: fatal error: all coroutines are asleep - deadlock!
#include <csp/csp.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void receive(void *c)
{
    csp_recv(c, NULL);
}

static void come_late(void *arg)
{
    (void)arg;
    csp_sleep(100 * CSP_MS);
    puts("late");
}

static void leave(void *arg)
{
    (void)arg;
    exit(7);
}

int main(int argc, char **argv)
{
    (void)argc;
    if (!strcmp(argv[1], "late")) {
        csp_go(come_late, NULL);
        return 0;
    }
    if (!strcmp(argv[1], "exit")) {
        csp_go(leave, NULL);
        csp_sleep(CSP_SECOND);
        return 1;
    }
    csp_chan *c = csp_chan_new(0, 0);
    csp_go(receive, c);
    if (!strcmp(argv[1], "asleep"))
        receive(csp_chan_new(0, 0));
    csp_yield();
    return 0;
}
