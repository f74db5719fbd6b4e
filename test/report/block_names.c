// block_names.c - bytes of heap blocks are named by what the source says where they are allocated, when that is certain.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check_race --levels=O0,O2 --procs=1 %s
// RUN: %check_race --levels=O2 --procs=1 --flags='-fsanitize=cspthread -g -flto=thin' %s
// RUN: %check_race --procs=1 --flags='-fsanitize=cspthread -gline-tables-only' --prefix=LINES %s
// RUN: %check_race --procs=1 --flags='-fsanitize=cspthread -g -Wl,-s' --prefix=NONE %s
// RUN: %check_race --procs=1 --flags=-fsanitize=cspthread --prefix=NONE %s
#define INVISIBLE_THREADS
#include "../race/invisible.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct node {
    long value;
    struct node *next;
    struct {
        int a, b;
    } in[3];
} node;
typedef struct {
    int x;
    long v;
} SafeCounter;
struct flexible {
    long n;
    int items[];
};
union either {
    long number;
    char text[16];
};

node *nodes, *by_wrapper, *by_calloc, *by_macro, *grown, *header;
SafeCounter *counter, *counter_by_macro, *one_of_many;
struct flexible *flexible;
int *numbers;
char *text;
node **table;
void *raw;
node *from_pool;
union either *either;

#define NEW(T) ((T *)malloc(sizeof(T)))

static void *must_allocate(size_t n)
{
    void *p = malloc(n);
    if (!p)
        abort();
    return p;
}

static void *allocate_many(size_t n, size_t size)
{
    return calloc(n, size);
}

// Not one that hands on: what it returns is a piece of a block.
static void *take_from_pool(size_t n)
{
    char *pool = malloc(4 * n);
    invisible_use((long)pool);
    return pool ? pool + n : NULL;
}

static void make(void)
{
    nodes = malloc(10 * sizeof *nodes);
    counter = malloc(sizeof *counter);
    numbers = (int *)malloc(100);
    flexible = malloc(sizeof *flexible + 4 * sizeof(int));
    text = malloc(20);
    table = malloc(8 * sizeof *table);
    raw = malloc(64);
    by_wrapper = must_allocate(sizeof(node));
    by_calloc = allocate_many(4, sizeof(node));
    by_macro = NEW(node);
    counter_by_macro = NEW(SafeCounter);
    grown = malloc(sizeof(node));
    grown = realloc(grown, sizeof(node) * 20);
    header = malloc(sizeof(node) + 40); // one, and something else behind it
    from_pool = take_from_pool(sizeof(node));
    either = malloc(sizeof *either);
    one_of_many = calloc(1, sizeof *one_of_many);
}

#define USE(place) __attribute__((noinline)) static void place

USE(use0)(void)
{
    nodes[3].in[1].b = 1;
}
USE(use1)(void)
{
    counter->v = 1;
}
USE(use2)(void)
{
    numbers[17] = 1;
}
USE(use3)(void)
{
    flexible->items[2] = 1;
}
USE(use4)(void)
{
    text[5] = 1;
}
USE(use5)(void)
{
    table[4] = NULL;
}
USE(use6)(void)
{
    ((char *)raw)[40] = 1;
}
USE(use7)(void)
{
    by_wrapper->next = NULL;
}
USE(use8)(void)
{
    by_calloc[1].value = 1;
}
USE(use9)(void)
{
    by_macro->in[2].a = 1;
}
USE(use10)(void)
{
    counter_by_macro->x = 1;
}
USE(use11)(void)
{
    memset(&grown[7], 0, sizeof *grown);
}
USE(use12)(void)
{
    header->next = NULL;
}
USE(use13)(void)
{
    header[1].value = 1;
}
USE(use14)(void)
{
    from_pool->next = NULL;
}
USE(use15)(void)
{
    either->text[9] = 1;
}
USE(use16)(void)
{
    one_of_many->v = 1;
}

static void use_all(void)
{
    use0(), use1(), use2(), use3(), use4(), use5(), use6(), use7(), use8(), use9(), use10(), use11(), use12();
    use13(), use14(), use15(), use16();
}

static void *in_thread(void *arg)
{
    (void)arg;
    use_all();
    invisible_step();
    return NULL;
}

int main(void)
{
    pthread_t t;
    make();
    pthread_create(&t, NULL, in_thread, NULL);
    invisible_wait(1);
    use_all();
    pthread_join(t, NULL);
    return 0;
}

// CHECK: {{^}}  It is 'nodes[3].in[1].b' (node), byte 148 of the block.
// CHECK: {{^}}  It is 'SafeCounter.v' (SafeCounter), byte 8 of the block.
// CHECK: {{^}}  It is 'numbers[17]' (int), byte 68 of the block.
// CHECK: {{^}}  It is 'flexible.items[2]' (flexible), byte 16 of the block.
// CHECK: {{^}}  The accesses meet at byte 5 of the block.
// CHECK: {{^}}  It is 'table[4]' (node *), byte 32 of the block.
// CHECK: {{^}}  The accesses meet at byte 40 of the block.
// CHECK: {{^}}  It is 'node.next' (node), byte 8 of the block.
// CHECK: {{^}}  It is 'by_calloc[1].value' (node), byte 40 of the block.
// CHECK: {{^}}  It is 'node.in[2].a' (node), byte 32 of the block.
// CHECK: {{^}}  It is 'SafeCounter.x' (SafeCounter), byte 0 of the block.
// CHECK: {{^}}  It is 'grown[7].value' (node), byte 280 of the block.
// CHECK: {{^}}  It is 'node.next' (node), byte 8 of the block.
// CHECK: {{^}}  The accesses meet at byte 40 of the block.
// CHECK: {{^}}  The accesses meet at byte 48 of the block.
// CHECK: {{^}}  It is 'either.text[9]' (either), byte 9 of the block.
// CHECK: {{^}}  It is 'SafeCounter.v' (SafeCounter), byte 8 of the block.
// CHECK: CspThreadSanitizer: reported 17 warnings

// LINES: {{^}}  The accesses meet at byte 148 of the block.
// LINES: {{^}}  It is 'numbers[17]' (int), byte 68 of the block.

// NONE-NOT: {{^}}  It is '
// NONE: {{^}}  The accesses meet at byte 148 of the block.
// NONE-NOT: {{^}}  It is '
// NONE: CspThreadSanitizer: reported 1
