// names.c - racy bytes are named as in the source: globals, members, elements, locals of any thread's stack, thread-locals.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race --levels=O0,O1,O2 %s
#include "../race/invisible.h"
#include <pthread.h>

typedef struct node {
    long value;
    struct node *next;
    union {
        int number;
        char text[12];
    } u;
} node;

node table[5];
static short grid[3][4];
static _Thread_local int slots[4];
void *pointers[4];

static void *touch(void *arg)
{
    int **places = arg;
    for (int i = 0; places[i]; i++)
        *places[i] = 1;
    *(short *)pointers[0] = 1;
    invisible_step();
    return NULL;
}

static void in_thread(void)
{
    int *places[5];
    int counters[6] = {0};
    node local = {0};
    pthread_t t;
    places[0] = (int *)&table[3].next;
    places[1] = &counters[4];
    places[2] = &local.u.number;
    places[3] = &slots[2];
    places[4] = NULL;
    pointers[0] = &grid[2][1];
    pthread_create(&t, NULL, touch, places);
    invisible_wait(1);
    table[3].next = &local;
    counters[4] = 2;
    local.u.number = 2;
    slots[2] = 2;
    grid[2][1] = 2;
    pthread_join(t, NULL);
    for (int i = 0; i < 6; i++)
        invisible_use(counters[i]);
    invisible_use(local.value + local.u.number);
}

static csp_chan *done, *over;

static void write_there(void *arg)
{
    *(int *)arg = 7; // line: there
    csp_send(done, NULL);
}

static void owner(void *arg)
{
    int mine[3] = {0};
    (void)arg;
    csp_go(write_there, &mine[1]);
    csp_go(write_there, &mine[1]);
    csp_recv(done, NULL); // parked meanwhile
    csp_recv(done, NULL);
    invisible_use(mine[0] + mine[1] + mine[2]);
    csp_send(over, NULL);
}

int main(void)
{
    in_thread();
    done = csp_chan_new(0, 0);
    over = csp_chan_new(0, 0);
    csp_go(owner, NULL);
    csp_recv(over, NULL);
    return 0;
}

// CHECK: {{^}}  Location is global 'table' of size 160 at 0x
// CHECK-NEXT: {{^}}  It is 'table[3].next', declared at {{.*}}names.c:16.
// CHECK: {{^}}  Location is stack of main
// CHECK-NEXT: {{^}}  It is 'counters[4]' in a call of {{in_thread|main}}, declared at {{.*}}names.c:34.
// CHECK: {{^}}  Location is stack of main
// CHECK-NEXT: {{^}}  It is 'local.u.number' in a call of {{in_thread|main}}, declared at {{.*}}names.c:35.
// CHECK: {{^}}  Location is TLS of main
// CHECK-NEXT: {{^}}  It is thread-local 'slots[2]', declared at {{.*}}names.c:18.
// CHECK: {{^}}  Location is global 'grid' of size 24 at 0x
// CHECK-NEXT: {{^}}  It is 'grid[2][1]', declared at {{.*}}names.c:17.
// CHECK: Write of size 4 {{.*}} by coroutine
// CHECK-NEXT: #0 write_there {{.*}}names.c:[[#there]]:
// CHECK: {{^}}  Location is stack of coroutine
// CHECK-NEXT: {{^}}  It is 'mine[1]' in a call of owner, declared at {{.*}}names.c:
