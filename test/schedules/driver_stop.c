// driver_stop.c - a driver is stopped while a request that was let in is not yet counted.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bug: the request asks whether the driver is stopping, then counts itself; the stop comes in between.
// Order: the request passes the check; the driver stops; the request works on a stopped driver.
// Depth: 2. Shows as: crash.
// Source: the Bluetooth driver of Qadeer and Wu, KISS, PLDI 2004; SCTBench bluetooth_driver.
#include <csp/csp.h>

#include <assert.h>
#include <stdatomic.h>

static atomic_bool stopping, stopped;
static atomic_int users = 1; // the driver itself, and each request
static csp_chan *no_users;
static csp_wg both;

static void leave(void)
{
    if (atomic_fetch_sub(&users, 1) == 1)
        csp_send(no_users, NULL);
}

static bool enter(void)
{
#ifdef FIXED
    int now = atomic_load(&users);
    do {
        if (now == 0)
            return false;
    } while (!atomic_compare_exchange_strong(&users, &now, now + 1));
    if (atomic_load(&stopping)) {
        leave();
        return false;
    }
#else
    if (atomic_load(&stopping))
        return false;
    atomic_fetch_add(&users, 1);
#endif
    return true;
}

static void request(void *arg)
{
    (void)arg;
    if (enter()) {
        assert(!atomic_load(&stopped));
        leave();
    }
    csp_wg_done(&both);
}

static void stop(void *arg)
{
    (void)arg;
    atomic_store(&stopping, true);
    leave();
    csp_recv(no_users, NULL);
    atomic_store(&stopped, true);
    csp_wg_done(&both);
}

int main(void)
{
    no_users = csp_chan_new(0, 2);
    csp_wg_add(&both, 2);
    csp_go(stop, NULL);
    csp_go(request, NULL);
    csp_wg_wait(&both);
    return 0;
}
