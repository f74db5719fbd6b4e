// send_after_close.c - the caller gives up and closes, while the worker is about to send.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: the worker asks whether anybody still listens, and sends afterwards; the close comes in between.
// Order: the timeout fires while the worker is between its look at `given_up` and its send.
// Depth: 3. Shows as: panic.
// Source: grpc#1687 in GoKer (GoBench, CGO 2021): send on closed channel; order violation, Lu et al., ASPLOS 2008.
#include <csp/csp.h>

static csp_chan *result;
static csp_mutex lock;
static bool given_up;

static void deliver(int value)
{
    csp_mutex_lock(&lock);
    bool listening = !given_up;
#ifndef FIXED
    csp_mutex_unlock(&lock);
#endif
    if (listening)
        csp_send(result, &value); // has room
#ifdef FIXED
    csp_mutex_unlock(&lock);
#endif
}

static void work(void *arg)
{
    (void)arg;
    csp_sleep(CSP_MS);
    deliver(42);
}

int main(void)
{
    result = csp_chan_new(sizeof(int), 1);
    csp_go(work, NULL);
    int value;
    if (CSP_SELECT(csp_case_recv(result, &value, NULL), csp_case_after(8 * CSP_MS)) == 1) {
        csp_mutex_lock(&lock);
        given_up = true;
        csp_close(result);
        csp_mutex_unlock(&lock);
        csp_yield();
        csp_sleep(CSP_MS);
    }
    return 0;
}
