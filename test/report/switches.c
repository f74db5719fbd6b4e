// switches.c - each optimisation of the detector happens, is counted, and can be switched off.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %cspcc -O1 -g -fsanitize=cspthread %s -o %t
// RUN: env CSP_MAXPROCS=1 CSPTHREAD_OPTIONS=stats=1 %t 2>&1 | FileCheck --check-prefix=ALL %s
// RUN: env CSP_MAXPROCS=1 CSPTHREAD_OPTIONS=stats=1,resume_epochs=0 %t 2>&1 | FileCheck --check-prefix=RESUME %s
// RUN: env CSP_MAXPROCS=1 CSPTHREAD_OPTIONS=stats=1,read_sets=0 %t 2>&1 | FileCheck --check-prefix=SETS %s
// RUN: env CSP_MAXPROCS=1 CSPTHREAD_OPTIONS=stats=1,reread_in_place=0 %t 2>&1 | FileCheck --check-prefix=REREAD %s
// RUN: env CSP_MAXPROCS=1 CSPTHREAD_OPTIONS=stats=1,own_rereads=0 %t 2>&1 | FileCheck --check-prefix=OWN %s
// RUN: env CSP_MAXPROCS=1 CSPTHREAD_OPTIONS=stats=1,reads_of_own=0 %t 2>&1 | FileCheck --check-prefix=READS %s
// RUN: env CSP_MAXPROCS=1 CSPTHREAD_OPTIONS=stats=1,two_writes=0 %t 2>&1 | FileCheck --check-prefix=TWO %s
// RUN: env CSP_MAXPROCS=1 CSPTHREAD_OPTIONS=stats=1,known_to_all=0 %t 2>&1 | FileCheck --check-prefix=KNOWN %s
// RUN: env CSP_MAXPROCS=1 CSPTHREAD_OPTIONS=stats=1,meet_once=0 %t 2>&1 | FileCheck --check-prefix=MEET %s
// RUN: env CSP_MAXPROCS=1 CSPTHREAD_OPTIONS=stats=1,named_nodes=0 %t 2>&1 | FileCheck --check-prefix=NAMED %s
// RUN: env CSP_MAXPROCS=1 CSPTHREAD_OPTIONS=stats=1,whole_lines=0 %t 2>&1 | FileCheck --check-prefix=LINES %s
// RUN: env CSP_MAXPROCS=1 CSPTHREAD_OPTIONS=stats=1,shadow_ahead=0 %t 2>&1 | FileCheck --check-prefix=AHEAD %s
#include <csp/csp.h>

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { WORDS = 2048, FEW = 8, TURNS = 64, LINKS = 24 };

long table[WORDS], few[FEW];
char large[1 << 20], bytes[2];
_Alignas(8) int halves[2];
atomic_int nobody;

// A release that orders nobody.
static void end_epoch(void)
{
    atomic_store_explicit(&nobody, 1, memory_order_release);
}

static void reader(void *arg)
{
    volatile long sum = 0;
    for (int i = 0; i < WORDS; i++)
        sum += table[i];
    for (int turn = 0; turn < TURNS; turn++) {
        end_epoch();
        for (int i = 0; i < FEW; i++)
            sum += few[i];
        csp_yield();
    }
    csp_send(arg, NULL);
}

static void locks(void)
{
    csp_mutex m = {0};
    for (int i = 0; i < 4; i++) {
        csp_mutex_lock(&m);
        table[i]++;
        csp_mutex_unlock(&m);
    }
}

typedef struct link {
    csp_chan *in, *out;
} link;

static void pass_on(void *arg)
{
    const link *l = arg;
    for (int v = 0; v != TURNS;) {
        csp_recv(l->in, &v);
        csp_send(l->out, &v);
    }
}

// A line of coroutines: whenever two of it meet, each has learned more from its own side.
static void line(void)
{
    static link links[LINKS];
    csp_chan *first = csp_chan_new(sizeof(int), 0);
    for (int i = 0; i < LINKS; i++) {
        links[i] = (link){.in = i ? links[i - 1].out : first, .out = csp_chan_new(sizeof(int), 0)};
        csp_go(pass_on, &links[i]);
    }
    for (int sent = 1, got = 0; got < TURNS; sent++) {
        if (sent <= TURNS)
            csp_send(first, &sent);
        if (sent > LINKS / 2)
            csp_recv(links[LINKS - 1].out, &got);
    }
    csp_chan_free(first);
    for (int i = 0; i < LINKS; i++)
        csp_chan_free(links[i].out);
}

int main(void)
{
    csp_chan *c = csp_chan_new(0, 0);
    for (size_t i = 0; i < sizeof large; i += 64)
        large[i] = 1;
    end_epoch();
    memset(table, 0, sizeof table);
    memset(few, 0, sizeof few);
    locks();
    bytes[0] = 1;
    end_epoch();
    bytes[1] = 1;
    csp_go(reader, c);
    csp_go(reader, c);
    memset(halves, 1, sizeof halves); // not known to those
    end_epoch();
    halves[0] = 2;
    csp_recv(c, NULL);
    csp_recv(c, NULL);
    csp_chan_free(c);
    line();
    return 0;
}

// ALL-DAG: stats: {{[0-9]+}} epochs gone on with (resume_epochs)
// ALL-DAG: stats: {{[0-9]+}} sets of readers made (read_sets)
// ALL-DAG: stats: {{[0-9]+}} reads written over earlier ones (reread_in_place)
// ALL-DAG: stats: {{[0-9]+}} reads given a place of their task's own (own_rereads)
// ALL-DAG: stats: {{[0-9]+}} writes that stand for reads (reads_of_own)
// ALL-DAG: stats: {{[0-9]+}} words kept in their cells with two writes (two_writes)
// ALL-DAG: stats: {{[0-9]+}} epochs found known to all (known_to_all)
// ALL-DAG: stats: {{[0-9]+}} meetings joined once (meet_once)
// ALL-DAG: stats: {{[0-9]+}} joins of clocks settled by names, or in part (named_nodes)
// ALL-DAG: stats: {{[0-9]+}} lines recorded at once (whole_lines)
// ALL-DAG: stats: {{[0-9]+}} runs of shadow fetched ahead (shadow_ahead)

// One is off, the others are not.
// RESUME-NOT: resume_epochs
// RESUME: (read_sets)
// RESUME-NOT: resume_epochs
// SETS-NOT: read_sets
// SETS: (reread_in_place)
// SETS-NOT: read_sets
// REREAD-NOT: reread_in_place
// REREAD: (known_to_all)
// REREAD-NOT: reread_in_place
// OWN-NOT: own_rereads
// OWN: (known_to_all)
// OWN-NOT: own_rereads
// READS-NOT: reads_of_own
// READS: (known_to_all)
// READS-NOT: reads_of_own
// TWO-NOT: two_writes
// TWO: (known_to_all)
// TWO-NOT: two_writes
// KNOWN-NOT: known_to_all
// KNOWN: (meet_once)
// KNOWN-NOT: known_to_all
// MEET-NOT: meet_once
// MEET: (whole_lines)
// MEET-NOT: meet_once
// NAMED-NOT: named_nodes
// NAMED: (whole_lines)
// NAMED-NOT: named_nodes
// LINES-NOT: whole_lines
// LINES: (shadow_ahead)
// LINES-NOT: whole_lines
// AHEAD-NOT: shadow_ahead
// AHEAD: (read_sets)
// AHEAD-NOT: shadow_ahead
