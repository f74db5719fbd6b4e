// replay.c - a schedule written to a file is followed: the same order, or the first step that differs by name.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %cspcc -fsanitize=cspthread -g -O1 %s -o %t
// RUN: rm -f %t.s %t.log && env CSPTHREAD_OPTIONS=schedule=random:seed=7:schedule_file=%t.s:schedule_keep=1:finding_log=%t.log %t -n 'a"b' > %t.first
// RUN: FileCheck %s --check-prefix=FILE --input-file=%t.s
// RUN: FileCheck %s --check-prefix=LOG --input-file=%t.log
// RUN: rm %t.log && env CSPTHREAD_OPTIONS=schedule=replay:replay=%t.s:finding_log=%t.log:schedule_file=%t.again:schedule_keep=1 %t -n 'a"b' | diff %t.first -
// RUN: FileCheck %s --check-prefix=REPLAY --input-file=%t.log
// RUN: grep -v '^strategy' %t.s > %t.s1 && grep -v '^strategy' %t.again | diff %t.s1 -
//
// A clean run leaves no file; one that reported, crashed or was killed does, and the file is followed to the same place.
// RUN: rm -f %t.s && env CSPTHREAD_OPTIONS=schedule=random:seed=7:schedule_file=%t.s %t && not ls %t.s
// RUN: not env CSPTHREAD_OPTIONS=schedule=random:seed=7:schedule_file=%t.s %t race 2>/dev/null && FileCheck %s --check-prefix=RACE --input-file=%t.s
// RUN: not env CSPTHREAD_OPTIONS=schedule=random:seed=7:schedule_file=%t.s %t status && not env CSPTHREAD_OPTIONS=replay=%t.s %t status
// RUN: rm %t.s && not --crash env CSPTHREAD_OPTIONS=schedule=random:seed=7:schedule_file=%t.s %t abort > %t.out1
// RUN: not --crash env CSPTHREAD_OPTIONS=replay=%t.s %t abort > %t.out2 && diff %t.out1 %t.out2
// RUN: rm %t.s && not --crash env CSPTHREAD_OPTIONS=schedule=random:seed=7:schedule_file=%t.s %t kill > %t.out1
// RUN: not --crash env CSPTHREAD_OPTIONS=replay=%t.s %t kill > %t.out2 && diff %t.out1 %t.out2
//
// What does not follow says so; the run goes on.
// RUN: rm -f %t.log; env CSPTHREAD_OPTIONS=schedule=random:seed=7:schedule_file=%t.s:schedule_keep=1 %t
// RUN: env CSPTHREAD_OPTIONS=replay=%t.s:finding_log=%t.log %t more 2>&1 | FileCheck %s --check-prefix=DIVERGED
// RUN: FileCheck %s --check-prefix=DIVERGED-LOG --input-file=%t.log
// RUN: echo "nonsense" > %t.bad && not env CSPTHREAD_OPTIONS=replay=%t.bad %t 2>&1 | FileCheck %s --check-prefix=BAD
// RUN: not env CSPTHREAD_OPTIONS=replay=%t.missing %t 2>&1 | FileCheck %s --check-prefix=MISSING
// RUN: env CSPTHREAD_OPTIONS=schedule=random:seed=7:schedule_file=/dev/null/x %t 2>&1 | FileCheck %s --check-prefix=UNWRITABLE
//
// The beginning of a record, then a strategy: all of it is the record, and seeds differ only in what comes after.
// RUN: env CSPTHREAD_OPTIONS=schedule=random:seed=1:replay=%t.s:replay_prefix=100000 %t > %t.p && env CSPTHREAD_OPTIONS=replay=%t.s %t | diff - %t.p
// RUN: %python -c "import os,subprocess,sys; run = lambda s: subprocess.run([sys.argv[1]], capture_output=True, text=True, env=dict(os.environ, CSPTHREAD_OPTIONS='schedule=random:replay_prefix=9:seed=' + str(s) + ':replay=' + sys.argv[2])).stdout; out = [run(s) for s in range(12)]; assert len(set(out)) > 3, out; assert len(set(o[:2] for o in out)) == 1, out" %t %t.s
//
// Only the switches that matter, by hand.
// RUN: env CSPTHREAD_OPTIONS=replay=%S/Inputs/replay.switches %t | FileCheck %s --check-prefix=SWITCHES
//
// The same seed twice; a program that asks what no seed decides.
// RUN: env CSPTHREAD_OPTIONS=schedule=random:seed=7:schedule_check=1 %t 2>&1 | diff %t.first -
// RUN: env CSPTHREAD_OPTIONS=schedule=random:seed=7:schedule_check=1 %t output 2>&1 | FileCheck %s --check-prefix=CHECK
#include <csp/csp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// FILE: {{^}}cspthread schedule 1{{$}}
// FILE-NEXT: program: {{.*}}replay.c.tmp
// FILE-NEXT: build-id: {{[0-9a-f]+$}}
// FILE-NEXT: arguments: ["-n","a\"b"]
// FILE-NEXT: options: schedule_points=sync:schedule_delay_ms=10
// FILE-NEXT: strategy: random
// FILE-NEXT: seed: 7
// FILE-NEXT: module: 0 {{.*}}replay.c.tmp
// FILE: {{^}}1 0 {{[a-z-]+ [0-9]+ (-|0\+[0-9a-f]+)}}{{$}}
// FILE: {{^[0-9]+ [0-9]+ lock 1 0\+[0-9a-f]+}}|{{[0-9]+ [0-9a-f]+$}}
// LOG: {"type":"run","strategy":"random","depth":{{[0-9]+}},"seed":7,"points":{{[0-9]+}},"decisions":{{[0-9]+}},"tasks":4,"interleaving":"{{[0-9a-f]+}}","virtual_ns":{{[0-9]+}},"replayable":true,"why_not":"","diverged_at":0
// REPLAY: {"type":"run","strategy":"replay",{{.*}}"seed":7,{{.*}}"replayable":true,"why_not":"","diverged_at":0
// RACE: ! data race{{	}}data race
// DIVERGED: diverged at step {{[0-9]+}}: expected T{{[0-9]+}} {{[a-z-]+}} of object {{[0-9]+}} after {{[0-9]+}} operations (main {{.*}}replay.c:{{[0-9]+}}:{{[0-9]+}}){{.*}}, got T1 yield of object 0 after {{[0-9]+}} operations (main {{.*}}replay.c:
// DIVERGED-LOG: "diverged_at":{{[1-9]}}
// BAD: replay: {{.*}}.bad:1: it does not begin with `cspthread schedule 1`
// MISSING: replay: cannot read {{.*}}.missing: No such file
// UNWRITABLE: cannot write schedule_file /dev/null/x: error 20
// UNWRITABLE: {{^[abc]+$}}
// SWITCHES: {{^}}aabbccccaabb{{$}}
// CHECK: not deterministic, two runs of the seed differ at step {{[0-9]+}}: expected T1 wg-wait {{.*}}, got T1 yield

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

static bool is_device(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    csp_wg_add(&wg, 3);
    csp_go(note, "a");
    csp_go(note, "b");
    csp_go(note, "c");
    if (!strcmp(what, "more") || (!strcmp(what, "output") && !is_device(STDOUT_FILENO)))
        csp_yield();
    csp_wg_wait(&wg);
    if (!strcmp(what, "race")) {
        csp_wg_add(&wg, 2);
        csp_go(increment, NULL);
        csp_go(increment, NULL);
        csp_wg_wait(&wg);
    }
    puts(order);
    fflush(stdout);
    if (!strcmp(what, "abort"))
        abort();
    if (!strcmp(what, "kill"))
        kill(getpid(), SIGKILL);
    return !strcmp(what, "status");
}
