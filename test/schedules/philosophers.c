// philosophers.c - three philosophers take the left fork first.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: each holds one fork and waits for the next.
// Order: each takes the left one before any takes the right one.
// Depth: 3. Shows as: asleep.
// Source: E. W. Dijkstra, EWD 310, 1971; SCTBench din_phil3.
#include <csp/csp.h>

enum { SEATS = 3 };

static csp_chan *forks[SEATS]; // holds a value while the fork lies on the table
static csp_wg all;

static void dine(int seat)
{
    int first = seat, second = (seat + 1) % SEATS;
#ifdef FIXED
    if (first > second) {
        second = first;
        first = 0;
    }
#endif
    csp_recv(forks[first], NULL);
    csp_recv(forks[second], NULL);
    csp_send(forks[second], NULL);
    csp_send(forks[first], NULL);
    csp_wg_done(&all);
}

int main(void)
{
    csp_wg_add(&all, SEATS);
    for (int i = 0; i < SEATS; i++) {
        forks[i] = csp_chan_new(0, 1);
        csp_send(forks[i], NULL);
    }
    for (int i = 0; i < SEATS; i++)
        CSP_GO(dine, i);
    csp_wg_wait(&all);
    return 0;
}
