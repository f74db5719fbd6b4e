// aba_stack.c - a lock-free stack hands out a node that somebody has already.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: pop compares the head with the node it saw, which is there again although what lies below it has changed
// (ABA).
// Order: A reads head 0 and next 1; B pops 0 and 1 and pushes 0; A's exchange succeeds and makes 1, which B owns, the
// head.
// Depth: 2. Shows as: crash.
// Source: R. K. Treiber, Coping with Parallelism, 1986; M. Michael, Hazard Pointers, 2004, section 2.
#include <csp/csp.h>

#include <assert.h>
#include <stdatomic.h>
#include <stdint.h>

enum { NODES = 3, NONE = 255 };

static atomic_int next_of[NODES];
static atomic_int taken[NODES];
static atomic_uint head; // low byte: the node; above it how often it changed
static csp_wg both;

static unsigned with_tag(unsigned old, unsigned node)
{
#ifdef FIXED
    return ((old >> 8) + 1) << 8 | node;
#else
    (void)old;
    return node;
#endif
}

static void push(unsigned node)
{
    atomic_store(&taken[node], 0);
    unsigned old = atomic_load(&head);
    do
        atomic_store(&next_of[node], (int)(old & 255));
    while (!atomic_compare_exchange_strong(&head, &old, with_tag(old, node)));
}

static unsigned pop(void)
{
    unsigned old = atomic_load(&head), next;
    do {
        if ((old & 255) == NONE)
            return NONE;
        next = (unsigned)atomic_load(&next_of[old & 255]);
    } while (!atomic_compare_exchange_strong(&head, &old, with_tag(old, next)));
    assert(atomic_exchange(&taken[old & 255], 1) == 0);
    return old & 255;
}

static void take_one(void *arg)
{
    (void)arg;
    pop();
    csp_wg_done(&both);
}

static void take_two_return_one(void *arg)
{
    (void)arg;
    unsigned first = pop();
    pop();
    if (first != NONE)
        push(first);
    csp_wg_done(&both);
}

int main(void)
{
    atomic_store(&head, NONE);
    for (unsigned node = NODES; node-- > 0;)
        push(node);
    csp_wg_add(&both, 2);
    csp_go(take_one, NULL);
    csp_go(take_two_return_one, NULL);
    csp_wg_wait(&both);
    while (pop() != NONE)
        ;
    return 0;
}
