// three_way_deadlock.c - three actors ask each other in a ring, and all wait for an answer at once.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: an actor serves who already waits, then asks its neighbour, and while it asks it serves nobody.
// Order: all three find nobody waiting, then all three ask.
// Depth: 3. Shows as: asleep.
// Source: circular wait over channels; cockroach#2448 in GoKer (GoBench, CGO 2021); SCTBench token_ring.
#include <csp/csp.h>

enum { ACTORS = 3 };

static csp_chan *inbox[ACTORS];
static csp_wg all;

static void act(int self)
{
    csp_chan *neighbour = inbox[(self + 1) % ACTORS];
#ifdef FIXED
    int missing = 2;
    csp_chan *to = neighbour, *from = inbox[self];
    while (missing--) {
        if (CSP_SELECT(csp_case_send(to, &self), csp_case_recv(from, NULL, NULL)) == 0)
            to = NULL;
        else
            from = NULL;
    }
#else
    bool served = csp_try_recv(inbox[self], NULL) == 1;
    csp_send(neighbour, &self);
    if (!served)
        csp_recv(inbox[self], NULL);
#endif
    csp_wg_done(&all);
}

int main(void)
{
    csp_wg_add(&all, ACTORS);
    for (int i = 0; i < ACTORS; i++)
        inbox[i] = csp_chan_new(sizeof(int), 0);
    for (int i = 0; i < ACTORS; i++)
        CSP_GO(act, i);
    csp_wg_wait(&all);
    return 0;
}
