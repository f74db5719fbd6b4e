// two_channels.c - data go over one channel, the end over another, and the end is seen first.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: order holds on one channel, not between two.
// Order: the receiver looks when both are there, and select takes the end.
// Depth: 2. Shows as: crash.
// Source: message order, section 6.1.2 of Tu et al., ASPLOS 2019: select's choice is random.
#include <csp/csp.h>

#include <assert.h>

static csp_chan *data, *end;
static int received;
static csp_wg receiver;

static void receive(void *arg)
{
    (void)arg;
    int value;
    while (CSP_SELECT(csp_case_recv(data, &value, NULL), csp_case_recv(end, NULL, NULL)) == 0)
        received++;
#ifdef FIXED
    while (csp_try_recv(data, &value) == 1)
        received++;
#endif
    csp_wg_done(&receiver);
}

int main(void)
{
    data = csp_chan_new(sizeof(int), 1);
    end = csp_chan_new(0, 1);
    csp_wg_add(&receiver, 1);
    csp_go(receive, NULL);
    int value = 7;
    csp_send(data, &value);
    csp_sleep(2 * CSP_MS); // time enough to take it
    csp_send(end, NULL);
    csp_wg_wait(&receiver);
    assert(received == 1);
    return 0;
}
