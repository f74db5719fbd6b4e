// server.c - a fork server: each request is a run of its own, as a process started with the same options would make it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %cspcc -fsanitize=cspthread -g -O1 %s -o %t
// RUN: env CSPTHREAD_OPTIONS=schedule=random:seed=1 %t > %t.alone
// RUN: env CSPTHREAD_OPTIONS=schedule=random:seed=2 %t >> %t.alone
// RUN: env CSPTHREAD_OPTIONS=schedule=pct:seed=3 %t >> %t.alone
// RUN: %python %test_dir/schedule/server_client.py --quiet --request=schedule=random:seed=1 --request=schedule=random:seed=2 --request=schedule=pct:seed=3 %t > %t.served
// RUN: FileCheck %s --input-file=%t.served
// RUN: grep -v 'ready\|begin' %t.served > %t.runs && grep -v begin %t.alone | diff - %t.runs
// RUN: %python %test_dir/schedule/server_client.py --request=seed=1 --request=seed=2 %t abort 2>/dev/null | FileCheck %s --check-prefix=ABORT
// RUN: %python %test_dir/schedule/server_client.py --request=seed=1 --request=seed=2 %t race 2>&1 | FileCheck %s --check-prefix=RACE
// RUN: %python %test_dir/schedule/server_client.py --kill --request=seed=1 --request=seed=2 %t hang | FileCheck %s --check-prefix=KILL
// RUN: %python %test_dir/schedule/server_client.py --drop --request=seed=1 %t hang | FileCheck %s --check-prefix=DROP
// RUN: %python %test_dir/schedule/server_client.py --request=seed=1 %t pipe | FileCheck %s --check-prefix=PIPE
// RUN: %python %test_dir/schedule/server_client.py --request=seed=1 --request=seed=2 %t alone | FileCheck %s --check-prefix=ALONE
// RUN: %python %test_dir/schedule/server_client.py --request=wrong --request=seed=2 %t 2>&1 | FileCheck %s --check-prefix=WRONG
// RUN: not --crash env CSPTHREAD_OPTIONS=schedule_server=9:schedule=random %t abort 2>&1 | FileCheck %s --check-prefix=NONE
#include <csp/csp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

// What was written before the first concurrent act comes once, and before "ready".
// CHECK: begin
// CHECK-NEXT: ready
// CHECK-NOT: begin
// ABORT: ready
// ABORT: ended signal 6
// ABORT: ended signal 6
// RACE: ready
// RACE: data race (pid=[[PID:[0-9]+]])
// RACE: reported 1 warnings
// RACE: ended 66
// RACE-NOT: pid=[[PID]]
// RACE: data race (pid=
// RACE: reported 1 warnings
// RACE: ended 66
// KILL: ready
// KILL: ended signal 9
// KILL: ended signal 9
// DROP: ready
// DROP-NEXT: nothing is left
// PIPE: refused it has a socket, a pipe or a file
// PIPE: status 0
// ALONE: ready
// ALONE-NEXT: ended 3
// ALONE-NEXT: ended 3
// WRONG: ready
// WRONG-NEXT: schedule_server: expected name=value, got 'wrong'
// WRONG: ended 0
// WRONG: ended 0
// NONE: aborts

static char order[64];
static int n, racy;
static csp_mutex m;
static csp_wg wg;

static void note(void *name)
{
    for (int i = 0; i < 4; i++) {
        csp_mutex_lock(&m);
        order[n++] = *(char *)name;
        csp_mutex_unlock(&m);
    }
    csp_wg_done(&wg);
}

static void increment(void *arg)
{
    (void)arg;
    racy++;
    csp_wg_done(&wg);
}

static void on_child(int sig)
{
    (void)sig;
    puts("a child of the server's was met");
    abort();
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    int ends[2];
    signal(SIGCHLD, on_child);
    puts("begin");
    if (!strcmp(what, "alone"))
        return 3;
    if (!strcmp(what, "pipe") && pipe(ends))
        return 1;
    csp_wg_add(&wg, 3);
    csp_go(note, "a");
    csp_go(note, "b");
    csp_go(note, "c");
    csp_wg_wait(&wg);
    puts(order);
    if (!strcmp(what, "race")) {
        csp_wg_add(&wg, 2);
        csp_go(increment, NULL);
        csp_go(increment, NULL);
        csp_wg_wait(&wg);
    }
    if (!strcmp(what, "abort")) {
        fputs("aborts\n", stderr);
        fflush(stdout);
        abort();
    }
    for (;;)
        if (strcmp(what, "hang"))
            return 0;
        else
            pause();
}
