// memory.c - detect_memory_leaks: blocks that nothing leads to, direct and indirect; what a coroutine's stack holds is none.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race --options='detect_memory_leaks=1' %s
// RUN: %check_norace %s
// RUN: %check_norace --options='detect_memory_leaks=1' --flags='-fsanitize=cspthread -g -DKEEPS' %s
#include <csp/csp.h>

#include <stdlib.h>

typedef struct node {
    struct node *next;
    char room[24];
} node;

static csp_chan *gate;
static node *volatile global;

static void holds(void *started)
{
    node *volatile mine = malloc(sizeof *mine); // on its stack only, while it is parked
    mine->next = calloc(1, sizeof *mine);
    csp_wg_done(started);
    csp_recv(gate, NULL);
    free(mine);
}

static void loses(void *done)
{
    node *first = calloc(1, sizeof *first); // line: direct
    first->next = calloc(1, 100);           // line: indirect
#ifdef KEEPS
    global = first;
#else
    global = first;
    global = NULL;
#endif
    csp_wg_done(done);
}

int main(void)
{
    csp_wg done = {0};
    gate = csp_chan_new(0, 0);
    csp_wg_add(&done, 1);
    csp_go_with(&(csp_go_options){.daemon = true}, holds, &done);
    csp_wg_wait(&done); // before the others: its stack holds nothing that one of them left there
    for (int i = 0; i < 10; i++) {
        csp_wg_add(&done, 1);
        csp_go(loses, &done);
        csp_wg_wait(&done);
#ifdef KEEPS
        break;
#endif
    }
    return 0;
}

// A word that was left behind somewhere may still lead to one of the ten.
// CHECK: WARNING: CspThreadSanitizer: memory leak (pid={{[0-9]+}})
// CHECK-NEXT: {{^}}  Direct leak of {{[0-9]+}} byte(s) in {{[1-9]|10}} object(s) allocated from:
// CHECK-NEXT: {{^}}    #0 calloc
// CHECK-NEXT: {{^}}    #1 loses {{.*}}memory.c:[[#direct]]:
// CHECK: {{^}}  Indirect leak of {{[0-9]+}} byte(s) in {{[1-9]|10}} object(s) allocated from:
// CHECK-NEXT: {{^}}    #0 calloc
// CHECK-NEXT: {{^}}    #1 loses {{.*}}memory.c:[[#indirect]]:
// CHECK: {{^}}  {{[0-9]+}} byte(s) leaked in {{[0-9]+}} allocation(s).
// CHECK: SUMMARY: CspThreadSanitizer: memory leak {{.*}}memory.c:[[#direct]]:{{[0-9]+}} in loses
// CHECK: CspThreadSanitizer: reported 1 warnings
