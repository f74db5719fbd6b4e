// roots.c - whatever may lead to a channel at the end of the program makes its waiter orphaned instead of stuck; freed memory,
// and what the detector and the runtime know themselves, does not.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check --status=66 %s
#include <csp/csp.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

typedef struct node {
    struct node *next;
    char room[40];
    csp_chan *ch;
} node;

static node *list;
static __thread csp_chan *thread_local_one;
static pthread_key_t key;
static csp_chan **mapping;
static csp_chan *function_static(csp_chan *ch)
{
    static csp_chan *kept;
    return kept = ch;
}

static void waits(void *ch)
{
    csp_recv(ch, NULL);
}

static csp_chan *start(const char *name)
{
    csp_chan *ch = csp_chan_new(0, 0);
    csp_go_with(&(csp_go_options){.name = name}, waits, ch);
    return ch;
}

static void fires(void *ch)
{
    csp_close(ch);
}

static void sleeps(void *ch)
{
    csp_sleep(3600 * CSP_SECOND);
    csp_close(ch);
}

// Parked on what a variable leads to; the channel is on its stack.
static csp_chan *gate;
static void knows(void *ch)
{
    csp_recv(gate, NULL);
    csp_close(ch);
}

static void buffered(void)
{
    static csp_chan *letters;
    csp_chan *ch = start("in-a-buffer");
    letters = csp_chan_new(sizeof ch, 1);
    csp_send(letters, &ch);
}

int main(void)
{
    function_static(start("static"));
    for (int i = 0; i < 3; i++) {
        node *n = calloc(1, sizeof *n);
        n->next = list;
        list = n;
    }
    list->next->next->ch = start("in-a-list");
    list->next = (node *)(void *)list->next->room; // only an inner address leads on
    thread_local_one = start("thread-local");
    pthread_key_create(&key, NULL);
    pthread_setspecific(key, start("specific"));
    mapping = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mapping[17] = start("mapping");
    csp_timer_new(3600 * CSP_SECOND, fires, start("timer"));
    csp_go(sleeps, start("sleeper"));
    gate = csp_chan_new(0, 0);
    csp_go_with(&(csp_go_options){.name = "gate"}, knows, start("behind-a-gate"));
    buffered();
    csp_chan **freed = malloc(sizeof *freed);
    *freed = start("freed");
    free(freed);
    start("nobody");
    return 0;
}

// CHECK-DAG: 'freed' is parked in {{.*}} (stuck:
// CHECK-DAG: 'nobody' is parked in {{.*}} (stuck:
// CHECK-DAG: 'static' is parked in {{.*}} (orphaned:
// CHECK-DAG: 'in-a-list' is parked in {{.*}} (orphaned:
// CHECK-DAG: 'thread-local' is parked in {{.*}} (orphaned:
// CHECK-DAG: 'specific' is parked in {{.*}} (orphaned:
// CHECK-DAG: 'mapping' is parked in {{.*}} (orphaned:
// CHECK-DAG: 'timer' is parked in {{.*}} (orphaned:
// CHECK-DAG: 'sleeper' is parked in {{.*}} (orphaned:
// CHECK-DAG: 'gate' is parked in {{.*}} (orphaned:
// CHECK-DAG: 'behind-a-gate' is parked in {{.*}} (orphaned:
// CHECK-DAG: 'in-a-buffer' is parked in {{.*}} (orphaned:
// CHECK: CspThreadSanitizer: reported 12 warnings
